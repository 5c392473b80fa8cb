"""What the server answers for itself, beside AWS's services.

`/health` and `/metrics` are for anyone who can reach the port, unless the request is signed: then
they are buckets. What is under `/_cloche/`, where no bucket's name can be, is for the root key.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

import cloche
from cloche.core.errors import AccessDeniedException, AWSError, ValidationException
from cloche.gateway import signing
from cloche.gateway.http.messages import (
    BodiesTooMany,
    BodyIncomplete,
    BodyTooLarge,
    Request,
    Response,
)
from cloche.services.iam import identity

if TYPE_CHECKING:
    from cloche.gateway.exposition import Exposition
    from cloche.gateway.runtime import Runtime

_PREFIX = "/_cloche/"
_OPEN_PATHS = frozenset({"/health", "/metrics"})
_BODY_BYTES = 64 * 1024


class NotFoundException(AWSError):
    """There is nothing under this path."""

    status = 404


class ClockAdvance(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `POST /_cloche/clock`."""

    advance_seconds: float


class NewAccount(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `POST /_cloche/accounts`; what is not given is drawn by lot."""

    name: str
    account_id: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = None


class Administration:
    """The server's own paths."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._started = time.monotonic()
        self._shown_metrics: Exposition | None = None
        self._actions: dict[tuple[str, str], Callable[[bytes], Awaitable[Any]]] = {
            ("GET", "clock"): self._show_clock,
            ("POST", "clock"): self._advance_clock,
            ("GET", "status"): self._show_status,
            ("GET", "accounts"): self._list_accounts,
            ("POST", "accounts"): self._create_account,
        }

    def is_asked(self, request: Request) -> bool:
        """Whether a request is for the server itself."""
        if self.is_private(request):
            return True
        return (
            request.raw_path in _OPEN_PATHS
            and request.method in ("GET", "HEAD")
            and "authorization" not in request.headers
            and "X-Amz-" not in request.query_string
        )

    def is_private(self, request: Request) -> bool:
        """Whether it is for the root key alone."""
        return request.raw_path.startswith(_PREFIX)

    async def __call__(self, request: Request) -> Response:
        """Answer."""
        if request.raw_path == "/health":
            return _json(200, {"status": "ok", "version": cloche.__version__})
        if request.raw_path == "/metrics":
            return self._exposition().response()
        try:
            return _json(200, await self._administer(request))
        except AWSError as error:
            return _json(error.status, {"__type": error.code, "message": error.message})
        except (BodyTooLarge, BodyIncomplete, BodiesTooMany) as error:
            return _json(400, {"__type": "ValidationException", "message": str(error)})

    def _exposition(self) -> Exposition:
        if self._shown_metrics is None:
            from cloche.gateway.exposition import Exposition

            self._shown_metrics = Exposition(self._runtime.metrics)
        return self._shown_metrics

    async def _administer(self, request: Request) -> Any:
        body = await request.body.read(_BODY_BYTES)
        self._check_is_root(request, body)
        action = self._actions.get((request.method, request.raw_path.removeprefix(_PREFIX)))
        if action is None:
            raise NotFoundException(f"There is no {request.method} {request.raw_path}.")
        return await action(body)

    def _check_is_root(self, request: Request, body: bytes) -> None:
        runtime = self._runtime
        parsed = signing.parse(request, "json")
        if parsed is None:
            raise signing.missing_authentication("json")
        credential = identity.find_credential(runtime.documents, parsed.access_key_id)
        signing.check(
            parsed,
            credential,
            runtime.clock,
            body_sha256=hashlib.sha256(body).hexdigest(),
            family="json",
        )
        principal = credential.principal if credential is not None else None
        if principal is None or not principal.is_root:
            raise AccessDeniedException("Only a root key may administer the server.")
        if principal.account_id != runtime.settings.account_id:
            raise AccessDeniedException("Only the first account's root may administer the server.")

    async def _show_clock(self, _body: bytes) -> dict[str, Any]:
        clock = self._runtime.clock
        return {"now": clock.now().isoformat(), "offset_seconds": clock.offset_seconds}

    async def _advance_clock(self, body: bytes) -> dict[str, Any]:
        wanted = _decode(body, ClockAdvance)
        try:
            await self._runtime.shared_clock.advance(wanted.advance_seconds)
        except ValueError as error:
            raise ValidationException(str(error)) from error
        return await self._show_clock(body)

    async def _show_status(self, _body: bytes) -> dict[str, Any]:
        runtime = self._runtime
        return {
            "account_id": runtime.settings.account_id,
            "region": runtime.settings.region,
            "documents": "PostgreSQL" if runtime.documents.is_shared else "SQLite",
            "uptime_seconds": round(time.monotonic() - self._started, 1),
        }

    async def _list_accounts(self, _body: bytes) -> dict[str, Any]:
        accounts = await asyncio.to_thread(identity.list_accounts, self._runtime.documents)
        return {"accounts": [account._asdict() for account in accounts]}

    async def _create_account(self, body: bytes) -> dict[str, Any]:
        wanted = _decode(body, NewAccount)
        try:
            made = await asyncio.to_thread(
                identity.create_account,
                self._runtime.documents,
                self._runtime.clock,
                wanted.name,
                account_id=wanted.account_id,
                access_key_id=wanted.access_key_id,
                secret_access_key=wanted.secret_access_key,
            )
        except (identity.AccountExists, ValueError) as error:
            raise ValidationException(str(error)) from error
        return made._asdict()


_T = TypeVar("_T")


def _decode(body: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise ValidationException(str(error)) from error


def _json(status: int, document: Any) -> Response:
    headers = [("content-type", "application/json")]
    return Response(status, headers, msgspec.json.encode(document))
