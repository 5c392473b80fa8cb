"""The way of a request: route, signature, body, parameters, operation, answer.

Whatever happens to a request, one `Response` comes out of here: errors of AWS's kind in the form
of the request's protocol, and anything unexpected as an internal error, with its trace in the log
under the request's id.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import re
import secrets
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_plus

import msgspec
from msgspec.structs import replace

from cloche.core.audit import is_read_only
from cloche.core.dispatch import not_built
from cloche.core.errors import AWSError, InternalFailure, NotImplementedS3
from cloche.core.operations import Call
from cloche.core.principals import ANONYMOUS, Principal
from cloche.gateway import signing
from cloche.gateway.bindings import Binding, Bindings
from cloche.gateway.http.messages import (
    BodiesTooMany,
    BodyIncomplete,
    BodyTooLarge,
    Request,
    Response,
)
from cloche.gateway.protocols import serialize_error
from cloche.gateway.protocols.faults import RequestEntityTooLargeException
from cloche.gateway.request_log import RequestLine
from cloche.gateway.routing.router import Route
from cloche.gateway.s3_access import add_cors_headers, check_body, preflight, query_headers
from cloche.gateway.service_models import service_model
from cloche.services.iam import identity

if TYPE_CHECKING:
    from cloche.gateway.administration import Administration
    from cloche.gateway.runtime import Runtime

log = logging.getLogger("cloche.gateway")

MAXIMUM_BODY_BYTES = 72 * 1024 * 1024
"""Of a body that is read whole; Lambda takes 50 MB archives, which base64 makes 67 MB."""
_DOCUMENT_BYTES = 4 * 1024 * 1024
"""Of a form or of one of S3's XML documents; CompleteMultipartUpload with 10,000 parts fits."""
_UNSIGNED_BYTES = 256 * 1024
_LARGE_BODY_BYTES = 256 * 1024
"""From here on parsing would hold up the event loop."""
_KEY_USE_SECONDS = 60.0
_ACTION = re.compile(rb"(?:^|&)Action=([^&]+)")
_VERSION = re.compile(rb"(?:^|&)Version=([^&]+)")
_drawn = secrets.token_hex(9)
_PROCESS_ID = f"{_drawn[:8]}-{_drawn[8:12]}-4{_drawn[12:15]}-a{_drawn[15:18]}"
_numbers = itertools.count(secrets.randbits(44))


class InternalError(InternalFailure):
    """S3's name for an internal failure."""

    default_message = "We encountered an internal error. Please try again."


class ServiceUnavailable(AWSError):
    """There is no memory for the body of a request now; SDKs try again."""

    status = 503


class IncompleteBody(AWSError):
    """The body ended before its announced length."""

    default_message = (
        "You did not provide the number of bytes specified by the Content-Length HTTP header"
    )


class _Exchange(msgspec.Struct):
    """A request and what has been found out about it so far."""

    request: Request
    request_id: str
    started: float
    route: Route | None = None
    operation: str = ""
    call: Call | None = None
    was_executed: bool = False


class _Caller(NamedTuple):
    """Whose request it is, and the request as far as it was read."""

    principal: Principal
    region: str
    verified: signing.Verified | None
    request: Request
    body: bytes | None


