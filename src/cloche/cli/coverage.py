"""`cloche coverage`: which of AWS's operations are built."""

from __future__ import annotations

import click

from cloche.cli.output import WrongUsage, echo_json, echo_table, json_option


@click.command()
@click.argument("service", required=False)
@click.option("--built", is_flag=True, help="Leave out operations that are not built.")
@json_option
def coverage(service: str | None, built: bool, as_json: bool) -> None:
    """List which of AWS's operations are built.

    Of all services in short, of SERVICE each one.

    Each operation executes, is stored only (recorded and answered; nothing acts on it), or is not
    built: then it answers HTTP 501 NotImplementedException.
    """
    from cloche.gateway.coverage import UnknownService

    try:
        if service is None:
            _all_services(as_json)
        else:
            _one_service(service, built, as_json)
    except UnknownService as error:
        raise WrongUsage(f"{error}", "Names are boto3's: s3, sagemaker, …") from error


def _all_services(as_json: bool) -> None:
    from cloche.gateway.coverage import built_services, summary

    summaries = [summary(service) for service in built_services()]
    if as_json:
        echo_json({"services": [one.as_dict() for one in summaries]})
        return
    rows = [
        [one.service, f"{one.built}/{one.total}", str(one.executes), str(one.stored)]
        for one in summaries
    ]
    echo_table(["SERVICE", "BUILT", "EXECUTES", "STORED ONLY"], rows)


def _one_service(service: str, built: bool, as_json: bool) -> None:
    from cloche.gateway.coverage import coverage

    rows = [row for row in coverage(service) if not built or row.state != "not built"]
    if as_json:
        echo_json({"service": service, "operations": [row.as_dict() for row in rows]})
    else:
        echo_table(["OPERATION", "STATE", "WHERE"], [list(row.as_dict().values()) for row in rows])
