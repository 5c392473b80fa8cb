"""AWS Security Token Service."""

from cloche.services.sts import assume_role, caller_identity, session_token
from cloche.services.sts.service import service

__all__ = ["assume_role", "caller_identity", "service", "session_token"]
