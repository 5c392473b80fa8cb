"""What IAM keeps, as records. IAM is global: the region of its documents is the empty string.

Names are unique without regard to case, so a document's name is the entity's name in lower case.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloche.core.tables import Table

Tags = tuple[tuple[str, str], ...]


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user.

    Attributes:
        policies: inline policies, JSON text by name.
        attached: ARNs of managed policies, in the order of attachment.
        boundary: ARN of the managed policy that is the permissions boundary; empty for none.
        groups: names of its groups.
        access_key_ids: of its keys, oldest first.
    """

    name: str
    path: str
    id: str
    created_at: datetime
    tags: Tags = ()
    policies: dict[str, str] = {}
    attached: tuple[str, ...] = ()
    boundary: str = ""
    groups: tuple[str, ...] = ()
    access_key_ids: tuple[str, ...] = ()


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group; who is in it is kept with the users."""

    name: str
    path: str
    id: str
    created_at: datetime
    policies: dict[str, str] = {}
    attached: tuple[str, ...] = ()


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """A role.

    Attributes:
        trust_policy: the AssumeRolePolicyDocument.
        session_seconds: MaxSessionDuration.
    """

    name: str
    path: str
    id: str
    created_at: datetime
    trust_policy: str
    description: str | None = None
    session_seconds: int = 3600
    tags: Tags = ()
    policies: dict[str, str] = {}
    attached: tuple[str, ...] = ()
    boundary: str = ""

    @property
    def is_service_linked(self) -> bool:
        """Whether only the service it is linked to may change it."""
        return self.path.startswith("/aws-service-role/")


class PolicyVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a managed policy."""

    id: str
    text: str
    created_at: datetime


class ManagedPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A managed policy; versions stand in the order in which they were made."""

    name: str
    path: str
    id: str
    created_at: datetime
    updated_at: datetime
    versions: tuple[PolicyVersion, ...]
    default_version_id: str = "v1"
    last_version: int = 1
    description: str | None = None
    tags: Tags = ()

    def version(self, version_id: str) -> PolicyVersion | None:
        """A version by its id."""
        return next((version for version in self.versions if version.id == version_id), None)

    @property
    def text(self) -> str:
        """The default version's document."""
        version = self.version(self.default_version_id)
        return "" if version is None else version.text


class InstanceProfile(msgspec.Struct, frozen=True, kw_only=True):
    """An instance profile; it holds one role at most."""

    name: str
    path: str
    id: str
    created_at: datetime
    role: str = ""
    tags: Tags = ()


class AccessKey(msgspec.Struct, frozen=True, kw_only=True):
    """A long-term access key.

    Attributes:
        secret: kept as it is, for signatures are verified with it.
        user_name: whose it is; empty for the account's root.
    """

    id: str
    secret: str
    account_id: str
    user_name: str
    created_at: datetime
    is_active: bool = True


class Use(msgspec.Struct, frozen=True):
    """When and where a key or role was last used."""

    used_at: datetime
    service: str
    region: str


class PasswordPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """An account's password policy, members by AWS's names in `values`."""

    values: dict[str, int | bool]


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account of this server."""

    account_id: str
    name: str
    created_at: datetime
    access_key_ids: tuple[str, ...] = ()
    alias: str = ""
    password_policy: PasswordPolicy | None = None


class AliasOwner(msgspec.Struct, frozen=True):
    """Which account an alias belongs to; aliases are unique over all accounts."""

    account_id: str


class DeletionTask(msgspec.Struct, frozen=True):
    """A deletion of a service-linked role, which is over when it is recorded."""

    finished_at: datetime


users = Table("iam.users", User)
groups = Table("iam.groups", Group)
roles = Table("iam.roles", Role)
policies = Table("iam.policies", ManagedPolicy)
instance_profiles = Table("iam.instance_profiles", InstanceProfile)
deletion_tasks = Table("iam.deletion_tasks", DeletionTask)

# Found by their id alone, so they belong to no account's part of the store.
access_keys = Table("iam.access_keys", AccessKey)
access_key_uses = Table("iam.access_key_uses", Use)
role_uses = Table("iam.role_uses", Use)
accounts = Table("iam.accounts", Account)
account_aliases = Table("iam.account_aliases", AliasOwner)
