"""An API that serves WebSocket over a real Postgres and a Redis of the test's own, which it may break."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from functions.api.factory import create_app
from infra.local.addresses import LOOPBACK, free_port
from infra.local.redis import EmbeddedRedis
from nightjar.adapters.redis.progress import RedisProgressChannel
from nightjar.application.api_keys import Role, issue
from nightjar.database.engine import Database
from nightjar.domain.progress import ProgressEvent
from nightjar.domain.task import Claim, TaskState
from nightjar.wiring import build_api
from tests.factories import a_task
from tests.integration.api.conftest import environment_of, log  # noqa: F401  # the fixture

PREFIX = "live-test:"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path / "own-redis")
    server.start()
    yield server
    server.stop()


@dataclass(frozen=True)
class Served:
    """A running API. `key` is the key of the owner `shop`, whose tasks the factories make."""

    port: int
    key: str
    stranger: str
    operator: str

    @asynccontextmanager
    async def watch(
        self, task_id: UUID | str, *, key: str | None = "", after: str | None = None, **options: Any
    ) -> AsyncIterator[ClientConnection]:
        """A client; without a key it sends no header."""
        query = f"?after={after}" if after is not None else ""
        url = f"ws://{LOOPBACK}:{self.port}/api/v1/tasks/{task_id}/live{query}"
        shown = self.key if key == "" else key
        headers = {"Authorization": f"Bearer {shown}"} if shown else {}
        async with connect(url, additional_headers=headers, proxy=None, **options) as client:
            yield client


@pytest.fixture
def served(database: Database, database_url: str, own_redis: EmbeddedRedis) -> Iterator[Served]:
    with serving(database, environment_of(database_url, own_redis.url(), REDIS_KEY_PREFIX=PREFIX)) as running:
        yield running


class serving:  # noqa: N801  # a context manager
    """The API in a thread, with the limits that it is served with everywhere."""

    def __init__(self, database: Database, environment: dict[str, str]) -> None:
        self._database = database
        self._environment = environment
        self._api = build_api(environment, pool_size=4)
        self._port = free_port()
        config = uvicorn.Config(
            create_app(self._api),
            host=LOOPBACK,
            port=self._port,
            log_config=None,
            ws_max_size=16384,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> Served:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        with self._database.transaction() as uow:
            _, key = issue(uow, name="t", role=Role.OWNER, owner="shop")
            _, stranger = issue(uow, name="t", role=Role.OWNER, owner="somebody else")
        return Served(self._port, key, stranger, self._environment["NIGHTJAR_BOOTSTRAP_API_KEY"])

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)
        assert not self._thread.is_alive(), "the API does not stop"


@pytest.fixture
async def worker(own_redis: EmbeddedRedis) -> AsyncIterator[RedisProgressChannel]:
    """What a worker publishes through."""
    channel = RedisProgressChannel(own_redis.url(1), PREFIX)
    await channel.start()
    yield channel
    await channel.close()


@pytest.fixture
def task_id(database: Database) -> UUID:
    """A task of the owner `shop` that waits."""
    return a_task(database)


def event(
    task_id: UUID,
    progress: int = 60,
    *,
    status: TaskState = TaskState.IN_PROGRESS,
    step: str = "extraction",
    message: str = "reading stores",
) -> ProgressEvent:
    return ProgressEvent(
        task_id=task_id,
        status=status,
        step=step,
        message=message,
        progress=progress,
        counts={"stores": progress},
        at=datetime.now(UTC),
    )


def claimed(database: Database, task_id: UUID) -> Claim:
    with database.transaction() as uow:
        claim = uow.tasks.claim(task_id, lease=timedelta(minutes=1))
    assert claim
    return claim


def completed(database: Database, claim: Claim) -> None:
    with database.transaction() as uow:
        uow.tasks.complete(claim, {"stores": 3})


async def receive(client: ClientConnection, count: int = 1, *, within: float = 5) -> list[dict[str, Any]]:
    """So many messages."""
    async with asyncio.timeout(within):
        return [json.loads(await client.recv()) for _ in range(count)]


async def one(client: ClientConnection, *, within: float = 5) -> dict[str, Any]:
    return (await receive(client, within=within))[0]


async def until(client: ClientConnection, progress: int) -> dict[str, Any]:
    """The first message that tells this progress."""
    while True:
        message = await one(client)
        if message["progress"] == progress:
            return message


async def rest(client: ClientConnection, *, within: float = 8) -> tuple[list[dict[str, Any]], int | None, str]:
    """All messages until the server closes, and how it closes."""
    messages: list[dict[str, Any]] = []
    async with asyncio.timeout(within):
        try:
            while True:
                messages.append(json.loads(await client.recv()))
        except ConnectionClosed as closed:
            return messages, closed.rcvd.code if closed.rcvd else None, closed.rcvd.reason if closed.rcvd else ""


def place(message: dict[str, Any]) -> tuple[str, int]:
    return message["epoch"], message["seq"]


def after(message: dict[str, Any]) -> str:
    return f"{message['epoch']}:{message['seq']}"
