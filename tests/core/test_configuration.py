from __future__ import annotations

from pathlib import Path

import pytest

from cloche.core.configuration import (
    SETTINGS,
    InvalidSetting,
    Settings,
    read_settings,
    unknown_variables,
)


def test_defaults() -> None:
    settings = read_settings({})
    assert settings.data_directory == Path("~/.cloche").expanduser()
    assert (settings.host, settings.port, settings.region) == ("127.0.0.1", 4566, "us-east-1")
    assert (settings.account_id, settings.log_level) == ("000000000000", "info")
    assert (settings.database_url, settings.object_store_url) == ("", "")
    assert set(settings.origins.values()) == {"default"}


def test_defaults_are_those_of_the_class() -> None:
    settings = read_settings({})
    assert settings == Settings(data_directory=settings.data_directory, origins=settings.origins)


def test_a_flag_wins_over_the_environment(tmp_path: Path) -> None:
    environment = {"CLOCHE_PORT": "1", "CLOCHE_REGION": "eu-central-1", "CLOCHE_HOST": ""}
    flags = {"port": 2, "data_directory": tmp_path, "log_level": None}
    settings = read_settings(environment, flags)
    assert (settings.port, settings.region, settings.host) == (2, "eu-central-1", "127.0.0.1")
    assert settings.data_directory == tmp_path
    assert settings.origins["port"] == "flag"
    assert settings.origins["region"] == "environment"
    assert settings.origins["host"] == "default"
    assert settings.origins["log_level"] == "default"


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("CLOCHE_PORT", "65536", "is not a port"),
        ("CLOCHE_PORT", "-1", "is not a port"),
        ("CLOCHE_PORT", "http", "is not a port"),
        ("CLOCHE_HOST", "a b", "is not a host name"),
        ("CLOCHE_REGION", "moon", "is not a region"),
        ("CLOCHE_ACCOUNT_ID", "123", "twelve digits"),
        ("CLOCHE_LOG_LEVEL", "loud", "is not one of debug"),
        ("CLOCHE_DATABASE_URL", "mysql://x", "starts with postgresql://"),
        ("CLOCHE_DATABASE_URL", "postgresql:", "starts with postgresql://"),
        ("CLOCHE_OBJECT_STORE_URL", "ftp://x", "starts with http:// or https://"),
        ("CLOCHE_DATA", __file__, "is a file"),
        ("CLOCHE_SQL_MEMORY", "much", "is not a size"),
        ("CLOCHE_SQL_MEMORY", "101%", "is not a share"),
        ("CLOCHE_SQL_MEMORY", "10MB", "is less than 256MB"),
    ],
)
def test_says_what_is_wrong(variable: str, value: str, reason: str) -> None:
    with pytest.raises(InvalidSetting, match=reason) as caught:
        read_settings({variable: value})
    assert variable in str(caught.value)
    assert caught.value.source == variable


def test_a_wrong_flag_is_named_as_the_flag() -> None:
    with pytest.raises(InvalidSetting, match="--port='x'"):
        read_settings({}, {"port": "x"})


def test_a_setting_that_does_not_exist_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError, match="prot"):
        read_settings({}, {"prot": 1})


def test_passwords_are_not_shown() -> None:
    url = "postgresql://me:se@cret@db/cloche"
    settings = read_settings({"CLOCHE_DATABASE_URL": url})
    assert settings.database_url == url
    assert settings.shown("database_url") == "postgresql://me:***@db/cloche"
    with pytest.raises(InvalidSetting) as caught:
        read_settings({"CLOCHE_DATABASE_URL": url.replace("postgresql", "mysql")})
    assert "cret" not in str(caught.value)


@pytest.mark.parametrize("name", ["password", "sslpassword", "PassWord", "pass%77ord"])
def test_passwords_among_the_parameters_are_not_shown(name: str) -> None:
    url = f"postgresql://me@db/cloche?sslmode=require&{name}=se@cret/s%26&x=y#f"
    settings = read_settings({"CLOCHE_DATABASE_URL": url})
    shown = f"postgresql://me@db/cloche?sslmode=require&{name}=***&x=y#f"
    assert settings.shown("database_url") == shown
    only = read_settings({"CLOCHE_DATABASE_URL": f"postgresql://db?{name}=secret"})
    assert only.shown("database_url") == f"postgresql://db?{name}=***"


def test_misspelt_variables_are_found() -> None:
    environment = {setting.variable: "" for setting in SETTINGS} | {"CLOCHE_PROT": "1", "HOME": "/"}
    assert unknown_variables(environment) == ["CLOCHE_PROT"]


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("4GB", 4 * 2**30), ("1.5g", 3 * 2**29), ("512 MB", 2**29), ("1073741824", 2**30)],
)
def test_memory_is_a_size(text: str, size_bytes: int) -> None:
    assert read_settings({"CLOCHE_SQL_MEMORY": text}).sql_memory == size_bytes


def test_memory_is_a_share_of_the_machines() -> None:
    whole = read_settings({"CLOCHE_SQL_MEMORY": "100%"}).sql_memory
    half = read_settings({"CLOCHE_SQL_MEMORY": "50%"}).sql_memory
    assert abs(whole - 2 * half) <= 2
    assert read_settings({}).sql_memory == max(256 * 2**20, int(whole * 0.25))
