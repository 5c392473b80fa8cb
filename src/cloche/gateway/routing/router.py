"""Which service, protocol and operation a request means.

The order is that of docs/gateway.md: CBOR path, credential scope, target header, REST route
table, query action, host; what is left is S3. 41 signing names are shared by several services
and are told apart by what else the request shows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import unquote_plus

import msgspec

from cloche.gateway.http.messages import Request
from cloche.gateway.protocols.shapes import ProtocolName
from cloche.gateway.routing.rest_routes import RestRoutes
from cloche.gateway.service_models import ServiceEntry, service_model

_FORM: tuple[ProtocolName, ...] = ("query", "ec2")
_LONGEST_HOST = 320
"""A domain name has 253 characters at most; a longer `Host` names no bucket."""
_FORM_TYPE = "application/x-www-form-urlencoded"
_POST_OBJECT = "PostObject"
"""S3's upload from a browser's form, which AWS's model does not have."""


class Route(msgspec.Struct, frozen=True):
    """Where a request goes.

    Attributes:
        service: as boto3 has it.
        protocol: that the request speaks and the answer must.
        operation: as the wire has it; None where a form's `Action` will tell, or nothing does.
        path: the request's path as the service sees it (a virtual-hosted bucket is in front).
    """

    service: ServiceEntry
    protocol: ProtocolName
    operation: str | None
    path: str


@lru_cache(maxsize=64)
def rest_routes(service: str) -> RestRoutes:
    """The route table of a service, compiled on first use."""
    return RestRoutes(service_model(service))


