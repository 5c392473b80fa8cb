"""AWS Identity and Access Management. What other parts of Cloche ask is in `identity`."""

from cloche.services.iam import (
    absent,
    access_keys,
    account,
    attachments,
    authorization_details,
    boundaries,
    groups,
    inline_policies,
    instance_profiles,
    policies,
    policy_versions,
    roles,
    service_linked_roles,
    simulation,
    users,
)
from cloche.services.iam.service import service

__all__ = [
    "absent",
    "access_keys",
    "account",
    "attachments",
    "authorization_details",
    "boundaries",
    "groups",
    "inline_policies",
    "instance_profiles",
    "policies",
    "policy_versions",
    "roles",
    "service",
    "service_linked_roles",
    "simulation",
    "users",
]
