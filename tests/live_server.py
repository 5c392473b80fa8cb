"""A real server on a thread of the test's process, and real clients of it."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import boto3
import uvloop
from botocore.config import Config

from cloche.core.configuration import Settings
from cloche.gateway.request_log import RequestLog
from cloche.gateway.runtime import Runtime
from cloche.gateway.server import RunningServer, running
from cloche.services.iam import identity

T = TypeVar("T")

CONFIG = Config(
    retries={"max_attempts": 0}, inject_host_prefix=False, s3={"addressing_style": "path"}
)


class LiveServer:
    """A server that listens on a free port of 127.0.0.1.

    Attributes:
        log: what it logged of requests.
    """

    def __init__(self, data_directory: Path, **settings: Any) -> None:
        self.settings = Settings(data_directory, port=0, **settings)
        self.log = io.StringIO()
        self._loop = uvloop.new_event_loop()
        self._stack = AsyncExitStack()
        self._thread = threading.Thread(target=self._loop.run_forever, name="live-server")
        self._clients: dict[tuple[Any, ...], Any] = {}
        self._running: RunningServer

    def start(self) -> LiveServer:
        """Start it; returns when it answers."""
        self._thread.start()

        async def enter() -> RunningServer:
            log = RequestLog(self.log, as_json=True)
            return await self._stack.enter_async_context(running(self.settings, log))

        try:
            self._running = self.run(enter())
        except BaseException:
            self._end_loop()
            raise
        return self

    def stop(self) -> None:
        """Stop it as a signal would."""
        self.run(self._stack.aclose())
        self._end_loop()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the server's event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    @property
    def runtime(self) -> Runtime:
        """Its state."""
        return self._running.runtime

    @property
    def endpoint_url(self) -> str:
        """Where it listens."""
        return self._running.url

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._running.port

    @cached_property
    def root(self) -> dict[str, str]:
        """The first account's root key."""
        return as_credentials(self.runtime.root)

    def new_account(self, name: str) -> dict[str, str]:
        """A further account's root key."""
        made = identity.create_account(self.runtime.documents, self.runtime.clock, name)
        return as_credentials(made)

    def advance(self, seconds: float) -> None:
        """Move its clock forward."""
        self.run(self.runtime.shared_clock.advance(seconds))

    def client(
        self, service: str, credentials: Mapping[str, Any] | None = None, **config: Any
    ) -> Any:
        """A boto3 client, of root unless credentials are given.

        Args:
            service: boto3's name.
            credentials: as CreateAccessKey, AssumeRole and `new_account` give them.
            config: of `botocore.config.Config`.
        """
        keys = credentials if credentials is not None else self.root
        name = (service, keys["AccessKeyId"], str(sorted(config.items())))
        if name not in self._clients:
            self._clients[name] = boto3.session.Session().client(
                service,
                endpoint_url=self.endpoint_url,
                region_name=config.pop("region_name", "us-east-1"),
                aws_access_key_id=keys["AccessKeyId"],
                aws_secret_access_key=keys.get("SecretAccessKey") or self._secret_of(keys),
                aws_session_token=keys.get("SessionToken"),
                config=CONFIG.merge(Config(**config)),
            )
        return self._clients[name]

    def _secret_of(self, keys: Mapping[str, Any]) -> str:
        """The secret of a key of which a test has only the id."""
        credential = identity.find_credential(self.runtime.documents, keys["AccessKeyId"])
        return credential.secret_access_key if credential is not None else "unknown"


def as_credentials(account: identity.AccountKey) -> dict[str, str]:
    """An account's key in the form in which IAM gives keys."""
    return {
        "AccountId": account.account_id,
        "AccessKeyId": account.access_key_id,
        "SecretAccessKey": account.secret_access_key,
    }
