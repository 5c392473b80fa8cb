"""DuckDB's plans, with names of objects in the place of files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cloche.engines.sql.engine import DataFile

_GRAPH_LINES = 12


def plan_nodes(text: str, files: Iterable[DataFile]) -> list[dict[str, Any]]:
    """What DuckDB's EXPLAIN gives as JSON, as a tree of operators.

    Each has `name`, `details` by their names, `children`, and once it has run `outputRows` and
    `seconds`, its own without those of its children.
    """
    urls = {file.location: file.object_url for file in files}
    given: Any = json.loads(text)
    roots = given if isinstance(given, list) else given["children"]
    found = [_node(root, urls) for root in roots]
    # What only says that a plan is asked for is no part of it.
    while len(found) == 1 and found[0]["name"] == "EXPLAIN_ANALYZE":
        found = found[0]["children"]
    return found


def _node(given: Mapping[str, Any], urls: Mapping[str, str]) -> dict[str, Any]:
    name = given.get("name") or given.get("operator_name") or given.get("operator_type") or ""
    node: dict[str, Any] = {
        "name": name.strip(),
        "details": {
            key: _shown(value, urls) for key, value in (given.get("extra_info") or {}).items()
        },
    }
    if "operator_cardinality" in given:
        node["outputRows"] = given["operator_cardinality"]
        node["seconds"] = round(given["operator_timing"], 6)
    node["children"] = [_node(child, urls) for child in given.get("children") or ()]
    return node


def _shown(value: Any, urls: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_shown(each, urls) for each in value]
    text = str(value)
    for location, url in urls.items():
        text = text.replace(location, url)
    return text


def as_text(nodes: Iterable[Mapping[str, Any]], depth: int = 0) -> Iterator[str]:
    """Lines, children below and to the right of what they are for."""
    for node in nodes:
        indent = "    " * depth
        cost = ""
        if "outputRows" in node:
            cost = f" [output rows: {node['outputRows']}, time: {node['seconds']:.6f}s]"
        yield f"{indent}- {node['name']}{cost}"
        for key, value in node["details"].items():
            shown = ", ".join(value) if isinstance(value, list) else str(value)
            yield from (f"{indent}      {line}" for line in f"{key}: {shown}".split("\n"))
        yield from as_text(node["children"], depth + 1)


def as_graph(nodes: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Lines of Graphviz's DOT."""
    yield "digraph logical_plan {"
    yield "node [shape=box];"
    count = 0

    def write(node: Mapping[str, Any], parent: str | None) -> Iterator[str]:
        nonlocal count
        count += 1
        name = f"plannode_{count}"
        details = [f"{key}: {value}" for key, value in node["details"].items()][:_GRAPH_LINES]
        label = "\n".join([node["name"], *details])
        yield f"{name}[label={json.dumps(label, ensure_ascii=False)}];"
        if parent is not None:
            yield f"{parent} -> {name};"
        for child in node["children"]:
            yield from write(child, name)

    for node in nodes:
        yield from write(node, None)
    yield "}"
