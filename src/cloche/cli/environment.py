"""The variables that point AWS's clients at the server, and how each shell is told of them."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from cloche.cli.http_client import Credentials

SHELLS = ("sh", "fish", "powershell")

# Either would win over the key that `cloche env` gives.
REMOVED_VARIABLES = ("AWS_PROFILE", "AWS_SESSION_TOKEN")


def client_environment(
    url: str, credentials: Credentials, region: str, data_directory: Path
) -> dict[str, str]:
    """Variables for boto3, the AWS CLI, the other SDKs and the SageMaker SDK."""
    return {
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


def shell_lines(variables: dict[str, str], shell: str) -> list[str]:
    """Commands that set the variables in a shell, and remove those that would be in the way."""
    set_variable, remove_variable = {
        "sh": (_sh, lambda name: f"unset {name}"),
        "fish": (_fish, lambda name: f"set -e {name}"),
        "powershell": (
            _powershell,
            lambda name: f"Remove-Item Env:{name} -ErrorAction SilentlyContinue",
        ),
    }[shell]
    lines = [set_variable(name, value) for name, value in variables.items()]
    return lines + [remove_variable(name) for name in REMOVED_VARIABLES]


def _sh(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


def _fish(name: str, value: str) -> str:
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{quoted}'"


def _powershell(name: str, value: str) -> str:
    quoted = value.replace("'", "''")
    return f"$Env:{name} = '{quoted}'"
