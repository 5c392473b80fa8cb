"""Kinds of entities: how each is found, changed, listed and named in errors and ARNs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from cloche.core.documents import DocumentExists, Documents, Transaction
from cloche.core.tables import Table
from cloche.services.iam import entities
from cloche.services.iam.entities import Group, InstanceProfile, ManagedPolicy, Role, User
from cloche.services.iam.errors import (
    EntityAlreadyExists,
    LimitExceeded,
    NoSuchEntity,
    UnmodifiableEntity,
)

if TYPE_CHECKING:
    from cloche.core.operations import Call


class Entity(Protocol):
    """What all entities have."""

    @property
    def name(self) -> str:
        """Unique in the account."""
        ...

    @property
    def path(self) -> str:
        """Begins and ends with a slash."""
        ...

    @property
    def id(self) -> str:
        """Never used again for another entity."""
        ...

    @property
    def created_at(self) -> datetime:
        """To the second."""
        ...


E = TypeVar("E", bound=Entity)


@dataclass(frozen=True, slots=True)
class Kind(Generic[E]):
    """A kind of entity.

    Attributes:
        noun: in ARNs (`user`).
        table: where they are kept.
        missing: NoSuchEntity's text, with `{name}`.
        taken: EntityAlreadyExists' text, with `{name}`.
        quota: the quota's name in LimitExceeded.
        quota_number: how many an account may have.
    """

    noun: str
    table: Table[E]
    missing: str
    taken: str
    quota: str
    quota_number: int

    def arn(self, account_id: str, entity: Entity) -> str:
        """The entity's ARN."""
        return f"arn:aws:iam::{account_id}:{self.noun}{entity.path}{entity.name}"

    def not_found(self, name: str) -> NoSuchEntity:
        """The error for a name that does not exist."""
        return NoSuchEntity(self.missing.format(name=name))

    def find(self, documents: Documents | Transaction, account_id: str, name: str) -> E | None:
        """An entity by its name in any case."""
        return documents.get(self.table, account_id, "", name.lower())

    def get(self, call: Call, name: str) -> E:
        """An entity of the caller's account.

        Raises:
            NoSuchEntity: there is none of the name.
        """
        return self.need(call.documents, call.account_id, name)

    def need(self, documents: Documents | Transaction, account_id: str, name: str) -> E:
        """An entity of an account.

        Raises:
            NoSuchEntity: there is none of the name.
        """
        entity = self.find(documents, account_id, name)
        if entity is None:
            raise self.not_found(name)
        return entity

    def get_by_arn(self, call: Call, arn: str) -> E:
        """An entity of the caller's account by its ARN, of which there is one for each.

        Raises:
            NoSuchEntity: there is none of the ARN.
        """
        name = arn.rpartition("/")[2]
        entity = self.get(call, name)
        if self.arn(call.account_id, entity) != arn:
            raise self.not_found(name)
        return entity

    def below(self, documents: Documents, account_id: str, path_prefix: str = "/") -> Iterator[E]:
        """All entities of an account below a path, by name."""
        for document in documents.iterate(self.table, account_id, ""):
            if document.value.path.startswith(path_prefix):
                yield document.value

    def create(self, call: Call, entity: E) -> None:
        """Keep a new entity.

        Raises:
            EntityAlreadyExists: the name is taken.
            LimitExceeded: the account has too many.
        """
        key = entity.name.lower()
        if self.find(call.documents, call.account_id, key) is None:
            self.check_quota(call)
        try:
            call.documents.insert(self.table, call.account_id, "", key, entity)
        except DocumentExists as error:
            raise EntityAlreadyExists(self.taken.format(name=entity.name)) from error

    def check_quota(self, call: Call) -> None:
        """Refuse one more when the account has as many as it may.

        Raises:
            LimitExceeded: it has.
        """
        limit = self.quota_number
        if len(call.documents.scan(self.table, call.account_id, "", limit=limit)) >= limit:
            raise exceeded(self.quota, limit)

    def edit(self, call: Call, name: str, change: Callable[[E], E]) -> E:
        """Replace an entity by what `change` makes of it, and return that.

        Raises:
            NoSuchEntity: there is none of the name.
        """
        account_id = call.account_id

        def work(transaction: Transaction) -> E:
            entity = self.need(transaction, account_id, name)
            changed = change(entity)
            if changed != entity:
                transaction.put(self.table, account_id, "", name.lower(), changed)
            return changed

        return call.documents.transact(work)


def exceeded(quota: str, number: int) -> LimitExceeded:
    """The error for a quota that is used up."""
    return LimitExceeded(f"Cannot exceed quota for {quota}: {number}")


def refuse_service_linked(role: Role) -> Role:
    """The role, if the account may change it.

    Raises:
        UnmodifiableEntity: it is a service-linked role.
    """
    if role.is_service_linked:
        raise UnmodifiableEntity(
            f"Cannot perform the operation on the protected role '{role.name}' - this role is only"
            " modifiable by AWS"
        )
    return role


USERS: Kind[User] = Kind(
    "user",
    entities.users,
    "The user with name {name} cannot be found.",
    "User with name {name} already exists.",
    "UsersPerAccount",
    5000,
)
GROUPS: Kind[Group] = Kind(
    "group",
    entities.groups,
    "The group with name {name} cannot be found.",
    "Group with name {name} already exists.",
    "GroupsPerAccount",
    300,
)
ROLES: Kind[Role] = Kind(
    "role",
    entities.roles,
    "The role with name {name} cannot be found.",
    "Role with name {name} already exists.",
    "RolesPerAccount",
    1000,
)
POLICIES: Kind[ManagedPolicy] = Kind(
    "policy",
    entities.policies,
    "Policy {name} was not found.",
    "A policy called {name} already exists. Duplicate names are not allowed.",
    "PoliciesPerAccount",
    1500,
)
INSTANCE_PROFILES: Kind[InstanceProfile] = Kind(
    "instance-profile",
    entities.instance_profiles,
    "Instance Profile {name} cannot be found.",
    "Instance Profile {name} already exists.",
    "InstanceProfilesPerAccount",
    1000,
)
