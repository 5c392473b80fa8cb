"""Settings: one frozen object, read once from flags and the environment.

`read_settings` is the only reader. It remembers where each value came from, for `cloche doctor`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

Origin = Literal["flag", "environment", "default"]

# Read by the server alone: secrets are no settings, since settings are shown.
_OTHER_VARIABLES = {"CLOCHE_ROOT_ACCESS_KEY_ID", "CLOCHE_ROOT_SECRET_ACCESS_KEY"}

_SQL_MEMORY = "25%"
_UNITS = {"": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
_SQL_MEMORY_LEAST = 256 * 2**20

LOG_LEVELS = ("debug", "info", "warning", "error")


class InvalidSetting(ValueError):
    """A setting's value cannot be used.

    Attributes:
        setting: its name in `Settings`.
        source: the flag or environment variable it was read from.
    """

    def __init__(self, setting: str, source: str, value: str, reason: str) -> None:
        self.setting = setting
        self.source = source
        super().__init__(f"{source}={value!r}: {reason}")


@dataclass(frozen=True, slots=True)
class Setting:
    """How one field of `Settings` is read.

    Attributes:
        name: the field.
        flag: command line flag.
        variable: environment variable.
        default: as text, read like any other value.
        parse: turns text into the value; raises ValueError with the reason.
        description: one line for help and `cloche doctor`.
    """

    name: str
    flag: str
    variable: str
    default: str
    parse: Callable[[str], Any]
    description: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server is told from outside.

    Attributes:
        data_directory: where all state and data are kept, absolute.
        host: address to listen on.
        port: TCP port; 0 lets the system choose.
        region: for requests and commands that name none.
        account_id: the root key's account, twelve digits.
        log_level: debug, info, warning or error.
        database_url: `postgresql://…`; empty for SQLite in the data directory.
        object_store_url: S3 endpoint that keeps the objects; empty for the file system.
        sql_memory: bytes that all SQL queries together may take before they spill to disk.
        origins: where each value came from, by field.
    """

    data_directory: Path
    host: str = "127.0.0.1"
    port: int = 4566
    region: str = "us-east-1"
    account_id: str = "000000000000"
    log_level: str = "info"
    database_url: str = ""
    object_store_url: str = ""
    sql_memory: int = field(default_factory=lambda: _memory(_SQL_MEMORY))
    origins: Mapping[str, Origin] = field(default_factory=dict[str, Origin])

    def shown(self, name: str) -> str:
        """A value as text for people; passwords in URLs are left out."""
        return _without_password(str(getattr(self, name)))


def read_settings(
    environment: Mapping[str, str], flags: Mapping[str, str | int | Path | None] | None = None
) -> Settings:
    """Read all settings; a flag wins over the environment, an empty variable counts as not set.

    Args:
        environment: `os.environ`.
        flags: by field name of `Settings`; None where the flag was not given.

    Raises:
        InvalidSetting: a value cannot be used.
    """
    given = flags or {}
    unknown = given.keys() - {setting.name for setting in SETTINGS}
    if unknown:
        raise TypeError(f"no such settings: {', '.join(sorted(unknown))}")
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for setting in SETTINGS:
        text, source, origin = _find(setting, environment, given.get(setting.name))
        try:
            values[setting.name] = setting.parse(text)
        except ValueError as error:
            raise InvalidSetting(
                setting.name, source, _without_password(text), str(error)
            ) from error
        origins[setting.name] = origin
    return Settings(**values, origins=origins)


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Variables that begin with `CLOCHE_` and mean nothing, most likely misspelt."""
    known = {setting.variable for setting in SETTINGS} | _OTHER_VARIABLES
    return sorted(name for name in environment if name.startswith("CLOCHE_") and name not in known)


def _find(
    setting: Setting, environment: Mapping[str, str], flag: str | int | Path | None
) -> tuple[str, str, Origin]:
    if flag is not None:
        return str(flag), setting.flag, "flag"
    if text := environment.get(setting.variable):
        return text, setting.variable, "environment"
    return setting.default, setting.variable, "default"


def _without_password(text: str) -> str:
    url, mark, query = text.partition("?")
    without = re.sub(r"(://[^/@\s:]*):[^/\s]*@", r"\1:***@", url)
    return without + mark + re.sub(r"([^&#]*)=([^&#]*)", _masked, query)


def _masked(parameter: re.Match[str]) -> str:
    is_secret = unquote(parameter[1]).lower() in ("password", "sslpassword")
    return f"{parameter[1]}=***" if is_secret else parameter[0]


def _directory(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise ValueError("is a file, not a directory")
    return path


def _host(text: str) -> str:
    if not text or re.search(r"[\s/]", text):
        raise ValueError("is not a host name or address")
    return text


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise ValueError("is not a port (0 to 65535)")
    return int(text)


def _region(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}", text):
        raise ValueError("is not a region such as us-east-1")
    return text


def _account_id(text: str) -> str:
    if not re.fullmatch(r"[0-9]{12}", text):
        raise ValueError("is not an account id of twelve digits")
    return text


def _log_level(text: str) -> str:
    if text.lower() not in LOG_LEVELS:
        raise ValueError(f"is not one of {', '.join(LOG_LEVELS)}")
    return text.lower()


def _url(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text and (urlsplit(text).scheme not in schemes or not text.partition("://")[2]):
            raise ValueError(
                "is not a URL that starts with " + " or ".join(f"{s}://" for s in schemes)
            )
        return text

    return parse


def _memory(text: str) -> int:
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*(%|[KMGT]?B?)", text.strip().upper())
    if found is None:
        raise ValueError("is not a size such as 4GB, nor a share of the memory such as 25%")
    number, unit = float(found[1]), found[2]
    if unit == "%":
        if not 0 < number <= 100:
            raise ValueError("is not a share between 0% and 100%")
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return max(_SQL_MEMORY_LEAST, int(machine * number / 100))
    size = int(number * _UNITS[unit.rstrip("B") + "B" if unit.rstrip("B") else ""])
    if size < _SQL_MEMORY_LEAST:
        raise ValueError("is less than 256MB")
    return size


SETTINGS: tuple[Setting, ...] = (
    Setting("data_directory", "--data", "CLOCHE_DATA", "~/.cloche", _directory, "state and data"),
    Setting("host", "--host", "CLOCHE_HOST", "127.0.0.1", _host, "address to listen on"),
    Setting("port", "--port", "CLOCHE_PORT", "4566", _port, "port to listen on"),
    Setting(
        "region", "--region", "CLOCHE_REGION", "us-east-1", _region, "region where none is named"
    ),
    Setting(
        "account_id",
        "--account-id",
        "CLOCHE_ACCOUNT_ID",
        "000000000000",
        _account_id,
        "account of the root key",
    ),
    Setting(
        "log_level", "--log-level", "CLOCHE_LOG_LEVEL", "info", _log_level, "least level logged"
    ),
    Setting(
        "database_url",
        "--database-url",
        "CLOCHE_DATABASE_URL",
        "",
        _url("postgresql", "postgres"),
        "PostgreSQL for the documents; SQLite in the data directory where none is given",
    ),
    Setting(
        "object_store_url",
        "--object-store-url",
        "CLOCHE_OBJECT_STORE_URL",
        "",
        _url("http", "https"),
        "S3 endpoint for the objects; files in the data directory where none is given",
    ),
    Setting(
        "sql_memory",
        "--sql-memory",
        "CLOCHE_SQL_MEMORY",
        _SQL_MEMORY,
        _memory,
        "memory of all SQL queries, beyond which they spill to disk: 4GB, or a share such as 25%",
    ),
)
"""All settings, in the order in which they are shown."""
