from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloche.core.authorization.grammar import (
    policy_size,
    validate_identity_policy,
    validate_resource_policy,
    validate_trust_policy,
)
from cloche.core.authorization.policy import MalformedPolicyDocument, parse_policy
from tests.core.authorization.builders import allow, policy, statement

TRUST = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}


def test_a_single_statement_and_single_values_are_read_as_lists() -> None:
    text = json.dumps({"Version": "2012-10-17", "Id": "x", "Statement": statement("Allow", "s3:*")})
    parsed = parse_policy(text)
    assert parsed.id == "x"
    assert parsed.has_variables
    [only] = parsed.statements
    assert (only.effect, only.actions, only.resources) == ("Allow", ("s3:*",), ("*",))


def test_without_a_version_there_are_no_variables() -> None:
    assert not parse_policy(json.dumps({"Statement": statement("Allow")})).has_variables


def test_principals() -> None:
    principal = {
        "AWS": ["111122223333", "*"],
        "Service": "events.amazonaws.com",
        "Federated": ["x.example"],
        "CanonicalUser": "abc",
    }
    [only] = parse_policy(policy(statement("Allow", Principal=principal))).statements
    assert only.principal is not None
    assert only.principal.is_everyone
    assert only.principal.aws == ("111122223333",)
    assert only.principal.services == ("events.amazonaws.com",)
    assert only.principal.federated == ("x.example",)
    assert only.principal.canonical_users == ("abc",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"Version": "2020-01-01", "Statement": []}',
        '{"Version": "2012-10-17"}',
        '{"Version": "2012-10-17", "Statement": ' + "[" * 5000 + "]" * 5000 + "}",
        '{"Version": "2012-10-17", "Statement": [], "Extra": 1}',
        policy({"Effect": "Allow", "Action": "*", "Resource": "*", "Extra": 1}),
        policy({"Action": "*", "Resource": "*"}),
        policy(statement("allow")),
        policy(statement("Allow", NotAction="s3:*")),
        policy(statement("Allow", NotResource="*")),
        policy(statement("Allow", Principal="*", NotPrincipal="*")),
        policy(statement("Allow", Principal="111122223333")),
        policy(statement("Allow", Principal={})),
        policy(statement("Allow", Principal={"Aws": "*"})),
        policy(statement("Allow", Sid=1)),
        policy({"Effect": "Allow", "Action": {"a": 1}, "Resource": "*"}),
        policy(statement("Allow", Condition={"Wrong": {"aws:username": "x"}})),
    ],
)
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(MalformedPolicyDocument):
        parse_policy(text)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("*"),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["Version", "Statement", "Effect", "Action", "Resource", "Condition", "Null"]
                )
                | st.text(max_size=5),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    )
)
def test_any_json_is_a_policy_or_refused(document: Any) -> None:
    try:
        parse_policy(json.dumps(document))
    except MalformedPolicyDocument as error:
        assert error.message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Principal": "*"}, "Policy document should not specify a principal."),
        ({"Action": []}, "Policy statement must contain actions."),
        ({"Resource": []}, "Policy statement must contain resources."),
        (
            {"Action": "GetObject"},
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        ({"Action": "a.b:Get"}, "Vendor a.b is not valid"),
        ({"Resource": "photos"}, 'Resource photos must be in ARN format or "*".'),
        ({"Resource": "arn:aws:s3"}, "The policy failed legacy parsing"),
        (
            {"Resource": "arn:aws:iam:us-east-1::user/x"},
            "IAM resource arn:aws:iam:us-east-1::user/x cannot contain region information.",
        ),
        (
            {"Sid": "not good"},
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the"
            " regular expression [0-9A-Za-z]*",
        ),
    ],
)
def test_identity_policies_are_refused_with_a_reason(changes: dict[str, Any], message: str) -> None:
    text = policy({**statement("Allow", "s3:*"), **changes})
    with pytest.raises(MalformedPolicyDocument) as caught:
        validate_identity_policy(text)
    assert caught.value.message == message


def test_sids_are_unique() -> None:
    text = policy(statement("Allow", Sid="a"), statement("Deny", Sid="a"))
    with pytest.raises(MalformedPolicyDocument, match="must be unique"):
        validate_identity_policy(text)


def test_managed_policies_are_of_2012() -> None:
    old = policy(statement("Allow"), version="2008-10-17")
    assert validate_identity_policy(old)
    with pytest.raises(MalformedPolicyDocument, match="2012-10-17 or greater"):
        validate_identity_policy(old, is_managed=True)


def test_a_policy_without_statements_is_refused() -> None:
    with pytest.raises(MalformedPolicyDocument, match="Syntax errors"):
        validate_identity_policy(policy())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Principal": None}, "Missing required field Principal"),
        ({"Resource": "*"}, "Has prohibited field Resource"),
        ({"Action": None}, "Missing required field Action"),
        ({"Action": "s3:*"}, "AssumeRole policy may only specify STS AssumeRole actions."),
        ({"Principal": {"AWS": "jane"}}, 'Invalid principal in policy: "AWS":"jane"'),
        (
            {"Principal": {"AWS": "arn:aws:s3:::x"}},
            'Invalid principal in policy: "AWS":"arn:aws:s3:::x"',
        ),
        ({"Principal": {"Service": "s3"}}, 'Invalid principal in policy: "SERVICE":"s3"'),
    ],
)
def test_trust_policies_are_refused_with_a_reason(changes: dict[str, Any], message: str) -> None:
    merged = {**TRUST, **changes}
    text = policy({key: value for key, value in merged.items() if value is not None})
    with pytest.raises(MalformedPolicyDocument) as caught:
        validate_trust_policy(text)
    assert caught.value.message == message


def test_trust_policies_that_are_right() -> None:
    for principal in (
        "*",
        {"AWS": "arn:aws:iam::111122223333:user/a/b"},
        {"AWS": "AROAEXAMPLEEXAMPLE123"},
        {"Service": ["sagemaker.amazonaws.com", "states.us-east-1.amazonaws.com"]},
        {"Federated": "cognito-identity.amazonaws.com"},
    ):
        assert validate_trust_policy(policy({**TRUST, "Principal": principal}))


def test_resource_policies_need_a_principal() -> None:
    with pytest.raises(MalformedPolicyDocument, match="Principal"):
        validate_resource_policy(allow())
    assert validate_resource_policy(allow(Principal="*", Sid="with spaces"))


def test_white_space_does_not_count() -> None:
    assert policy_size('{ "a" :\n\t1 }') == 7
