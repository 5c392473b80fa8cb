from __future__ import annotations

import tomllib

import pytest
import set_up
from packaging.requirements import Requirement

LISTING = """\
:env:.find-links='/wheels'
global.cert='/etc/ca.crt'
global.extra-index-url='https://a.example/simple\\nhttps://b.example/simple'
global.find-links='/elsewhere'
global.index-url='https://global.example/simple'
install.index-url='https://install.example/simple'
install.no-index='true'
"""


def test_the_stronger_source_of_a_pip_option_wins() -> None:
    options = set_up.parse_pip_configuration(LISTING)
    assert options["index-url"] == "https://install.example/simple"
    assert options["find-links"] == "/wheels"
    assert options["extra-index-url"] == "https://a.example/simple https://b.example/simple"


def test_uv_is_told_what_pip_is_configured_with(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS", "SSL_CERT_FILE"):
        monkeypatch.delenv(variable, raising=False)
    environment = set_up.uv_environment(set_up.parse_pip_configuration(LISTING))
    assert environment["UV_DEFAULT_INDEX"] == "https://install.example/simple"
    assert environment["UV_INDEX"] == "https://a.example/simple https://b.example/simple"
    assert environment["UV_FIND_LINKS"] == "/wheels"
    assert environment["SSL_CERT_FILE"] == "/etc/ca.crt"
    assert environment["UV_NO_INDEX"] == "1"


def test_what_is_set_for_uv_itself_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://mine.example/simple")
    environment = set_up.uv_environment({"index-url": "https://pip.example/simple"})
    assert "UV_DEFAULT_INDEX" not in environment


def test_the_lock_names_no_machine() -> None:
    lock = (set_up.ROOT / "uv.lock").read_text(encoding="utf-8")
    sources = {line for line in lock.splitlines() if line.startswith("source = ")}
    assert sources == {
        'source = { registry = "https://pypi.org/simple" }',
        'source = { editable = "." }',
    }
    assert "file://" not in lock


def test_the_lock_was_made_from_this_pyproject() -> None:
    project = tomllib.loads((set_up.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lock = tomllib.loads((set_up.ROOT / "uv.lock").read_text(encoding="utf-8"))
    metadata = next(one for one in lock["package"] if one["name"] == "cloche")["metadata"]

    wanted = [*project["project"]["dependencies"]]
    for extra in project["project"]["optional-dependencies"].values():
        wanted += extra
    locked = metadata["requires-dist"]
    assert requirements(wanted) == {(one["name"], one.get("specifier", "")) for one in locked}

    development = metadata["requires-dev"]["dev"]
    assert requirements(project["dependency-groups"]["dev"]) == {
        (one["name"], one.get("specifier", "")) for one in development
    }


def requirements(lines: list[str]) -> set[tuple[str, str]]:
    parsed = [Requirement(line) for line in lines]
    return {(one.name, in_order(str(one.specifier))) for one in parsed}


def in_order(specifier: str) -> str:
    """As uv writes it: the lower bound first."""
    return ",".join(sorted(specifier.split(","), reverse=True))
