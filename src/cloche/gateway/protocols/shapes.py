"""A typed view of botocore's service models, which are the contract.

The rest of the package sees only these classes: names, kinds and traits, with the traits of a
reference (its wire name, its place in the HTTP message) already merged into the shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, cast

ProtocolName = Literal["json", "query", "ec2", "rest-json", "rest-xml", "smithy-rpc-v2-cbor"]
TimestampFormat = Literal["date-time", "http-date", "epoch-seconds"]

MAXIMUM_DEPTH = 128
"""Levels of nesting that a request may have; deeper input is refused, not recursed into."""

_TIMESTAMP_FORMATS: dict[str, TimestampFormat] = {
    "iso8601": "date-time",
    "date-time": "date-time",
    "rfc822": "http-date",
    "http-date": "http-date",
    "unixtimestamp": "epoch-seconds",
    "epoch-seconds": "epoch-seconds",
}


class Shape:
    """A shape as it is referred to from one place of the model.

    Attributes:
        name: of the shape.
        kind: `structure`, `list`, `map`, `string`, `integer`, `long`, `float`, `double`,
            `boolean`, `timestamp`, `blob`, …
        traits: all of the model's traits; `name` is the wire name (`locationName`).
    """

    def __init__(self, model: Any, reference: Mapping[str, Any] | None = None) -> None:
        self._model = model
        self._reference = reference or {}
        self.name: str = model.name
        self.kind: str = model.type_name
        self.traits: dict[str, Any] = {**model.serialization, **model.metadata}

    @cached_property
    def members(self) -> dict[str, Shape]:
        """A structure's members by their names in the model."""
        members = cast("Mapping[str, Any]", self._model.members)
        references = cast("Mapping[str, Any]", self._model._shape_model.get("members", {}))
        return {name: Shape(member, references[name]) for name, member in members.items()}

    @cached_property
    def element(self) -> Shape:
        """What a list holds."""
        return Shape(self._model.member)

    @cached_property
    def key(self) -> Shape:
        """What a map's keys are."""
        return Shape(self._model.key)

    @cached_property
    def value(self) -> Shape:
        """What a map's values are."""
        return Shape(self._model.value)

    @property
    def wire_name(self) -> str | None:
        """Name on the wire where it differs from the member's."""
        return self.traits.get("name")

    @property
    def location(self) -> str | None:
        """`uri`, `querystring`, `header`, `headers`, `statusCode`, or None for the body."""
        return self.traits.get("location")

    @property
    def payload(self) -> str | None:
        """The member that is the whole body."""
        return self.traits.get("payload")

    @property
    def is_flattened(self) -> bool:
        """Whether a list's or map's entries stand without an element around them."""
        return bool(self.traits.get("flattened"))

    def entry_name(self, member_name: str) -> str:
        """Name of a flattened list's entries, for the member that holds it.

        Newer models flatten where a list is used and name its entries there; older ones flatten
        the list itself and name what it holds.
        """
        own_name = self.wire_name or member_name
        if self._reference.get("flattened"):
            return own_name
        return self.element.wire_name or own_name

    @property
    def is_streaming(self) -> bool:
        """Whether a blob is not held in memory."""
        return bool(self.traits.get("streaming"))

    @property
    def is_event_stream(self) -> bool:
        """Whether this is a union of the events of a stream."""
        return bool(self.traits.get("eventstream"))

    @property
    def is_document(self) -> bool:
        """Whether any JSON value may stand here."""
        return bool(self.traits.get("document"))

    @property
    def is_union(self) -> bool:
        """Whether exactly one member must be set."""
        return bool(self.traits.get("union"))

    @property
    def is_exception(self) -> bool:
        """Whether this is an error."""
        return bool(self.traits.get("exception"))

    @property
    def is_fault(self) -> bool:
        """Whether an error is the service's fault, and not the client's."""
        return bool(self._model._shape_model.get("fault"))

    @property
    def is_sparse(self) -> bool:
        """Whether null may stand for an entry of a list or map; botocore's models rarely say."""
        model = cast("Mapping[str, Any]", self._model._shape_model)
        return bool(model.get("sparse"))

    def timestamp_format(self, default: TimestampFormat) -> TimestampFormat:
        """How a timestamp is written here."""
        return _TIMESTAMP_FORMATS.get(self.traits.get("timestampFormat", "").lower(), default)

    def event_stream_member(self) -> str | None:
        """The structure's member that is an event stream."""
        for name, member in self.members.items():
            if member.is_event_stream:
                return name
        return None

    def nests_without_bound(self) -> bool:
        """Whether values of this shape may be nested arbitrarily deep."""
        return _nests(self, set(), set())