class Router:
    """Finds the route of a request.

    Args:
        entries: all services there are.
        host_names: names of this server under which `<bucket>.<name>` is a bucket.
    """

    def __init__(self, entries: Iterable[ServiceEntry], host_names: Iterable[str] = ()) -> None:
        self._by_name: dict[str, ServiceEntry] = {}
        self._by_signing_name: defaultdict[str, list[ServiceEntry]] = defaultdict(list)
        self._by_target: defaultdict[str, list[ServiceEntry]] = defaultdict(list)
        self._by_host: defaultdict[str, list[ServiceEntry]] = defaultdict(list)
        for entry in entries:
            self._by_name[entry.name] = entry
            self._by_signing_name[entry.signing_name].append(entry)
            self._by_host[entry.endpoint_prefix.split(".")[0]].append(entry)
            if entry.target_prefix:
                self._by_target[entry.target_prefix].append(entry)
        self._s3 = self._by_name["s3"]
        names = {"localhost", "s3.localhost", *map(str.lower, host_names)}
        # The longest first: `bucket.s3.localhost` is no bucket called `bucket.s3`.
        self._suffixes = tuple(f".{name}" for name in sorted(names, key=len, reverse=True))
        self._s3_routes: RestRoutes | None = None
        self._bucket_of_host = lru_cache(maxsize=1024)(self._read_host)

    def entry(self, service: str) -> ServiceEntry:
        """What is known of a service.

        Raises:
            KeyError: AWS has none of that name.
        """
        return self._by_name[service]

    def route(self, request: Request, signing_name: str | None) -> Route:
        """Find a request's route.

        Args:
            request: its head; the body is not read.
            signing_name: the service of its credential scope, if it is signed.
        """
        headers = request.headers
        if headers.get("smithy-protocol") == "rpc-v2-cbor":
            cbor = self._cbor(request, signing_name)
            if cbor is not None:
                return cbor
        if signing_name == "s3" and "x-amz-account-id" not in headers:
            return self._s3_route(request)
        candidates = self._by_signing_name.get(signing_name, []) if signing_name else []
        return self._not_s3(request, candidates) or self._s3_route(request)

    def _not_s3(self, request: Request, candidates: list[ServiceEntry]) -> Route | None:
        target = request.headers.get("x-amz-target")
        if target:
            return self._json(request, target, candidates)
        if not candidates:
            candidates = self._by_host.get(request.host.split(".")[0].lower(), [])
        form = self._form(request, candidates)
        if form is not None:
            return form
        if candidates and all(entry is self._s3 for entry in candidates):
            return None
        return self._rest(request, candidates)

    def _cbor(self, request: Request, signing_name: str | None) -> Route | None:
        """`/service/Prefix/operation/Name`, where a version may stand in front."""
        parts = request.raw_path.split("/")
        if len(parts) < 5 or parts[-4] != "service" or parts[-2] != "operation":
            return None
        entries = self._by_target.get(parts[-3], [])
        entry = _preferred(entries, signing_name, "smithy-rpc-v2-cbor")
        if entry is None:
            return None
        return Route(entry, "smithy-rpc-v2-cbor", parts[-1], request.raw_path)

    def _json(self, request: Request, target: str, candidates: list[ServiceEntry]) -> Route | None:
        prefix, _, operation = target.rpartition(".")
        entries = self._by_target.get(prefix, [])
        chosen = [entry for entry in entries if entry in candidates] or entries
        if not chosen:
            chosen = [entry for entry in candidates if "json" in entry.protocols]
            operation = target
        for entry in chosen:
            if len(chosen) == 1 or operation in service_model(entry.name).operation_names:
                return Route(entry, "json", operation, request.raw_path)
        return Route(chosen[0], "json", operation, request.raw_path) if chosen else None

    def _form(self, request: Request, candidates: list[ServiceEntry]) -> Route | None:
        """A query request; which of several services it means, its API version tells later."""
        is_post = request.method == "POST" and request.raw_path == "/"
        content_type = request.headers.get("content-type", "")
        if not (is_post and content_type.startswith(_FORM_TYPE)) and (
            "Action=" not in request.query_string
        ):
            return None
        for entry in candidates:
            for protocol in _FORM:
                if protocol in entry.protocols:
                    return Route(entry, protocol, None, request.raw_path)
        return None

    def by_version(self, route: Route, version: str) -> Route:
        """The route again, to the service of the API version that a form names.

        Several services share a signing name and a protocol (`elasticloadbalancing`).
        """
        if route.service.api_version == version:
            return route
        for entry in self._by_signing_name[route.service.signing_name]:
            if entry.api_version == version and route.protocol in entry.protocols:
                return Route(entry, route.protocol, route.operation, route.path)
        return route

    def _rest(self, request: Request, candidates: list[ServiceEntry]) -> Route | None:
        query = parse_query(request.query_string)
        for entry in candidates:
            rest = _rest_protocol(entry)
            if rest is None or entry is self._s3:
                continue
            routes = rest_routes(entry.name)
            operation = routes.find(request.method, request.raw_path, query, request.headers)
            if operation is not None:
                return Route(entry, rest, operation, request.raw_path)
        if candidates and self._s3 not in candidates:
            return Route(candidates[0], candidates[0].protocols[0], None, request.raw_path)
        return None

    def _s3_route(self, request: Request) -> Route:
        path = request.raw_path
        bucket = self.bucket_of_host(request.host)
        if bucket:
            path = f"/{bucket}{path}"
        if self._s3_routes is None:
            self._s3_routes = rest_routes("s3")
        query = parse_query(request.query_string)
        operation = self._s3_routes.find(request.method, path, query, request.headers)
        if operation is None and _is_html_form(request, path):
            operation = _POST_OBJECT
        return Route(self._s3, "rest-xml", operation, path)

    def bucket_of_host(self, host: str) -> str:
        """The bucket that a virtual-hosted address names, or nothing."""
        return self._bucket_of_host(host) if len(host) <= _LONGEST_HOST else ""

    def _read_host(self, host: str) -> str:
        name = host.lower()
        colon = name.rfind(":")
        if colon >= 0 and name[colon + 1 :].isdigit():
            name = name[:colon]
        for suffix in self._suffixes:
            if name.endswith(suffix):
                bucket = name[: -len(suffix)]
                return "" if bucket == "s3" else bucket
        if name.endswith(".amazonaws.com"):
            bucket, separator, _ = name.rpartition(".s3")
            return bucket if separator else ""
        return ""


def _is_html_form(request: Request, path: str) -> bool:
    """Whether a request to S3 is a browser's form, sent to a bucket."""
    bucket = path.strip("/")
    return (
        request.method == "POST"
        and request.headers.get("content-type", "").startswith("multipart/form-data")
        and bool(bucket)
        and "/" not in bucket
    )


def _rest_protocol(entry: ServiceEntry) -> ProtocolName | None:
    if "rest-json" in entry.protocols:
        return "rest-json"
    return "rest-xml" if "rest-xml" in entry.protocols else None


def _preferred(
    entries: list[ServiceEntry], signing_name: str | None, protocol: ProtocolName
) -> ServiceEntry | None:
    speaking = [entry for entry in entries if protocol in entry.protocols]
    for entry in speaking:
        if entry.signing_name == signing_name:
            return entry
    return speaking[0] if speaking else None


def parse_query(query_string: str) -> Mapping[str, str]:
    """Query parameters by name; of one that came twice, the first."""
    parameters: dict[str, str] = {}
    for part in query_string.split("&"):
        if part:
            name, _, value = part.partition("=")
            if "%" in part or "+" in part:
                name, value = unquote_plus(name), unquote_plus(value)
            parameters.setdefault(name, value)
    return parameters
