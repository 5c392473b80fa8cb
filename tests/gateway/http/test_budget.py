"""What bodies that are read whole may take of the server's memory, all connections together."""

from __future__ import annotations

import asyncio

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from cloche.gateway.administration import Administration
from cloche.gateway.application import Application
from cloche.gateway.http.body import Budget, IncomingBody
from cloche.gateway.http.limits import Limits
from cloche.gateway.http.messages import BodiesTooMany, BodyIncomplete
from cloche.gateway.http.server import HttpServer
from tests.live_server import LiveServer

KIBIBYTE = 1024


def body(budget: Budget, size_bytes: int) -> IncomingBody:
    made = IncomingBody(1 << 30, budget=budget)
    for _ in range(size_bytes // KIBIBYTE):
        made.feed(b"x" * KIBIBYTE)
    made.finish()
    return made


def test_bodies_share_it_and_give_it_back() -> None:
    budget = Budget(100 * KIBIBYTE)

    async def scenario() -> None:
        first, second = body(budget, 160 * KIBIBYTE), body(budget, 160 * KIBIBYTE)
        assert len(await first.read(1 << 30)) == 160 * KIBIBYTE
        with pytest.raises(BodiesTooMany):
            await second.read(1 << 30)
        second.let_go()
        small = body(budget, 64 * KIBIBYTE)
        assert len(await small.read(1 << 30)) == 64 * KIBIBYTE
        first.let_go()
        first.let_go()
        third = body(budget, 160 * KIBIBYTE)
        assert len(await third.read(1 << 30)) == 160 * KIBIBYTE
        with pytest.raises(BodiesTooMany):
            await body(budget, 160 * KIBIBYTE).read(1 << 30)

    asyncio.run(scenario())


def test_a_body_in_one_piece_counts_too() -> None:
    async def scenario() -> None:
        budget = Budget(100 * KIBIBYTE)
        whole = IncomingBody(1 << 30, budget=budget)
        whole.feed(b"x" * (165 * KIBIBYTE))
        whole.finish()
        with pytest.raises(BodiesTooMany):
            await whole.read(1 << 30)

    asyncio.run(scenario())


def test_who_sends_too_slowly_loses_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloche.gateway.http.body._PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr("cloche.gateway.http.body._SLOWEST_BYTES_A_SECOND", 1e12)

    async def scenario() -> None:
        slow = IncomingBody(1 << 30)

        async def drip() -> None:
            while True:
                slow.feed(b"x")
                await asyncio.sleep(0.01)

        dripping = asyncio.ensure_future(drip())
        with pytest.raises(BodyIncomplete, match="slowly"):
            await asyncio.wait_for(slow.read(1 << 30), 10)
        dripping.cancel()

    asyncio.run(scenario())


def test_who_finds_none_left_is_told_to_try_again(server: LiveServer) -> None:
    async def listen() -> tuple[HttpServer, int]:
        application = Application(server.runtime, Administration(server.runtime))
        http = HttpServer(application, Limits(held_bytes=100 * KIBIBYTE))
        return http, await http.listen("127.0.0.1", 0)

    http, port = server.run(listen())
    try:
        iam = boto3.client(
            "iam",
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="us-east-1",
            aws_access_key_id=server.root["AccessKeyId"],
            aws_secret_access_key=server.root["SecretAccessKey"],
            config=Config(retries={"total_max_attempts": 1}),
        )
        for _ in range(3):
            with pytest.raises(ClientError) as caught:
                iam.create_policy(PolicyName="p", PolicyDocument="x" * 120_000 + " " * 300_000)
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
            assert caught.value.response["Error"]["Code"] == "ServiceUnavailable"
        with pytest.raises(ClientError) as caught:  # what was held is given back
            iam.create_policy(PolicyName="p", PolicyDocument="x" * 120_000)
        assert caught.value.response["Error"]["Code"] == "LimitExceeded"
    finally:
        server.run(http.close())