class Application:
    """Answers requests."""

    def __init__(self, runtime: Runtime, administration: Administration) -> None:
        self._runtime = runtime
        self._administration = administration
        self._bindings = Bindings(runtime.dispatcher)
        self._clock = runtime.clock
        self._key_uses: dict[tuple[str, str], float] = {}
        self._version_2 = signing.Version2Verifier()

    async def __call__(self, request: Request) -> Response:
        """Answer a request."""
        exchange = _Exchange(request, new_request_id(), time.perf_counter())
        error: AWSError | None = None
        try:
            if self._administration.is_asked(request):
                return await self._administer(exchange)
            response = await self._handle(exchange)
        except AWSError as raised:
            error = raised
            response = self._refuse(exchange, error)
        except BodyIncomplete:
            error = IncompleteBody()
            response = self._refuse(exchange, error)
        except Exception:
            log.exception(
                "%s failed", exchange.operation, extra={"request_id": exchange.request_id}
            )
            is_s3 = exchange.route is None or exchange.route.service.name == "s3"
            error = InternalError() if is_s3 else InternalFailure()
            response = self._refuse(exchange, error)
        self._finish(exchange, response, error)
        return response

    async def _administer(self, exchange: _Exchange) -> Response:
        request = exchange.request
        response = await self._administration(request)
        if self._administration.is_private(request):
            response.headers.append(("x-amzn-requestid", exchange.request_id))
            seconds = time.perf_counter() - exchange.started
            self._runtime.request_log.write(
                RequestLine(
                    time.time(),
                    exchange.request_id,
                    "cloche",
                    "",
                    request.method,
                    request.raw_path,
                    response.status,
                    "",
                    seconds,
                    request.source_ip,
                    "",
                )
            )
        return response

    async def _handle(self, exchange: _Exchange) -> Response:
        request = exchange.request
        try:
            parsed = signing.parse(request)
        except AWSError:
            exchange.route = self._runtime.router.route(request, None)
            raise
        if parsed is not None:  # headers may have stood in the query string
            request = exchange.request = parsed.request
        signing_name = parsed.service if parsed is not None else None
        route = exchange.route = self._runtime.router.route(request, signing_name)
        if route.service.name == "s3" and request.method == "OPTIONS":
            return preflight(self._runtime, route.path, request)
        body: bytes | None = None
        if route.operation is None and route.protocol in ("query", "ec2"):
            limit_bytes = _body_limit(route, is_signed=parsed is not None)
            body = await _read(request.body, limit_bytes)
            route = exchange.route = self._route_form(route, request, body)
        exchange.operation = route.operation or ""
        binding = self._bindings.find(route.service.name, route.protocol, route.operation)
        return await self._perform(exchange, route, binding, parsed, body)

    def _route_form(self, route: Route, request: Request, body: bytes) -> Route:
        """The route of a form, whose fields name version and operation."""
        form = body or request.query_string.encode("latin-1")
        version = _form_field(_VERSION, form) or ""
        if route.service.api_version != version:
            route = self._runtime.router.by_version(route, version)
        return Route(route.service, route.protocol, _form_field(_ACTION, form), route.path)

    async def _perform(
        self,
        exchange: _Exchange,
        route: Route,
        binding: Binding,
        parsed: signing.Parsed | None,
        body: bytes | None,
    ) -> Response:
        service = route.service.name
        caller = await self._authenticate(exchange.request, route, binding, parsed, body)
        request, body = caller.request, caller.body
        call = exchange.call = Call(
            self._runtime,
            service,
            binding.model.name,
            caller.principal,
            caller.region,
            exchange.request_id,
            request,
        )
        if binding.operation is None:
            raise _not_built(service, binding.model.name)
        parameters = await self._parse(route, binding, caller, body)
        exchange.was_executed = True
        output = await self._runtime.dispatcher.execute(call, binding.operation, parameters)
        response = binding.serialize(output or {}, exchange.request_id)
        answer = call.answer
        if answer.status is not None:
            response.status = answer.status
        if answer.headers:
            response.headers.extend(answer.headers.items())
        return response

    async def _authenticate(
        self,
        request: Request,
        route: Route,
        binding: Binding,
        parsed: signing.Parsed | None,
        body: bytes | None,
    ) -> _Caller:
        """Who calls. A body that its signature covers is read, one that S3 streams is not."""
        service, family = route.service.name, _family(route)
        if parsed is None:
            if service != "s3" and not (binding.operation and binding.operation.is_public):
                raise signing.missing_authentication(family)
            return _Caller(ANONYMOUS, self._runtime.settings.region, None, request, body)
        signing.check_service(parsed, service, route.service.signing_name, family)
        credential = identity.find_credential(self._runtime.documents, parsed.access_key_id)
        digest = None
        is_left = service == "s3" and (
            binding.parse.streaming_member is not None or _is_chunked(parsed)
        )
        if credential is not None and not is_left:
            if body is None:
                body = await _read(request.body, _body_limit(route, is_signed=True))
            digest = hashlib.sha256(body).hexdigest()
        if parsed.is_version_2 and service == "s3":
            verified = self._version_2.check(
                parsed, credential, self._clock, route.path, body_sha256=digest
            )
        else:
            verified = signing.check(
                parsed,
                credential,
                self._clock,
                body_sha256=digest,
                family=family,
                takes_unsigned_body=binding.takes_unsigned_body,
            )
        if credential is None:  # the check has raised for it
            raise signing.missing_authentication(family)
        region = verified.region or self._runtime.settings.region
        self._note_use(credential.principal, service, region)
        if verified.is_presigned and service == "s3":
            request = replace(request, headers=query_headers(request))
        return _Caller(credential.principal, region, verified, request, body)

    async def _parse(
        self, route: Route, binding: Binding, caller: _Caller, body: bytes | None
    ) -> dict[str, Any]:
        """The operation's parameters."""
        request = caller.request
        is_s3 = route.service.name == "s3"
        is_streaming = binding.parse.streaming_member is not None
        source: Any = body
        if source is None:
            source = signing.decoded_body(request, caller.verified) if is_s3 else request.body
            if not is_streaming:
                is_signed = caller.verified is not None
                source = await _read(source, _body_limit(route, is_signed=is_signed))
        if is_s3 and not is_streaming and request.method not in ("GET", "HEAD"):
            check_body(binding.model.name, request.headers, source)
        if route.path is not request.raw_path:
            request = replace(request, raw_path=route.path)
        if not is_streaming and len(source) > _LARGE_BODY_BYTES:
            return await self._runtime.dispatcher.in_thread(
                _read_parameters, binding, request, source
            )
        return _read_parameters(binding, request, source)

    def _refuse(self, exchange: _Exchange, error: AWSError) -> Response:
        """The answer that tells of an error, in the form of the request's protocol."""
        route = exchange.route
        if exchange.call is not None and not exchange.was_executed:
            self._runtime.audit.record(
                exchange.call,
                is_read_only(exchange.call.operation),
                {},
                None,
                error,
                self._clock.time(),
            )
        return serialize_error(
            service_model(route.service.name if route else "s3"),
            route.protocol if route else "rest-xml",
            error,
            exchange.request_id,
            query_mode=exchange.request.headers.get("x-amzn-query-mode") == "true",
            is_head=exchange.request.method == "HEAD",
        )

    def _finish(self, exchange: _Exchange, response: Response, error: AWSError | None) -> None:
        request, request_id = exchange.request, exchange.request_id
        service = exchange.route.service.name if exchange.route else ""
        response.headers.append(("x-amzn-requestid", request_id))
        if service == "s3":
            response.headers.append(("x-amz-request-id", request_id))
            response.headers.append(("x-amz-id-2", request_id))
            if "origin" in request.headers:
                self._let_origin_see(exchange, response)
        seconds = time.perf_counter() - exchange.started
        code = error.code if error is not None else ""
        # A name that the client made up would be a metric for ever.
        operation = exchange.call.operation if exchange.call is not None else "Unknown"
        self._runtime.metrics.observe(service, operation, seconds, code)
        self._runtime.request_log.write(
            RequestLine(
                time.time(),
                request_id,
                service,
                exchange.call.operation if exchange.call is not None else "",
                request.method,
                request.raw_path,
                response.status,
                code,
                seconds,
                request.source_ip,
                exchange.call.principal.arn if exchange.call is not None else "",
            )
        )

    def _let_origin_see(self, exchange: _Exchange, response: Response) -> None:
        """Add the headers of CORS; the answer goes out without them if the bucket can't be read."""
        path = exchange.route.path if exchange.route else exchange.request.raw_path
        try:
            add_cors_headers(self._runtime, path, exchange.request, response)
        except Exception:
            log.exception("CORS failed", extra={"request_id": exchange.request_id})

    def _note_use(self, principal: Any, service: str, region: str) -> None:
        """Have IAM remember the key's last use, once a minute."""
        key = (principal.access_key_id, service)
        now = self._clock.time()
        if now - self._key_uses.get(key, 0.0) < _KEY_USE_SECONDS:
            return
        if len(self._key_uses) > 10_000:
            self._key_uses.clear()
        self._key_uses[key] = now
        self._runtime.in_background(
            identity.record_use(
                self._runtime.documents, principal, service, region, self._clock.now()
            )
        )


