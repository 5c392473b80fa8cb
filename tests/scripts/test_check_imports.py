from __future__ import annotations

from pathlib import Path

import check_imports
import pytest


def package(source: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = source / "cloche" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return source


def rules(source: Path) -> list[str]:
    return [problem.rule for problem in check_imports.check(source)]


def test_the_repository_keeps_every_rule() -> None:
    source = Path(check_imports.__file__).parent.parent / "src"
    assert [str(problem) for problem in check_imports.check(source)] == []


@pytest.mark.parametrize(
    ("importer", "statement"),
    [
        ("core/clock.py", "from cloche.services.s3 import buckets"),
        ("core/clock.py", "import cloche.engines.objects"),
        ("engines/objects/filesystem.py", "from cloche.core import clock"),
        ("services/s3/buckets.py", "from cloche.gateway.http import messages"),
        ("gateway/server.py", "from cloche.cli.main import main"),
        ("cli/up.py", "from cloche.services.s3 import buckets"),
        ("cli/up.py", "from cloche.engines.objects.filesystem import FilesystemObjects"),
        ("demo/upload.py", "from cloche.gateway import server"),
        ("images/sklearn/train.py", "from cloche.core import clock"),
        ("services/s3/buckets.py", "from ...gateway.http import messages"),
        ("services/s3/buckets.py", "def f():\n    import cloche.gateway.server"),
    ],
)
def test_an_import_against_the_layers_is_named(
    tmp_path: Path, importer: str, statement: str
) -> None:
    source = package(
        tmp_path,
        {
            "core/clock.py": "",
            "engines/objects/filesystem.py": "",
            "services/s3/buckets.py": "",
            "gateway/server.py": "",
            "gateway/http/messages.py": "",
            "cli/main.py": "",
            importer: statement + "\n",
        },
    )

    problems = check_imports.check(source)

    assert [problem.rule for problem in problems] == ["layers"]
    assert problems[0].file == source / "cloche" / importer


@pytest.mark.parametrize(
    ("importer", "statement"),
    [
        ("cli/up.py", "from cloche.gateway.server import serve"),
        ("cli/up.py", "from cloche.core import clock"),
        ("gateway/server.py", "from cloche.services.s3 import buckets"),
        ("services/s3/buckets.py", "from cloche.core import clock"),
        ("services/s3/buckets.py", "from cloche.engines.objects import filesystem"),
        ("services/athena/queries.py", "from cloche.services.s3 import buckets"),
        ("core/clock.py", "from cloche import __version__"),
    ],
)
def test_an_import_with_the_layers_is_allowed(
    tmp_path: Path, importer: str, statement: str
) -> None:
    files = {"__init__.py": "", "core/clock.py": "", "services/s3/buckets.py": ""}
    files["engines/objects/filesystem.py"] = ""
    assert rules(package(tmp_path, files | {importer: statement})) == []


def test_a_part_without_a_rule_is_refused(tmp_path: Path) -> None:
    assert rules(package(tmp_path, {"extras/new.py": "import json"})) == ["unknown-layer"]


def test_a_service_does_not_import_an_engines_library(tmp_path: Path) -> None:
    source = package(tmp_path, {"services/athena/queries.py": "import duckdb"})
    assert rules(source) == ["engine-library"]


def test_a_circle_is_found_with_its_way(tmp_path: Path) -> None:
    source = package(
        tmp_path,
        {
            "core/clock.py": "from cloche.core import jobs",
            "core/jobs.py": "from cloche.core.events import publish",
            "core/events.py": "def publish():\n    from cloche.core import clock",
        },
    )

    (problem,) = check_imports.check(source)

    assert problem.rule == "circle"
    assert problem.message.startswith("cloche.core.clock → cloche.core.jobs → cloche.core.events")


def test_a_circle_for_the_type_checker_only_is_none(tmp_path: Path) -> None:
    source = package(
        tmp_path,
        {
            "core/jobs.py": "from cloche.core import events",
            "core/events.py": (
                "from typing import TYPE_CHECKING\n"
                "if TYPE_CHECKING:\n    from cloche.core import jobs\n"
            ),
        },
    )
    assert rules(source) == []
