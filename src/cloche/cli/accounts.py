"""Accounts and their root keys, as the server's administration gives them."""

from __future__ import annotations

from typing import Any

from cloche.cli.hints import command
from cloche.cli.http_client import Credentials, call, read_credentials
from cloche.cli.output import CommandError, NotRunning
from cloche.cli.server_process import ServerRecord, find_server
from cloche.core.configuration import Settings


def root_credentials(settings: Settings) -> Credentials:
    """The root key in the data directory.

    Raises:
        CommandError: the file is not there or can't be read.
    """
    try:
        credentials = read_credentials(settings.data_directory)
    except (OSError, ValueError) as error:
        raise CommandError(
            f"credentials.json in {settings.data_directory} can't be read: {error}.",
            "It belongs to the user who started the server; `cloche doctor` looks at it.",
        ) from error
    if credentials is None:
        raise CommandError(
            f"There is no credentials.json in {settings.data_directory}.",
            f"A server makes it at its first start: `{command(settings, 'up', '--detach')}`.",
        )
    return credentials


def administer(
    settings: Settings, method: str, path: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Call the administration of the server that runs on the data directory.

    Raises:
        CommandError: the server refuses, or there is none.
    """
    record = find_server(settings)
    if record is None:
        raise NotRunning(settings.data_directory)
    return call(record.url, root_credentials(settings), settings.region, method, path, body)


def account_credentials(
    record: ServerRecord, settings: Settings, account: str | None
) -> Credentials:
    """The root key of an account by its name or id; of the first account if None.

    Raises:
        CommandError: there is no such account.
    """
    root = root_credentials(settings)
    if account is None or account == root["account_id"]:
        return root
    listing = call(record.url, root, settings.region, "GET", "/_cloche/accounts")
    for one in listing["accounts"]:
        if account in (one["name"], one["account_id"]):
            return one
    raise CommandError(
        f"There is no account {account!r}.",
        f"`{command(settings, 'account', 'list')}` shows them;"
        f" `{command(settings, 'account', 'create', account)}` makes it.",
    )