def _form_field(pattern: re.Pattern[bytes], form: bytes) -> str | None:
    """A field of a form that is not parsed yet; None if it is not there or empty."""
    match = pattern.search(form)
    if match is None:
        return None
    text = match[1].decode("latin-1")
    return unquote_plus(text) if "%" in text or "+" in text else text


def _read_parameters(binding: Binding, request: Request, source: Any) -> dict[str, Any]:
    parameters = binding.parse(request, source)
    if binding.validate is not None:
        binding.validate(parameters)
    return parameters


def _body_limit(route: Route, *, is_signed: bool) -> int:
    """How long a body may be that is read whole."""
    if route.protocol in ("query", "ec2") or route.service.name == "s3":
        return _DOCUMENT_BYTES if is_signed else _UNSIGNED_BYTES
    return MAXIMUM_BODY_BYTES


async def _read(body: Any, limit_bytes: int) -> bytes:
    try:
        return await body.read(limit_bytes)
    except BodyTooLarge as error:
        raise RequestEntityTooLargeException(str(error)) from error
    except BodiesTooMany as error:
        raise ServiceUnavailable(f"Please reduce your request rate: {error}.") from error


def _is_chunked(parsed: signing.Parsed) -> bool:
    return parsed.payload_mode.startswith("STREAMING-")


def _family(route: Route) -> signing.Family:
    if route.service.name == "s3":
        return "s3"
    if route.protocol in ("json", "smithy-rpc-v2-cbor"):
        return "json"
    return "rest-json" if route.protocol == "rest-json" else "query"


def _not_built(service: str, operation: str) -> AWSError:
    if service == "s3":
        return NotImplementedS3(f"Cloche does not implement {operation} of s3 yet.")
    return not_built(service, operation)


def new_request_id() -> str:
    """A UUID: drawn by lot for the process, and counted up within it. Nothing is guarded by it."""
    return f"{_PROCESS_ID}-{next(_numbers):012x}"
