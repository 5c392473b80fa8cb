"""Check who imports whom in `src/cloche`, and that there are no circles.

Run by `make lint` and by `tests/scripts/test_check_imports.py`. Each broken rule is a line with
file, line and the rule's name; the exit code is 1 if there is any. Imports under
`if TYPE_CHECKING:` are held to the layers too, but may close a circle.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT_PACKAGE = "cloche"

# Who may import whom: `cli → gateway → services → core, engines`, and nothing else.
# `demo` is a client's program that the command starts; `images` are programs that run elsewhere.
LAYERS: dict[str, frozenset[str]] = {
    "core": frozenset({"core"}),
    "engines": frozenset({"engines"}),
    "services": frozenset({"services", "core", "engines"}),
    "console": frozenset({"console", "services", "core", "engines"}),
    "gateway": frozenset({"gateway", "console", "services", "core", "engines"}),
    "demo": frozenset({"demo", "core"}),
    "cli": frozenset({"cli", "gateway", "demo", "core"}),
    "images": frozenset({"images"}),
    "__main__": frozenset({"cli"}),
}

# What only an engine may know: a service that imports it can't change its engine.
ENGINE_LIBRARIES = frozenset(
    {
        "aiokafka",
        "confluent_kafka",
        "duckdb",
        "kafka",
        "lmdb",
        "psycopg",
        "pyarrow.flight",
        "pyspark",
        "ray",
    }
)


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module: who, what, where, and whether it happens at run time."""

    importer: str
    imported: str
    file: Path
    line: int
    at_run_time: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """A broken rule."""

    rule: str
    file: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.message}"


def module_name(file: Path, source: Path) -> str:
    """`src/cloche/core/clock.py` → `cloche.core.clock`."""
    parts = file.relative_to(source).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer(module: str) -> str:
    """The house's part that a module is in; empty for the package itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def _is_type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"


def _import_nodes(
    node: ast.AST, at_run_time: bool = True
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, at_run_time
        elif isinstance(child, ast.If) and _is_type_checking(child.test):
            for statement in child.body:
                yield from _import_nodes(ast.Module([statement], []), False)
            for statement in child.orelse:
                yield from _import_nodes(ast.Module([statement], []), at_run_time)
        else:
            yield from _import_nodes(child, at_run_time)


def _targets(
    node: ast.Import | ast.ImportFrom, importer: str, is_package: bool, modules: set[str]
) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        parents = importer.split(".")
        keep = len(parents) - node.level + (1 if is_package else 0)
        base = ".".join([*parents[:keep], *([base] if base else [])])
    for alias in node.names:
        full = f"{base}.{alias.name}"
        yield full if full in modules else base


def read_imports(source: Path) -> list[Import]:
    """All imports of the package under `source`, those of other packages included."""
    files = sorted((source / ROOT_PACKAGE).rglob("*.py"))
    modules = {module_name(file, source) for file in files}
    found: list[Import] = []
    for file in files:
        importer = module_name(file, source)
        tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
        for node, at_run_time in _import_nodes(tree):
            found.extend(
                Import(importer, target, file, node.lineno, at_run_time)
                for target in _targets(node, importer, file.name == "__init__.py", modules)
            )
    return found


def _is_ours(module: str) -> bool:
    return module == ROOT_PACKAGE or module.startswith(ROOT_PACKAGE + ".")


def layer_problems(imports: list[Import]) -> list[Problem]:
    """Imports that the layers forbid."""
    problems: list[Problem] = []
    for one in imports:
        here = layer(one.importer)
        if not here:
            continue
        if here not in LAYERS:
            message = f"{ROOT_PACKAGE}.{here} has no rule: add it to LAYERS"
            problems.append(Problem("unknown-layer", one.file, one.line, message))
        elif _is_ours(one.imported):
            there = layer(one.imported)
            if there and there not in LAYERS[here]:
                allowed = ", ".join(sorted(LAYERS[here]))
                message = f"{here} may import {allowed}; not {one.imported}"
                problems.append(Problem("layers", one.file, one.line, message))
        elif here == "services" and _is_engine_library(one.imported):
            message = f"a service reaches {one.imported} through an engine's interface"
            problems.append(Problem("engine-library", one.file, one.line, message))
    return problems


def _is_engine_library(module: str) -> bool:
    return any(module == name or module.startswith(name + ".") for name in ENGINE_LIBRARIES)


def circle_problems(imports: list[Import]) -> list[Problem]:
    """One problem for each circle of imports at run time, wherever they stand in the file."""
    graph: dict[str, dict[str, Import]] = {}
    for one in imports:
        if one.at_run_time and _is_ours(one.imported) and one.importer != one.imported:
            graph.setdefault(one.importer, {}).setdefault(one.imported, one)
    problems: list[Problem] = []
    for component in _strongly_connected(graph):
        circle = _shortest_circle(graph, min(component))
        first = graph[circle[0]][circle[1]]
        problems.append(Problem("circle", first.file, first.line, " → ".join(circle)))
    return problems


def _reachable(graph: dict[str, dict[str, Import]], start: str) -> set[str]:
    seen: set[str] = set()
    stack = list(graph.get(start, {}))
    while stack:
        module = stack.pop()
        if module not in seen:
            seen.add(module)
            stack.extend(graph.get(module, {}))
    return seen


def _strongly_connected(graph: dict[str, dict[str, Import]]) -> list[set[str]]:
    reach = {module: _reachable(graph, module) for module in graph}
    components: list[set[str]] = []
    placed: set[str] = set()
    for module in sorted(graph):
        if module in reach[module] and module not in placed:
            component = {other for other in reach[module] if module in reach.get(other, set())}
            placed |= component
            components.append(component)
    return components


def _shortest_circle(graph: dict[str, dict[str, Import]], start: str) -> list[str]:
    paths = [[start]]
    seen: set[str] = set()
    while paths:
        path = paths.pop(0)
        for following in sorted(graph.get(path[-1], {})):
            if following == start:
                return [*path, start]
            if following not in seen:
                seen.add(following)
                paths.append([*path, following])
    raise ValueError(f"{start} is in no circle")


def check(source: Path) -> list[Problem]:
    """All broken rules of the package under `source`."""
    imports = read_imports(source)
    return layer_problems(imports) + circle_problems(imports)


def main() -> int:
    """Print each broken rule; 1 if there is any."""
    source = Path(__file__).resolve().parent.parent / "src"
    problems = check(source)
    for problem in problems:
        print(problem)
    if not problems:
        print("imports: every rule is kept")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
