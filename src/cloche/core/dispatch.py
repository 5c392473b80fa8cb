"""From a parsed request to an operation's output: permission, the call itself, the record of it."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from cloche.core.audit import is_data_event, is_read_only
from cloche.core.authorization.authorize import check
from cloche.core.errors import AWSError, InternalFailure, NotImplementedException
from cloche.core.operations import Call, Operation, Server, Service

if TYPE_CHECKING:
    from cloche.core.audit import AuditLog
    from cloche.core.principals import Principal


class IdentityPolicies(NamedTuple):
    """What binds a principal: JSON texts of its policies, and of its permissions boundary."""

    policies: Sequence[str] = ()
    boundary: str | None = None


PoliciesOf = Callable[["Principal"], IdentityPolicies]


def load_service(name: str) -> Service | None:
    """A service's package, imported on its first call; None where there is none.

    The package of the boto3 service `redshift-data` is `cloche.services.redshift_data`.
    """
    module_name = f"cloche.services.{name.replace('-', '_')}"
    if importlib.util.find_spec(module_name) is None:
        return None
    service: Service = importlib.import_module(module_name).service
    return service


class Dispatch:
    """Calls operations.

    Args:
        server: handed to the operations in their `Call`.
        audit: where every call is recorded.
        policies_of: gives the policies of a principal.
        threads: how many plain `def` operations run at once.
    """

    def __init__(
        self, server: Server, audit: AuditLog, policies_of: PoliciesOf, threads: int = 32
    ) -> None:
        self._server = server
        self._audit = audit
        self._policies_of = policies_of
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="operation")
        self._services: dict[str, Service | None] = {}

    def service(self, name: str) -> Service | None:
        """A service, or None if nothing of it is built."""
        if name not in self._services:
            service = load_service(name)
            if service is not None and service.start is not None:
                service.start(self._server)
            self._services[name] = service
        return self._services[name]

    def operation(self, service: str, name: str) -> Operation | None:
        """An operation, or None if it is not built."""
        found = self.service(service)
        return found.operations.get(name) if found is not None else None

    async def execute(self, call: Call, operation: Operation, request: dict[str, Any]) -> Any:
        """Check permission, call the operation, record the call.

        Raises:
            AWSError: what the client is to be told.
        """
        started_at = call.clock.time()
        response: Any = None
        error: AWSError | None = None
        try:
            await self._authorize(call, operation, request)
            if operation.is_async:
                response = await operation.function(call, request)
            else:
                response = await self.in_thread(operation.function, call, request)
        except AWSError as raised:
            error = raised
            raise
        except Exception:
            error = InternalFailure()
            raise
        finally:
            read_only = is_read_only(call.operation)
            self._audit.record(call, read_only, request, response, error, started_at)
        if not read_only and not is_data_event(call.service, call.operation):
            # What was changed and acknowledged is in the log, even if the server is killed now.
            # (What cannot be written is tried again by the log's own thread, which says so.)
            with suppress(OSError):
                await self.in_thread(self._audit.flush)
        return response

    async def in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run what may block."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, function, *arguments)

    async def _authorize(
        self, call: Call, operation: Operation, request: Mapping[str, Any]
    ) -> None:
        service = self.service(call.service)
        if service is not None and service.authorize is not None:
            checked = service.authorize(call, operation, request)
            if checked is not None:
                await checked
            return
        policy_of = service.resource_policy if service is not None else None
        policy = policy_of(call, request) if policy_of is not None else None
        policies = self.policies_of(call.principal)
        check(call, operation, request, policies.policies, policies.boundary, policy)

    def policies_of(self, principal: Principal) -> IdentityPolicies:
        """What binds a principal; nothing binds root and nobody knows an anonymous caller."""
        if principal.kind in ("Root", "Anonymous", "AWSService"):
            return IdentityPolicies()
        return self._policies_of(principal)

    async def invoke(
        self,
        principal: Principal,
        region: str,
        service: str,
        operation: str,
        request: dict[str, Any],
        *,
        request_id: str = "",
    ) -> Any:
        """Call an operation as a principal would over the wire, with permissions and record.

        Raises:
            NotImplementedException: it is not built.
            AWSError: what the operation raises.
        """
        found = self.operation(service, operation)
        if found is None:
            raise not_built(service, operation)
        call = Call(self._server, service, operation, principal, region, request_id)
        return await self.execute(call, found, request)

    def close(self) -> None:
        """Wait for the operations under way in threads."""
        self._threads.shutdown(wait=True)


def not_built(service: str, operation: str) -> NotImplementedException:
    """The answer to what AWS has and Cloche does not build yet."""
    return NotImplementedException(
        f"Cloche does not implement {operation} of {service} yet. "
        f"`cloche coverage {service}` lists what it does."
    )
