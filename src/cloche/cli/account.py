"""`cloche account`: separate accounts, each with a root key of its own."""

from __future__ import annotations

import click

from cloche.cli.accounts import administer
from cloche.cli.hints import env_command
from cloche.cli.options import with_settings
from cloche.cli.output import echo_fields, echo_json, echo_table, json_option
from cloche.core.configuration import Settings


@click.group()
def account() -> None:
    """Make and list accounts, each with its own root key."""


@account.command("create")
@click.argument("name")
@click.option("--account-id", metavar="ID", help="Twelve digits; drawn by lot unless given.")
@with_settings("data_directory")
@json_option
def create(settings: Settings, name: str, account_id: str | None, as_json: bool) -> None:
    """Make an account and print its root key."""
    wanted = {"name": name} | ({"account_id": account_id} if account_id else {})
    made = administer(settings, "POST", "/_cloche/accounts", wanted)
    if as_json:
        echo_json(made)
        return
    echo_fields(
        [
            ("Account", made["account_id"]),
            ("Name", made["name"]),
            ("Access key", made["access_key_id"]),
            ("Secret", made["secret_access_key"]),
        ]
    )
    click.echo(f"Use it: {env_command(settings, '--account', name)}")


@account.command("list")
@with_settings("data_directory")
@json_option
def list_accounts(settings: Settings, as_json: bool) -> None:
    """List the accounts, without their secrets."""
    listing = administer(settings, "GET", "/_cloche/accounts")["accounts"]
    shown = [
        {name: one[name] for name in ("account_id", "name", "access_key_id")} for one in listing
    ]
    if as_json:
        echo_json({"accounts": shown})
    else:
        echo_table(["ACCOUNT", "NAME", "ACCESS KEY"], [list(one.values()) for one in shown])
