"""A signature is good for one service, and outside S3 for one body."""

from __future__ import annotations

from collections.abc import Iterator

import botocore.auth
import msgspec
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cloche.gateway.http.messages import Response
from tests.gateway.asking import HOST, Asker, as_bytes
from tests.live_server import LiveServer

FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
LOOKUP_EVENTS = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"
TARGET = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": LOOKUP_EVENTS}
IDENTITY = "/?Action=GetCallerIdentity&Version=2011-06-15"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    server = LiveServer(tmp_path_factory.mktemp("signed-service")).start()
    yield server
    server.stop()


@pytest.fixture
def asker(live: LiveServer) -> Asker:
    return Asker(live)


def presigned(live: LiveServer, service: str, target: str) -> str:
    keys = Credentials(live.root["AccessKeyId"], live.root["SecretAccessKey"])
    request = AWSRequest("GET", f"http://{HOST}{target}")
    kind = botocore.auth.S3SigV4QueryAuth if service == "s3" else botocore.auth.SigV4QueryAuth
    kind(keys, service, "us-east-1", expires=60).add_auth(request)
    return str(request.url).removeprefix(f"http://{HOST}")


def with_word(
    live: LiveServer, service: str, target: str, headers: dict[str, str], word: str
) -> dict[str, str]:
    """The headers of a POST that is signed with a word in place of the body's hash."""
    keys = Credentials(live.root["AccessKeyId"], live.root["SecretAccessKey"])
    request = AWSRequest("POST", f"http://{HOST}{target}", headers=headers)
    request.headers["X-Amz-Content-SHA256"] = word
    botocore.auth.SigV4Auth(keys, service, "us-east-1").add_auth(request)
    return dict(request.headers.items())


def json_error(response: Response) -> tuple[int, str, str]:
    error = msgspec.json.decode(as_bytes(response), type=dict[str, str])
    return response.status, error["__type"].rpartition("#")[2], error["message"]


def test_a_presigned_url_is_not_turned_into_another_operation(
    live: LiveServer, asker: Asker
) -> None:
    url = presigned(live, "sts", IDENTITY)
    assert asker.ask("GET", url, {}, b"").status == 200
    status, code, message = json_error(asker.ask("GET", url, TARGET, b""))
    assert (status, code) == (400, "InvalidSignatureException")
    assert message == "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization."
    url = presigned(live, "cloudtrail", "/")
    assert json_error(asker.ask("GET", url, TARGET, b""))[1] == "InvalidSignatureException"


def test_json_services_want_their_own_name(asker: Asker) -> None:
    assert asker.ask_signed("cloudtrail", "POST", "/", TARGET, b"{}").status == 200
    for service in ("sts", "iam", "kinesis", "unknown"):
        assert json_error(asker.ask_signed(service, "POST", "/", TARGET, b"{}")) == (
            400,
            "InvalidSignatureException",
            "Credential should be scoped to correct service: 'cloudtrail'.",
        )
    headers = {"Smithy-Protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}
    path = "/service/GraniteServiceVersion20100801/operation/ListMetrics"
    assert asker.ask_signed("monitoring", "POST", path, headers, b"\xa0").status == 501
    answer = asker.ask_signed("sts", "POST", path, headers, b"\xa0")
    assert b"scoped to correct service: 'monitoring'" in as_bytes(answer)


def test_query_services_want_their_own_name(asker: Asker) -> None:
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    assert asker.ask_signed("sts", "POST", "/", FORM, body).status == 200
    headers = FORM | {"Host": "sts.us-east-1.amazonaws.com"}
    answer = asker.ask_signed("unknown", "POST", "/", headers, body)
    assert answer.status == 403
    assert b"<Code>SignatureDoesNotMatch</Code>" in as_bytes(answer)
    assert b"scoped to correct service: 'sts'." in as_bytes(answer).replace(b"&#39;", b"'")


def test_rest_services_share_names(asker: Asker) -> None:
    path = "/endpoints/name/invocations"  # of sagemaker-runtime, which signs as sagemaker
    assert asker.ask_signed("sagemaker", "POST", path, {}, b"{}").status == 501
    headers = {"Host": "runtime.sagemaker.us-east-1.amazonaws.com"}
    answer = asker.ask_signed("sagemaker-runtime", "POST", path, headers, b"{}")
    assert (answer.status, dict(answer.headers)["x-amzn-errortype"]) == (
        403,
        "InvalidSignatureException",
    )
    assert b"Credential should be scoped to correct service: 'sagemaker'." in as_bytes(answer)


def test_s3_has_several_names(live: LiveServer, asker: Asker) -> None:
    headers = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    for service in ("s3", "s3express", "s3-object-lambda"):
        assert asker.ask_signed(service, "GET", "/", headers, b"").status == 200
    answer = asker.ask_signed("unknown", "GET", "/", headers, b"")
    assert answer.status == 400
    assert b"<Code>AuthorizationHeaderMalformed</Code>" in as_bytes(answer)
    assert b'malformed; incorrect service "unknown". This endpoint belongs to "s3".' in (
        as_bytes(answer).replace(b"&quot;", b'"')
    )
    answer = asker.ask("GET", presigned(live, "unknown", "/"), {}, b"")
    assert answer.status == 400
    assert b"<Code>AuthorizationQueryParametersError</Code>" in as_bytes(answer)
    assert b"Error parsing the X-Amz-Credential parameter; incorrect service" in as_bytes(answer)


def test_s3control_signs_as_s3(asker: Asker) -> None:
    headers = {"x-amz-account-id": "123456789012", "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    path = "/v20180820/jobs"
    for service in ("s3", "s3-outposts", "s3express"):
        assert asker.ask_signed(service, "GET", path, headers, b"").status in (404, 501)


def test_a_body_that_nobody_signed_is_not_executed(live: LiveServer, asker: Asker) -> None:
    body = b"Action=CreateUser&Version=2010-05-08&UserName=nobody"
    for word in ("UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"):
        answer = asker.ask("POST", "/", with_word(live, "iam", "/", FORM, word), body)
        assert answer.status == 403
        assert b"<Code>SignatureDoesNotMatch</Code>" in as_bytes(answer)
    url = presigned(live, "iam", "/?Action=ListUsers&Version=2010-05-08")
    assert asker.ask("GET", url, {}, b"").status == 200
    for headers in ({}, {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}):
        assert asker.ask("GET", url, headers, body).status == 403
    assert live.client("iam").list_users()["Users"] == []


def test_a_body_may_be_unsigned_where_the_model_says_so(asker: Asker) -> None:
    headers = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    for service, path in (("mediastore", "/key"), ("ebs", "/snapshots/snap-1/blocks/1")):
        answer = asker.ask_signed(service, "PUT", path, headers, b"data")
        assert (answer.status, b"NotImplemented" in str(answer.headers).encode()) == (501, True)
    answer = asker.ask_signed("ebs", "PUT", "/snapshots/snap-1/blocks/1", {}, b"data")
    assert answer.status == 501


def test_s3control_takes_no_chunks(live: LiveServer, asker: Asker) -> None:
    path, word = "/v20180820/jobs", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    headers = with_word(live, "s3", path, {"x-amz-account-id": "123456789012"}, word)
    answer = asker.ask("POST", path, headers, b"<CreateJobRequest/>")
    assert answer.status == 403
    assert b"is not a valid value of" in as_bytes(answer)