def _nests(shape: Shape, within: set[str], known: set[str]) -> bool:
    """Search the shapes once each; `within` are those around, `known` those that do not nest."""
    if shape.kind == "list":
        return _nests(shape.element, within, known)
    if shape.kind == "map":
        return _nests(shape.value, within, known)
    if shape.kind != "structure" or shape.name in known:
        return False
    if shape.is_document or shape.name in within:
        return True
    within.add(shape.name)
    nests = any(_nests(member, within, known) for member in shape.members.values())
    within.discard(shape.name)
    known.add(shape.name)
    return nests


@dataclass(frozen=True)
class ServiceTraits:
    """What the protocols need to know of a service.

    Attributes:
        name: as boto3 has it.
        xml_namespace: of the answers' root elements, or empty.
        json_version: `1.0` or `1.1`.
        is_query_compatible: spoke query before it spoke JSON or CBOR, and its error codes with it.
        is_s3: has S3's own forms of errors and answers.
    """

    name: str
    xml_namespace: str
    json_version: str
    is_query_compatible: bool
    is_s3: bool


@dataclass(frozen=True)
class OperationTraits:
    """What the protocols need to know of an operation.

    Attributes:
        name: as the wire has it.
        method: HTTP method.
        path: path template, without the literal query that may follow it in the model.
        status: HTTP status of success.
        input: input structure, or None.
        output: output structure, or None.
        service: the service that it belongs to.
    """

    name: str
    method: str
    path: str
    status: int
    input: Shape | None
    output: Shape | None
    service: ServiceTraits


def service_traits(service_model: Any) -> ServiceTraits:
    """Read a `botocore.model.ServiceModel`."""
    metadata = cast("Mapping[str, Any]", service_model.metadata)
    namespace = metadata.get("xmlNamespace", "")
    is_s3 = metadata.get("serviceId") == "S3"
    if isinstance(namespace, Mapping):
        namespace = cast("Mapping[str, str]", namespace).get("uri", "")
    return ServiceTraits(
        name=service_name(service_model),
        xml_namespace=namespace or ("http://s3.amazonaws.com/doc/2006-03-01/" if is_s3 else ""),
        json_version=str(metadata.get("jsonVersion", "1.0")),
        is_query_compatible="awsQueryCompatible" in metadata,
        is_s3=is_s3,
    )


def service_name(service_model: Any) -> str:
    """Name as boto3 has it, or the endpoint prefix of a model that was loaded without one."""
    metadata = cast("Mapping[str, Any]", service_model.metadata)
    return str(service_model._service_name or metadata.get("endpointPrefix", ""))


def operation_traits(operation_model: Any) -> OperationTraits:
    """Read a `botocore.model.OperationModel`."""
    http = cast("Mapping[str, Any]", operation_model.http)
    uri = str(http.get("requestUri", "/"))
    input_model, output_model = operation_model.input_shape, operation_model.output_shape
    return OperationTraits(
        name=operation_model.name,
        method=str(http.get("method", "POST")),
        path=uri.partition("?")[0],
        status=int(http.get("responseCode", 200)),
        input=None if input_model is None else Shape(input_model),
        output=None if output_model is None else Shape(output_model),
        service=service_traits(operation_model.service_model),
    )
