"""Services as collections of plain functions, one for each operation of AWS's model.

A service is a `Service` in its package's `__init__`; an operation is a function registered by
`@service.operation`, whose name is the operation's name in snake case. `async def` operations
run on the event loop and never block it; plain `def` operations run in a thread and may.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

import msgspec

if TYPE_CHECKING:
    from cloche.core.clock import Clock
    from cloche.core.configuration import Settings
    from cloche.core.dispatch import IdentityPolicies
    from cloche.core.documents import Documents
    from cloche.core.events import EventBus
    from cloche.core.jobs import Jobs
    from cloche.core.principals import Principal

Engine = TypeVar("Engine")
Function = TypeVar("Function", bound=Callable[..., Any])

ResourceOf = Callable[["Call", Mapping[str, Any]], "list[str]"]


class HttpRequest(Protocol):
    """What an operation may see of the HTTP request it came in; most need nothing of it."""

    @property
    def method(self) -> str:
        """Upper case."""
        ...

    @property
    def raw_path(self) -> str:
        """As it came, percent-encoded."""
        ...

    @property
    def query_string(self) -> str:
        """As it came."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """By lower-case names."""
        ...

    @property
    def host(self) -> str:
        """Name and port that the client addressed."""
        ...

    @property
    def source_ip(self) -> str:
        """The client's address."""
        ...

    @property
    def is_secure(self) -> bool:
        """Came over TLS."""
        ...


class Dispatcher(Protocol):
    """The way by which one service calls another as a principal would."""

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
        """Call an operation, with permissions and record; see `core.dispatch.Dispatch.invoke`."""
        ...

    def policies_of(self, principal: Principal) -> IdentityPolicies:
        """What binds a principal."""
        ...

    async def in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run what may block."""
        ...


class Server(Protocol):
    """What all calls share: the state of one running server."""

    @property
    def settings(self) -> Settings:
        """What the server was told from outside."""
        ...

    @property
    def clock(self) -> Clock:
        """The only source of time."""
        ...

    @property
    def documents(self) -> Documents:
        """The metadata store."""
        ...

    @property
    def events(self) -> EventBus:
        """Told of what happens."""
        ...

    @property
    def jobs(self) -> Jobs:
        """What outlives a request."""
        ...

    @property
    def dispatcher(self) -> Dispatcher:
        """Calls operations of other services."""
        ...

    def engine(self, interface: type[Engine]) -> Engine:
        """The engine that stands behind an interface, made on first use."""
        ...


class Answer(msgspec.Struct):
    """What an operation says of the HTTP answer beyond its output.

    Attributes:
        status: HTTP status instead of the model's.
        headers: further headers, lower-case names.
    """

    status: int | None = None
    headers: dict[str, str] = {}


class Call(msgspec.Struct):
    """One request on its way through a service.

    Attributes:
        server: the server's state and engines.
        service: name as boto3 has it (`s3`).
        operation: name as the wire has it (`PutObject`).
        principal: who calls; its account is the account acted in.
        region: from the credential scope.
        request_id: also in the answer's `x-amzn-RequestId` and in the log.
        http: the HTTP request; None for calls between services.
        answer: what to say in the HTTP answer beyond the output.
        audit: members to add to the call's CloudTrail record (`resources`, …).
    """

    server: Server
    service: str
    operation: str
    principal: Principal
    region: str
    request_id: str
    http: HttpRequest | None = None
    answer: Answer = msgspec.field(default_factory=Answer)
    audit: dict[str, Any] = {}

    @property
    def account_id(self) -> str:
        """The account that the principal acts in."""
        return self.principal.account_id

    @property
    def documents(self) -> Documents:
        """The metadata store."""
        return self.server.documents

    @property
    def clock(self) -> Clock:
        """The only source of time."""
        return self.server.clock

    def engine(self, interface: type[Engine]) -> Engine:
        """The engine that stands behind an interface."""
        return self.server.engine(interface)


Authorize = Callable[[Call, "Operation", Mapping[str, Any]], Awaitable[None] | None]


class Operation(msgspec.Struct, frozen=True):
    """An operation that is built.

    Attributes:
        name: as the wire has it.
        function: what does it.
        is_async: runs on the event loop instead of in a thread.
        action: the IAM action (`s3:ListBucket`); `prefix:Name` unless given.
        resource: ARN of what it acts on: a template over `partition`, `region`, `account` and the
            request's members (`user{Path}{UserName}` after `arn:…`), a function, or None for `*`.
        is_public: callable without a signature.
        does: `executes`, or `stored` where nothing acts on what is recorded.
    """

    name: str
    function: Callable[..., Any]
    is_async: bool
    action: str
    resource: str | ResourceOf | None
    is_public: bool
    does: str


class Service:
    """A service's operations and what the gateway needs to know of it.

    Args:
        name: as boto3 has it.
        iam_prefix: prefix of its IAM actions, its name unless given.
        authorize: replaces the usual permission check (S3 has ACLs and public buckets).
        resource_policy: gives the resource policy that applies to a call, as JSON text.
        start: called once with the server before the service's first operation, to register jobs
            and subscribe to events; on the event loop, so it does not block.
    """

    def __init__(
        self,
        name: str,
        *,
        iam_prefix: str | None = None,
        authorize: Authorize | None = None,
        resource_policy: Callable[[Call, Mapping[str, Any]], str | None] | None = None,
        start: Callable[[Server], None] | None = None,
    ) -> None:
        self.name = name
        self.iam_prefix = iam_prefix or name
        self.authorize = authorize
        self.resource_policy = resource_policy
        self.start = start
        self.operations: dict[str, Operation] = {}

    @overload
    def operation(self, function: Function) -> Function: ...

    @overload
    def operation(
        self,
        *,
        name: str | None = None,
        action: str | None = None,
        resource: str | ResourceOf | None = None,
        is_public: bool = False,
        does: str = "executes",
    ) -> Callable[[Function], Function]: ...

    def operation(
        self,
        function: Function | None = None,
        *,
        name: str | None = None,
        action: str | None = None,
        resource: str | ResourceOf | None = None,
        is_public: bool = False,
        does: str = "executes",
    ) -> Function | Callable[[Function], Function]:
        """Register a function as the operation of its name.

        `name` is only for names that do not survive snake case and back (`assume_role_with_saml`).
        The other arguments are `Operation`'s.
        """

        def register(function: Function) -> Function:
            wire_name = name or pascal_case(function.__name__)
            self.operations[wire_name] = Operation(
                name=wire_name,
                function=function,
                is_async=inspect.iscoroutinefunction(function),
                action=action or f"{self.iam_prefix}:{wire_name}",
                resource=resource,
                is_public=is_public,
                does=does,
            )
            return function

        return register(function) if function is not None else register


_WIRE_WORDS = {"mfa": "MFA", "saml": "SAML", "ssh": "SSH", "acl": "Acl", "v2": "V2"}


def pascal_case(name: str) -> str:
    """`list_objects_v2` → `ListObjectsV2`; AWS's few all-capital words are kept."""
    return "".join(_WIRE_WORDS.get(word, word.capitalize()) for word in name.split("_"))
