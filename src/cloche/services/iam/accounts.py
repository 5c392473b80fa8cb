"""Accounts of this server and their root keys."""

from __future__ import annotations

import json
import os
import re
import secrets
import tempfile
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from cloche.core.clock import Clock
from cloche.core.configuration import Settings
from cloche.core.documents import DocumentExists, Documents, Transaction
from cloche.services.iam import entities, identifiers
from cloche.services.iam.entities import AccessKey, Account

CREDENTIALS_FILE = "credentials.json"
_FIRST_ACCOUNT_NAME = "default"
_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_ACCESS_KEY_ID = re.compile(r"[A-Z0-9]{16,128}")
_SIGNING_KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")


class AccountExists(Exception):
    """There is an account of this name or id, or a key of this id, already."""


class UnusableKey(ValueError):
    """No request can be signed with a key of this id."""


class AccountKey(NamedTuple):
    """An account and a root key of it."""

    account_id: str
    name: str
    access_key_id: str
    secret_access_key: str


def ensure_root(
    documents: Documents,
    settings: Settings,
    clock: Clock,
    *,
    access_key_id: str | None = None,
    secret_access_key: str | None = None,
) -> AccountKey:
    """Make the first account and its root key if it has none, and write `credentials.json`.

    Args:
        documents: where it is kept.
        settings: give the account id and the data directory.
        clock: gives the time of creation.
        access_key_id: the root key to have (`CLOCHE_ROOT_ACCESS_KEY_ID`); it takes the place of
            another one that was made before.
        secret_access_key: its secret.

    Raises:
        AccountExists: another account has a key of this id.
        UnusableKey: no request can be signed with it.
        OSError: the file cannot be written.
    """
    account_id, now = settings.account_id, clock.now().replace(microsecond=0)
    wanted = None
    if access_key_id is not None and secret_access_key is not None:
        _check_root_key_id(access_key_id)
        wanted = (access_key_id, secret_access_key)
    made = wanted or _new_key(account_id)

    def work(transaction: Transaction) -> AccountKey:
        account = transaction.get(entities.accounts, "", "", account_id)
        if account is None:
            account = Account(account_id=account_id, name=_FIRST_ACCOUNT_NAME, created_at=now)
        key = _root_key(transaction, account)
        if key is None or (wanted is not None and (key.id, key.secret) != wanted):
            for former in account.access_key_ids:
                transaction.delete(entities.access_keys, "", "", former)
            key = _keep_root_key(transaction, account, made, now)
        return AccountKey(account_id, account.name, key.id, key.secret)

    root = documents.transact(work)
    _write_credentials(settings.data_directory, root)
    return root


def create_account(
    documents: Documents,
    clock: Clock,
    name: str,
    *,
    account_id: str | None = None,
    access_key_id: str | None = None,
    secret_access_key: str | None = None,
) -> AccountKey:
    """Make a further account with a root key.

    Raises:
        AccountExists: the name, the id or the key is taken.
        ValueError: nobody could use it: the name is empty, the id is not twelve digits, or no
            request can be signed with the key.
    """
    if not (name.strip() and name.isprintable()):
        raise ValueError("An account needs a name of printable characters.")
    if account_id is None:
        account_id = f"{secrets.randbelow(9 * 10**11) + 10**11}"
    elif not _ACCOUNT_ID.fullmatch(account_id):
        raise ValueError(f"{account_id!r} is not an account id of twelve digits.")
    if access_key_id is not None:
        _check_access_key_id(access_key_id)
    if secret_access_key == "":
        raise ValueError("A secret access key is not empty.")
    now = clock.now().replace(microsecond=0)
    new_id, new_secret = _new_key(account_id)
    pair = (access_key_id or new_id, secret_access_key or new_secret)
    account = Account(account_id=account_id, name=name, created_at=now)

    def work(transaction: Transaction) -> AccountKey:
        for document in transaction.scan(entities.accounts, "", "", limit=100_000):
            if name == document.value.name or account_id == document.value.account_id:
                raise AccountExists(f"There is an account {name} ({account_id}) already.")
        key = _keep_root_key(transaction, account, pair, now)
        return AccountKey(account_id, name, key.id, key.secret)

    return documents.transact(work)


def _check_access_key_id(key_id: str) -> None:
    if not _ACCESS_KEY_ID.fullmatch(key_id):
        raise UnusableKey(f"{key_id!r} is not an access key id: 16 to 128 of A-Z and 0-9.")
    _check_is_long_term(key_id)


def _check_root_key_id(key_id: str) -> None:
    """Refuse what cannot sign; other than AWS's form is allowed, since many write `test`."""
    if not _SIGNING_KEY_ID.fullmatch(key_id):
        raise UnusableKey(f"{key_id!r} is not an access key id: no request is signed with it.")
    _check_is_long_term(key_id)


def _check_is_long_term(key_id: str) -> None:
    if key_id.startswith(identifiers.SESSION_KEY_PREFIX):
        raise UnusableKey(f"{key_id!r} begins with ASIA, as only those of sessions may.")


def list_accounts(documents: Documents) -> list[AccountKey]:
    """All accounts with their first root key; without one, the key's members are empty."""
    accounts: list[AccountKey] = []
    for document in documents.iterate(entities.accounts, "", ""):
        account = document.value
        key = _root_key(documents, account)
        pair = ("", "") if key is None else (key.id, key.secret)
        accounts.append(AccountKey(account.account_id, account.name, *pair))
    return accounts


def _new_key(account_id: str) -> tuple[str, str]:
    key_id = identifiers.access_key_id(identifiers.ACCESS_KEY_PREFIX, account_id)
    return key_id, identifiers.secret_access_key()


def _root_key(source: Documents | Transaction, account: Account) -> AccessKey | None:
    for key_id in account.access_key_ids:
        key = source.get(entities.access_keys, "", "", key_id)
        if key is not None and key.is_active:
            return key
    return None


def _keep_root_key(
    transaction: Transaction, account: Account, pair: tuple[str, str], now: datetime
) -> AccessKey:
    key = AccessKey(
        id=pair[0],
        secret=pair[1],
        account_id=account.account_id,
        user_name="",
        created_at=now,
    )
    try:
        transaction.insert(entities.access_keys, "", "", key.id, key)
    except DocumentExists as error:
        raise AccountExists(f"There is an access key {key.id} already.") from error
    with_key = msgspec.structs.replace(account, access_key_ids=(key.id,))
    transaction.put(entities.accounts, "", "", account.account_id, with_key)
    return key


def _write_credentials(directory: Path, root: AccountKey) -> None:
    """Write the file for its owner's eyes only, whole or not at all."""
    text = json.dumps(root._asdict(), indent=2) + "\n"
    target = directory / CREDENTIALS_FILE
    if target.exists() and target.read_text(encoding="utf-8") == text:
        target.chmod(0o600)
        return
    # mkstemp makes a file of mode 0600.
    descriptor, temporary = tempfile.mkstemp(dir=directory, prefix=CREDENTIALS_FILE)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        Path(temporary).replace(target)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
