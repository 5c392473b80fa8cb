"""The variables that point AWS's clients at the server, and how each shell is told of them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from cloche.cli.http_client import Credentials

SHELLS = ("sh", "fish", "powershell")

# Each would win over the key or the endpoint that `cloche env` gives, or can't go with it.
REMOVED_VARIABLES = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
)

PROXY_VARIABLES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")


def removed_variables(environment: Mapping[str, str]) -> list[str]:
    """Variables to remove, with the endpoints of single services that are set."""
    endpoints = sorted(name for name in environment if name.startswith("AWS_ENDPOINT_URL_"))
    return [*REMOVED_VARIABLES, *endpoints]


def pointed_environment(
    environment: Mapping[str, str],
    url: str,
    credentials: Credentials,
    region: str,
    data_directory: Path,
) -> dict[str, str]:
    """A whole environment for a process whose AWS clients are to reach the server."""
    removed = set(removed_variables(environment))
    kept = {name: value for name, value in environment.items() if name not in removed}
    return kept | client_environment(environment, url, credentials, region, data_directory)


def client_environment(
    environment: Mapping[str, str],
    url: str,
    credentials: Credentials,
    region: str,
    data_directory: Path,
) -> dict[str, str]:
    """Variables for boto3, the AWS CLI, the other SDKs and the SageMaker SDK.

    Args:
        environment: what they are added to; where it has a proxy, they go around it.
        url: where the server listens.
        credentials: the key to sign with.
        region: the default region.
        data_directory: where the SageMaker SDK's configuration is written.
    """
    return _without_proxy(environment, url) | {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": credentials["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": credentials["secret_access_key"],
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        # Host prefixes such as `sync-` would make a name that doesn't resolve.
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        # A client without credentials must fail at once instead of asking 169.254.169.254.
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(
            write_sagemaker_configuration(data_directory, region, credentials["account_id"])
        ),
    }


def _without_proxy(environment: Mapping[str, str], url: str) -> dict[str, str]:
    if not any(environment.get(name) for name in PROXY_VARIABLES):
        return {}
    present = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    names = [name for name in present.split(",") if name]
    host = urlsplit(url).hostname or ""
    value = ",".join(names if host in names else [*names, host])
    return {"NO_PROXY": value, "no_proxy": value}


def write_sagemaker_configuration(data_directory: Path, region: str, account_id: str) -> Path:
    """Write the file that keeps the SageMaker SDK from asking AWS itself.

    The SDK finds its default bucket's name through STS's public endpoint, whatever the
    environment says, and sends usage figures to a bucket of AWS's; both are settings of its own.
    """
    bucket = f"sagemaker-{region}-{account_id}"
    # JSON is YAML, and needs no library.
    session = {"DefaultS3Bucket": bucket}
    values = {
        "SchemaVersion": "1.0",
        "SageMaker": {"PythonSDK": {"Modules": {"Session": session, "TelemetryOptOut": True}}},
    }
    name = f"sagemaker-config-{account_id}-{region}.yaml"
    file = data_directory / name
    text = json.dumps(values, indent=2) + "\n"
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")
    return file


def shell_lines(variables: Mapping[str, str], removed: Iterable[str], shell: str) -> list[str]:
    """Commands that set variables in a shell and remove others; the values are quoted."""
    set_variable, remove_variable = {
        "sh": (_sh, lambda name: f"unset {name}"),
        "fish": (_fish, lambda name: f"set -e {name}"),
        "powershell": (
            _powershell,
            lambda name: f"Remove-Item Env:{name} -ErrorAction SilentlyContinue",
        ),
    }[shell]
    lines = [set_variable(name, value) for name, value in variables.items()]
    return lines + [remove_variable(name) for name in removed]


def _sh(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


def _fish(name: str, value: str) -> str:
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{quoted}'"


def _powershell(name: str, value: str) -> str:
    quoted = value.replace("'", "''")
    return f"$Env:{name} = '{quoted}'"
