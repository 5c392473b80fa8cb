"""A finished call as CloudTrail's JSON event.

Event format 1.11. What Cloche does not know is left out: TLS version and cipher, VPC endpoints,
and event context.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from cloche.core.audit import IndexedEvent, is_data_event
from cloche.core.audit_names import event_name, event_source, timestamp, user_identity, user_name
from cloche.core.audit_parameters import RenderParameters, ServiceParameters
from cloche.core.audit_resources import named_resources

if TYPE_CHECKING:
    from botocore.model import OperationModel

    from cloche.core.errors import AWSError
    from cloche.core.operations import Call
    from cloche.core.principals import Principal

EVENT_VERSION = "1.11"
PARAMETERS_LIMIT_BYTES = 100_000
TEXT_LIMIT = 1024
_KEPT_IDENTITIES = 10_000

ModelOf = Callable[[str, str], "OperationModel"]
"""The model of a service's operation."""


class FinishedCall(NamedTuple):
    """What the dispatcher knows of a call when it is over; see `AuditLog.record`."""

    call: Call
    read_only: bool
    request: Mapping[str, Any]
    response: Mapping[str, Any] | None
    error: AWSError | None
    started_at: float


class CloudTrailEvent(msgspec.Struct, omit_defaults=True, rename="camel"):
    """Members of an event, in AWS's order, by AWS's names."""

    event_version: str
    user_identity: msgspec.Raw
    event_time: str
    event_source: str
    event_name: str
    aws_region: str
    source_ip_address: str = msgspec.field(name="sourceIPAddress")
    user_agent: str
    request_parameters: Any
    response_elements: Any
    request_id: str = msgspec.field(name="requestID")
    event_id: str = msgspec.field(name="eventID")
    read_only: bool
    event_type: str
    management_event: bool
    recipient_account_id: str
    event_category: str
    error_code: str | None = None
    error_message: str | None = None
    additional_event_data: Any = None
    resources: list[dict[str, str]] = []
    tls_details: dict[str, str] | None = None


class _Kind(NamedTuple):
    """What the events of one operation have in common."""

    event_source: str
    event_name: str
    is_data: bool
    is_s3: bool
    render_input: RenderParameters
    render_output: RenderParameters


class EventBuilder:
    """Makes events of calls; remembers what is the same for many. For one thread at a time."""

    def __init__(self, model_of: ModelOf, default_account_id: str) -> None:
        self._model_of = model_of
        self._default_account_id = default_account_id
        self._encode = msgspec.json.Encoder().encode
        self._identities: dict[tuple[str, str, float | None], tuple[msgspec.Raw, str]] = {}
        self._parameters: dict[str, ServiceParameters] = {}
        self._kinds: dict[tuple[str, str], _Kind] = {}
        self._second = (-1, "")
        self._last_id = 0

    def build(self, finished: FinishedCall, now: float) -> IndexedEvent:
        """The event of a call. Events of data operations are told by having no terms.

        Args:
            finished: the call.
            now: Cloche time, from which `eventID` is made so that later ones sort later.
        """
        call = finished.call
        kind = self._kinds.get((call.service, call.operation)) or self._kind(call)
        event_id = self._next_id(now)
        event = self._event(finished, kind, event_id)
        encoded = self._encoded(event)
        scope = f"{event.recipient_account_id}/{event.aws_region}"
        terms = () if kind.is_data else self._terms(event, call.principal)
        return IndexedEvent(
            encoded,
            bytes.fromhex(event_id.replace("-", "")),
            scope,
            int(finished.started_at),
            terms,
        )

    def _event(self, finished: FinishedCall, kind: _Kind, event_id: str) -> CloudTrailEvent:
        call, read_only, request, response, error, started_at = finished
        source_ip, user_agent = _origin(call)
        event = CloudTrailEvent(
            event_version=EVENT_VERSION,
            user_identity=self._identity(call.principal)[0],
            event_time=self._time(int(started_at)),
            event_source=kind.event_source,
            event_name=kind.event_name,
            aws_region=call.region,
            source_ip_address=source_ip,
            user_agent=user_agent,
            request_parameters=kind.render_input(request),
            response_elements=None if read_only or not response else kind.render_output(response),
            request_id=call.request_id,
            event_id=event_id,
            read_only=read_only,
            event_type="AwsApiCall",
            management_event=not kind.is_data,
            recipient_account_id=call.account_id or self._default_account_id,
            event_category="Data" if kind.is_data else "Management",
        )
        if error is not None:
            event.error_code, event.error_message = error.code, error.message[:TEXT_LIMIT] or None
        http = call.http
        if http is not None:
            if kind.is_s3 and event.request_parameters is not None:
                event.request_parameters["Host"] = http.host
            if http.is_secure:
                event.tls_details = {"clientProvidedHostHeader": http.host}
        if call.audit:
            _add_what_the_operation_said(event, call.audit)
        if not event.resources:
            event.resources = _resources(event)
        return event

    def _kind(self, call: Call) -> _Kind:
        service, operation = call.service, call.operation
        model = self._model_of(service, operation)
        parameters = self._parameters.get(service)
        if parameters is None:
            parameters = self._parameters[service] = ServiceParameters(service)
        kind = _Kind(
            event_source=event_source(service),
            event_name=event_name(service, operation),
            is_data=is_data_event(service, operation),
            is_s3=service == "s3",
            render_input=parameters.renderer(model.input_shape),
            render_output=parameters.renderer(model.output_shape),
        )
        self._kinds[service, operation] = kind
        return kind

    def _encoded(self, event: CloudTrailEvent) -> bytes:
        """JSON within CloudTrail's bounds; what cannot be written is omitted and said to be."""
        try:
            encoded = self._encode(event)
        except (TypeError, ValueError, OverflowError):
            # A text that is no Unicode or a number that is no JSON: the event still counts.
            event.request_parameters = _omitted("requestParameters", "not representable")
            event.response_elements = None
            event.additional_event_data = None
            event.error_message = _printable(event.error_message or "") or None
            event.user_agent = _printable(event.user_agent)
            event.resources = []
            return self._encode(event)
        if len(encoded) <= PARAMETERS_LIMIT_BYTES:
            return encoded
        for member in ("requestParameters", "responseElements", "additionalEventData"):
            name = _SNAKE_CASE[member]
            size_bytes = len(self._encode(getattr(event, name)))
            if size_bytes > PARAMETERS_LIMIT_BYTES:
                setattr(event, name, _omitted(member, f"{member} too large", size_bytes))
        return self._encode(event)

    def _identity(self, principal: Principal) -> tuple[msgspec.Raw, str]:
        """`userIdentity` and the `Username` in it."""
        key = (
            principal.arn or principal.name,
            principal.access_key_id,
            principal.session_issued_at,
        )
        known = self._identities.get(key)
        if known is None:
            if len(self._identities) >= _KEPT_IDENTITIES:
                self._identities.clear()
            identity = user_identity(principal)
            known = (msgspec.Raw(self._encode(identity)), user_name(identity))
            self._identities[key] = known
        return known

    def _terms(self, event: CloudTrailEvent, principal: Principal) -> tuple[tuple[str, str], ...]:
        terms = [
            ("EventName", event.event_name),
            ("EventSource", event.event_source),
            ("ReadOnly", "true" if event.read_only else "false"),
        ]
        if name := self._identity(principal)[1]:
            terms.append(("Username", name))
        if principal.access_key_id:
            terms.append(("AccessKeyId", principal.access_key_id))
        named = named_resources(
            event.event_source, event.request_parameters, event.response_elements, event.resources
        )
        if named:
            terms.extend(_resource_terms(named))
        return tuple(terms)

    def _time(self, second: int) -> str:
        if second != self._second[0]:
            self._second = (second, timestamp(second))
        return self._second[1]

    def _next_id(self, now: float) -> str:
        """A version 7 UUID, above all earlier ones of this process."""
        prefix = self._last_id = max(int(now * 1000) << 12, self._last_id + 1)
        text = f"{prefix:015x}{_random.getrandbits(62) | 2 << 62:016x}"
        return f"{text[:8]}-{text[8:12]}-7{text[12:15]}-{text[15:19]}-{text[19:]}"


