"""The decision: what all policies that concern a request say together.

Source: IAM user guide, "Policy evaluation logic" for requests within an account and across
accounts. Service and resource control policies of AWS Organizations don't exist here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal

import msgspec

from cloche.core.authorization.grants import Grant, PrincipalMatcher
from cloche.core.authorization.patterns import Context, Patterns
from cloche.core.authorization.policy import Policy, Statement, parse_policy
from cloche.core.principals import Principal

PolicyKind = Literal[
    "identity-based policy",
    "resource-based policy",
    "permissions boundary",
    "session policy",
]
Verdict = Literal["allowed", "explicitDeny", "implicitDeny"]


class AccessRequest(msgspec.Struct):
    """What is asked: may this principal do this action on this resource.

    Attributes:
        principal: who asks.
        action: such as `s3:GetObject`, in any case.
        resource: an ARN, or `*` where the action has none.
        context: the condition keys, by lower-case name.
        lower_action: set by itself.
    """

    principal: Principal
    action: str
    resource: str
    context: Context
    lower_action: str = ""

    def __post_init__(self) -> None:
        self.lower_action = self.action.lower()


class PolicySet(msgspec.Struct, frozen=True):
    """The policies that concern a request, as JSON texts.

    Attributes:
        identity: of the user and its groups, or of the role.
        boundary: the permissions boundary of the user or role.
        sessions: session policies, each of which must allow.
        resource: of the resource; for AssumeRole, the role's trust policy.
        resource_account: who owns the resource; empty for the caller's own account.
        needs_resource_grant: identity policies alone don't suffice, as for a role's trust.
    """

    identity: Sequence[str] = ()
    boundary: str | None = None
    sessions: Sequence[str] = ()
    resource: str | None = None
    resource_account: str = ""
    needs_resource_grant: bool = False


class Match(msgspec.Struct, frozen=True):
    """A statement that decided.

    Attributes:
        kind: of the policy it stands in.
        index: of the policy among those of its kind.
        statement: of the policy, counted from 0.
        sid: its Sid, or the empty string.
    """

    kind: PolicyKind
    index: int
    statement: int
    sid: str


class Decision(msgspec.Struct, frozen=True):
    """Whether a request is allowed, and which kind of policy decided.

    Attributes:
        verdict: as IAM's policy simulator names it.
        kind: the policies that denied or failed to allow; those that allowed.
        matches: the statements that denied or allowed.
        boundary_allows: whether the permissions boundary allows it; None without a boundary.
    """

    verdict: Verdict
    kind: PolicyKind
    matches: tuple[Match, ...] = ()
    boundary_allows: bool | None = None

    @property
    def is_allowed(self) -> bool:
        """Whether the request may go on."""
        return self.verdict == "allowed"


class CompiledStatement:
    """A statement ready to be asked many times."""

    __slots__ = (
        "_actions",
        "_conditions",
        "_is_not_action",
        "_is_not_resource",
        "_principal",
        "_resources",
        "is_deny",
        "sid",
    )

    def __init__(self, statement: Statement, *, has_variables: bool) -> None:
        self.sid = statement.sid
        self.is_deny = statement.effect == "Deny"
        self._actions = Patterns(statement.actions, has_variables=False, ignores_case=True)
        self._is_not_action = statement.is_not_action
        # A trust policy has no Resource: it is about the role it belongs to.
        self._resources = (
            Patterns(statement.resources, has_variables=has_variables)
            if statement.resources
            else None
        )
        self._is_not_resource = statement.is_not_resource
        self._principal = (
            None
            if statement.principal is None
            else PrincipalMatcher(statement.principal, is_negated=statement.is_not_principal)
        )
        self._conditions = statement.conditions

    def applies(self, request: AccessRequest) -> bool:
        """Whether action, resource and conditions fit."""
        context = request.context
        if self._actions.matches(request.lower_action, context) == self._is_not_action:
            return False
        resources = self._resources
        if (
            resources is not None
            and resources.matches(request.resource, context) == self._is_not_resource
        ):
            return False
        for condition in self._conditions:  # noqa: SIM110 - a generator costs more than the rest
            if not condition.holds(context):
                return False
        return True

    def grant(self, principal: Principal) -> Grant:
        """How directly it names the caller; without a Principal element, not at all."""
        return Grant.NONE if self._principal is None else self._principal.grant(principal)


@lru_cache(maxsize=4096)
def compile_policy(text: str) -> tuple[CompiledStatement, ...]:
    """Parse and compile a policy once for each text.

    Raises:
        MalformedPolicyDocument: the text is no policy.
    """
    policy: Policy = parse_policy(text)
    return tuple(
        CompiledStatement(statement, has_variables=policy.has_variables)
        for statement in policy.statements
    )


class _Answers:
    """What the policies of one kind say: the first deny, or every allow."""

    __slots__ = ("allows", "deny", "grant")

    def __init__(self) -> None:
        self.deny: Match | None = None
        self.allows: list[Match] = []
        self.grant = Grant.NONE


_SILENT = _Answers()


def _ask(kind: PolicyKind, texts: Iterable[str], request: AccessRequest) -> _Answers:
    answers = _Answers()
    allows = answers.allows
    for index, text in enumerate(texts):
        for number, statement in enumerate(compile_policy(text)):
            # Once allowed, only a deny can still matter.
            if (allows and not statement.is_deny) or not statement.applies(request):
                continue
            match = Match(kind, index, number, statement.sid)
            if statement.is_deny:
                answers.deny = match
                return answers
            allows.append(match)
    return answers


def _ask_resource_policy(text: str | None, request: AccessRequest) -> _Answers:
    if text is None:
        return _SILENT
    answers = _Answers()
    for number, statement in enumerate(compile_policy(text)):
        grant = statement.grant(request.principal)
        if grant is Grant.NONE or not statement.applies(request):
            continue
        match = Match("resource-based policy", 0, number, statement.sid)
        if statement.is_deny:
            answers.deny = match
            return answers
        if grant > answers.grant:
            answers.grant, answers.allows = grant, [match]
    return answers


def evaluate(request: AccessRequest, policies: PolicySet) -> Decision:
    """Decide a request.

    An explicit deny in any policy wins. Within an account an allow of the identity's policies or
    of the resource's policy suffices; across accounts both must allow. What reaches the caller
    through its identity or its role is narrowed by the boundary and by session policies; what a
    resource policy grants to the very user or session is not.
    """
    resource = _ask_resource_policy(policies.resource, request)
    if resource.deny is not None:
        return Decision("explicitDeny", "resource-based policy", (resource.deny,))
    identity = _ask("identity-based policy", policies.identity, request)
    boundary = (
        None
        if policies.boundary is None
        else _ask("permissions boundary", (policies.boundary,), request)
    )
    sessions = [_ask("session policy", [text], request) for text in policies.sessions]
    for answers in (identity, boundary, *sessions):
        if answers is not None and answers.deny is not None:
            return Decision("explicitDeny", answers.deny.kind, (answers.deny,))
    is_same_account = policies.resource_account in ("", request.principal.account_id)
    if request.principal.kind in ("Anonymous", "AWSService") or (
        is_same_account and resource.grant is Grant.DIRECT
    ):
        return _by_resource_alone(resource)
    needs_grant = policies.needs_resource_grant or not is_same_account
    if needs_grant and resource.grant is Grant.NONE:
        identity_allows = request.principal.is_root or bool(identity.allows)
        lacking: PolicyKind = (
            "resource-based policy" if identity_allows else "identity-based policy"
        )
        return Decision("implicitDeny", lacking)
    if request.principal.is_root:
        return Decision("allowed", "identity-based policy", tuple(resource.allows))
    is_granted_to_role = is_same_account and resource.grant is Grant.ROLE
    return _narrowed(
        identity.allows or (resource.allows if is_granted_to_role else []),
        boundary,
        sessions,
    )


def _by_resource_alone(resource: _Answers) -> Decision:
    if resource.grant is Grant.DIRECT:
        return Decision("allowed", "resource-based policy", tuple(resource.allows))
    return Decision("implicitDeny", "resource-based policy")


def _narrowed(allows: list[Match], boundary: _Answers | None, sessions: list[_Answers]) -> Decision:
    boundary_allows = None if boundary is None else bool(boundary.allows)
    if not allows:
        return Decision("implicitDeny", "identity-based policy", (), boundary_allows)
    if boundary_allows is False:
        return Decision("implicitDeny", "permissions boundary", (), boundary_allows)
    if not all(answers.allows for answers in sessions):
        return Decision("implicitDeny", "session policy", (), boundary_allows)
    return Decision("allowed", allows[0].kind, tuple(allows), boundary_allows)
