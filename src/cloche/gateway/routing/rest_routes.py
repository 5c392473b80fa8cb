"""The route table of a REST service, compiled from its model.

Paths are matched still percent-encoded, segment by segment. Where several operations share a
method and a path, the one wins whose query keys, required query parameters and required headers
are there, the most demanding first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from botocore.model import OperationModel, ServiceModel, StructureShape


@dataclass(frozen=True, slots=True)
class Route:
    """One operation and what a request must have to mean it.

    Attributes:
        operation: name as the wire has it.
        query: literal keys of the model's URI; a value other than None must be equal.
        parameters: query parameters that the model requires.
        headers: headers that the model requires, lower-case.
    """

    operation: str
    query: tuple[tuple[str, str | None], ...] = ()
    parameters: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()

    is_deprecated: bool = False

    @property
    def rank(self) -> tuple[int, int, int, bool]:
        """Sorts the most demanding first, and a deprecated twin last."""
        asked = len(self.query) + len(self.parameters)
        return (-asked, -len(self.query), -len(self.headers), self.is_deprecated)

    def fits_query(self, query: Mapping[str, str]) -> bool:
        """Whether the request has the query keys and parameters that it asks for."""
        for key, value in self.query:
            if key not in query or (value is not None and query[key] != value):
                return False
        return all(name in query for name in self.parameters)

    def fits_headers(self, headers: Mapping[str, str]) -> bool:
        """Whether the request has the headers that it asks for."""
        return not self.headers or all(name in headers for name in self.headers)


@dataclass(slots=True)
class _Routes:
    """The routes of one method and path, the most demanding first.

    Attributes:
        plain: those of them that ask for nothing in the query.
    """

    all: list[Route] = field(default_factory=list[Route])
    plain: list[Route] = field(default_factory=list[Route])

    def sort(self) -> None:
        self.all.sort(key=lambda route: route.rank)
        self.plain = [route for route in self.all if not route.query and not route.parameters]

    def choose(self, query: Mapping[str, str], headers: Mapping[str, str]) -> str | None:
        """The operation meant; one that lacks something required is left to say so itself."""
        lacking: Route | None = None
        for route in self.all if query else self.plain:
            if query and not route.fits_query(query):
                continue
            if lacking is not None and len(route.query) < len(lacking.query):
                return lacking.operation
            if route.fits_headers(headers):
                return route.operation
            lacking = lacking or route
        if lacking is None:
            # Without a required parameter (an upload id, say) it can still only mean this one.
            lacking = next((route for route in reversed(self.all) if not route.query), None)
        return lacking.operation if lacking is not None else None


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict["str", "_Node"])
    label: _Node | None = None
    is_greedy: bool = False
    methods: dict[str, _Routes] = field(default_factory=dict[str, _Routes])

    @property
    def is_leaf(self) -> bool:
        return self.label is None and not self.literals


class RestRoutes:
    """Finds an operation of one service by method, path, query and headers."""

    def __init__(self, model: ServiceModel) -> None:
        self._root = _Node()
        for name in model.operation_names:
            self._add(model.operation_model(name))
        self._sort(self._root)

    def _add(self, operation: OperationModel) -> None:
        method: str = operation.http["method"]
        request_uri: str = operation.http["requestUri"]
        path, _, query_text = request_uri.partition("?")
        query = _literal_query(query_text)
        node = self._root
        for segment in path.strip("/").split("/") if path.strip("/") else []:
            if segment.startswith("{"):
                if node.label is None:
                    node.label = _Node()
                node.label.is_greedy = node.label.is_greedy or segment.endswith("+}")
                node = node.label
            else:
                node = node.literals.setdefault(segment, _Node())
        parameters, headers = _required(operation)
        route = Route(operation.name, query, parameters, headers, bool(operation.deprecated))
        node.methods.setdefault(method, _Routes()).all.append(route)

    def _sort(self, node: _Node) -> None:
        for routes in node.methods.values():
            routes.sort()
        for child in [*node.literals.values(), *([node.label] if node.label else [])]:
            self._sort(child)

    def find(
        self, method: str, raw_path: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> str | None:
        """The operation that a request means, or None."""
        path = raw_path[1:] if raw_path.startswith("/") else raw_path
        segments = path.split("/")
        if segments[-1] == "" and len(segments) <= 2:
            segments.pop()
        found = self._find(self._root, segments, 0, method, query, headers)
        if found is None and segments and segments[-1] == "":
            segments.pop()
            found = self._find(self._root, segments, 0, method, query, headers)
        return found

    def _find(
        self,
        node: _Node,
        segments: list[str],
        index: int,
        method: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> str | None:
        # S3's tree has no literals, so that there is one way to go.
        while index < len(segments) and not node.literals and segments[index]:
            child = node.label
            if child is None:
                return None
            if child.is_greedy and not child.is_leaf:
                break
            node = child
            index = len(segments) if child.is_greedy else index + 1
        if index == len(segments):
            routes = node.methods.get(method)
            return routes.choose(query, headers) if routes is not None else None
        child = node.literals.get(segments[index])
        if child is not None:
            found = self._find(child, segments, index + 1, method, query, headers)
            if found is not None:
                return found
        child = node.label
        if child is None:
            return None
        found = None
        if segments[index] or child.is_greedy:
            found = self._find(child, segments, index + 1, method, query, headers)
        if found is None and child.is_greedy:
            # The label takes all that is left, or all but a literal tail.
            for stop in range(len(segments), index, -1):
                found = self._find(child, segments, stop, method, query, headers)
                if found is not None:
                    break
        return found


def _literal_query(text: str) -> tuple[tuple[str, str | None], ...]:
    pairs = [part.partition("=") for part in text.split("&") if part]
    return tuple((key, value if separator else None) for key, separator, value in pairs)


def _required(operation: OperationModel) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Query parameters and headers that the operation's input requires."""
    shape = operation.input_shape
    if not isinstance(shape, StructureShape):
        return (), ()
    parameters: list[str] = []
    headers: list[str] = []
    for name in shape.required_members:
        serialization = shape.members[name].serialization
        wire_name = serialization.get("name", name)
        if serialization.get("location") == "querystring":
            parameters.append(wire_name)
        elif serialization.get("location") == "header":
            headers.append(wire_name.lower())
    return tuple(parameters), tuple(headers)