_random = random.Random(os.urandom(32))  # noqa: S311

_SNAKE_CASE = {
    "requestParameters": "request_parameters",
    "responseElements": "response_elements",
    "additionalEventData": "additional_event_data",
}


def _origin(call: Call) -> tuple[str, str]:
    """Source address and user agent; of a call between services, who made it."""
    if call.http is None:
        name = call.principal.name if call.principal.kind == "AWSService" else "AWS Internal"
        return name, name
    return call.http.source_ip, call.http.headers.get("user-agent", "")[:TEXT_LIMIT]


def _add_what_the_operation_said(event: CloudTrailEvent, audit: Mapping[str, Any]) -> None:
    event.request_parameters = audit.get("requestParameters", event.request_parameters)
    event.response_elements = audit.get("responseElements", event.response_elements)
    event.additional_event_data = audit.get("additionalEventData")
    event.recipient_account_id = audit.get("recipientAccountId", event.recipient_account_id)
    event.resources = audit.get("resources", [])


def _resources(event: CloudTrailEvent) -> list[dict[str, str]]:
    """What `resources` holds unless the operation says: S3's objects and buckets, assumed roles."""
    parameters: dict[str, Any] | None = event.request_parameters
    if not parameters:
        return []
    if event.event_source == "s3.amazonaws.com":
        return _s3_resources(event, parameters)
    if event.event_source == "sts.amazonaws.com":
        role_arn = parameters.get("roleArn")
        if isinstance(role_arn, str) and role_arn.count(":") > 4:
            account = role_arn.split(":")[4]
            return [{"accountId": account, "type": "AWS::IAM::Role", "ARN": role_arn}]
    return []


def _s3_resources(event: CloudTrailEvent, parameters: Mapping[str, Any]) -> list[dict[str, str]]:
    bucket = parameters.get("bucketName")
    if not isinstance(bucket, str):
        return []
    arn = f"arn:aws:s3:::{bucket}"
    resources = [
        {"accountId": event.recipient_account_id, "type": "AWS::S3::Bucket", "ARN": arn},
    ]
    if not event.management_event:
        key = parameters.get("key")
        if isinstance(key, str):
            resources.insert(0, {"type": "AWS::S3::Object", "ARN": f"{arn}/{key}"})
        else:
            resources.insert(0, {"type": "AWS::S3::Object", "ARNPrefix": f"{arn}/"})
    return resources


def _resource_terms(named: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    terms: dict[tuple[str, str], None] = {}
    for kind, name in named:
        terms["ResourceType", kind] = None
        terms["ResourceName", name] = None
    return terms


def _omitted(member: str, reason: str, size_bytes: int | None = None) -> dict[str, Any]:
    omitted: dict[str, Any] = {"omitted": True, "reason": reason}
    if size_bytes is not None:
        omitted["originalSize"] = size_bytes
    return omitted


def _printable(text: str) -> str:
    return text.encode(errors="replace").decode()
