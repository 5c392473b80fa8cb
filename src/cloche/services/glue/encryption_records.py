"""What is kept of a catalog's encryption settings."""

from __future__ import annotations

from typing import Any

from cloche.core.documents import Reader, Table

SETTINGS = "settings"

encryption_settings = Table("glue.encryption_settings", dict[str, Any])


def keeps_passwords_encrypted(reader: Reader, account: str, region: str) -> bool:
    """Whether passwords of connections may leave the catalog only encrypted: not at all, then."""
    settings = reader.get(encryption_settings, account, region, SETTINGS) or {}
    passwords = settings.get("ConnectionPasswordEncryption") or {}
    return bool(passwords.get("ReturnConnectionPasswordEncrypted"))
