"""Who may not watch, and what no client of good will sends: closed with a reason, and the server goes on."""

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from uuid import UUID, uuid4

import pytest
from websockets.exceptions import ConnectionClosed

from functions.api.routes import live
from infra.local.addresses import LOOPBACK
from infra.local.postgres import EmbeddedPostgres
from infra.local.redis import EmbeddedRedis
from nightjar.adapters.redis.progress import RedisProgressChannel
from nightjar.database.engine import Database
from tests.conftest import TEMPLATE
from tests.integration.api.conftest import environment_of
from tests.integration.live.conftest import PREFIX, Served, event, one, rest, serving

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def database_url(postgres: EmbeddedPostgres) -> str:
    """One for all tests here: nothing that is refused leaves a trace."""
    postgres.create_database("refused_live_clients", template=TEMPLATE)
    return postgres.url("refused_live_clients")


@pytest.fixture(scope="module")
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url, name="test", pool_size=2)
    yield database
    database.close()


@pytest.fixture(scope="module")
def served(database: Database, database_url: str, redis_server: EmbeddedRedis) -> Iterator[Served]:
    with serving(database, environment_of(database_url, redis_server.url(), REDIS_KEY_PREFIX=PREFIX)) as running:
        yield running


@pytest.fixture
def own_redis(redis_server: EmbeddedRedis) -> EmbeddedRedis:
    """Nobody breaks it here."""
    return redis_server


async def test_the_key_may_come_in_the_first_message(served: Served, task_id: UUID) -> None:
    async with served.watch(task_id, key=None) as client:
        await client.send(json.dumps({"key": served.key}))
        assert (await one(client))["task_id"] == str(task_id)


async def test_an_operator_may_watch_everything(served: Served, task_id: UUID) -> None:
    async with served.watch(task_id, key=served.operator) as client:
        assert (await one(client))["task_id"] == str(task_id)


async def test_without_a_key_the_connection_ends_after_a_while(
    served: Served, task_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "KEY_SECONDS", 0.2)
    async with served.watch(task_id, key=None) as client:
        assert await rest(client) == ([], 4401, "no API key came within 0.2 s")


@pytest.mark.parametrize(
    "first", ['{"key": "nj_wrong"}', '{"key": ""}', '{"key": 7}', '{"key": null}', "{}", '{"key": "\\ud800"}']
)
async def test_a_wrong_key_in_the_first_message_is_refused(served: Served, task_id: UUID, first: str) -> None:
    async with served.watch(task_id, key=None) as client:
        await client.send(first)
        messages, code, reason = await rest(client)
    assert (messages, code) == ([], 4401)
    assert reason


@pytest.mark.parametrize("header", ["Bearer nj_wrong", "Bearer", "Basic bmo6bmo=", "", "Bearer \xe9"])
async def test_a_wrong_key_in_the_header_is_refused(served: Served, task_id: UUID, header: str) -> None:
    from websockets.asyncio.client import connect

    url = f"ws://{LOOPBACK}:{served.port}/api/v1/tasks/{task_id}/live"
    async with connect(url, additional_headers={"Authorization": header}, proxy=None) as client:
        messages, code, reason = await rest(client)
    assert (messages, code) == ([], 4401)
    assert reason


async def test_a_task_of_somebody_else_is_as_unknown_as_one_that_does_not_exist(served: Served, task_id: UUID) -> None:
    answers = []
    for watched, key in ((task_id, served.stranger), (uuid4(), served.key), ("no-uuid", served.key)):
        async with served.watch(watched, key=key) as client:
            answers.append(await rest(client))
    assert answers == [([], 4404, "there is no such task")] * 3


@pytest.mark.parametrize("position", ["7", "a:b", "a:-1", ":", "a:1:2", "%22%3B:1", "a" * 100 + ":1"])
async def test_a_position_that_is_none_is_refused(served: Served, task_id: UUID, position: str) -> None:
    async with served.watch(task_id, after=position) as client:
        messages, code, reason = await rest(client)
    assert (messages, code) == ([], 4400)
    assert "EPOCH:SEQ" in reason


@pytest.mark.parametrize("with_key", [True, False])
@pytest.mark.parametrize(
    "garbage", ["", "{", "[]", "null", "[" * 4000, b"\x00\xff", '{"key": "' + "x" * 5000 + '"}', "\x00"]
)
async def test_garbage_is_refused(served: Served, task_id: UUID, garbage: str | bytes, *, with_key: bool) -> None:
    async with served.watch(task_id, key="" if with_key else None) as client:
        await client.send(garbage)
        _, code, reason = await rest(client)
    assert code == 4400
    assert reason


async def test_a_message_beyond_all_limits_is_refused_before_it_is_read(served: Served, task_id: UUID) -> None:
    async with served.watch(task_id) as client:
        await one(client)
        with suppress(ConnectionClosed):
            await client.send("x" * 5_000_000)
        _, code, _ = await rest(client)
    assert code == 1009


async def test_ten_thousand_messages_end_the_connection_and_harm_nobody(
    served: Served, worker: RedisProgressChannel, task_id: UUID
) -> None:
    async with served.watch(task_id) as good:
        await one(good)
        for flood in ('{"type": "pong"}', '{"key": "nj_wrong"}'):
            async with served.watch(task_id) as client:
                with suppress(ConnectionClosed):
                    for _ in range(10_000):
                        await client.send(flood)
                _, code, reason = await rest(client)
            assert (code, reason) == (4429, "more than 30 messages in a minute")
        await worker.publish(event(task_id, 42))
        assert (await one(good))["progress"] == 42


async def test_half_a_handshake_and_a_broken_frame_harm_nobody(served: Served, task_id: UUID) -> None:
    for beginning in (
        b"GET /api/v1/tasks/",
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n",
        b"\x81\xff\xff",
    ):
        with socket.create_connection((LOOPBACK, served.port)) as raw:
            raw.sendall(beginning)
    async with served.watch(task_id) as client:
        await one(client)
        client.transport.write(b"\xff\xff\xff\xff\xff\xff")
        _, code, _ = await rest(client)
        assert code == 1002
    async with served.watch(task_id) as client:
        assert await one(client)


async def test_a_path_that_is_none_is_not_upgraded(served: Served) -> None:
    from websockets.asyncio.client import connect
    from websockets.exceptions import InvalidStatus

    for path in ("/api/v1/tasks", "/api/v1/live", "/nothing", "/api/v1/keys"):
        with pytest.raises(InvalidStatus):
            async with connect(f"ws://{LOOPBACK}:{served.port}{path}", proxy=None):
                pass


async def test_too_many_clients_are_told_to_come_again(
    served: Served, task_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "CLIENTS_LIMIT", 2)
    async with served.watch(task_id) as first, served.watch(task_id) as second:
        await asyncio.gather(one(first), one(second))
        async with served.watch(task_id) as third:
            _, code, _ = await rest(third)
    assert code == 1013


async def test_without_the_database_a_client_is_told_to_come_again(
    served: Served, task_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nightjar.database.engine import DatabaseUnavailable

    def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("Postgres does not answer")

    monkeypatch.setattr(live, "authenticate", away)
    async with served.watch(task_id) as client:
        messages, code, reason = await rest(client)
    assert (messages, code) == ([], 1013)
    assert "a few seconds" in reason


async def test_keys_are_never_logged(served: Served, task_id: UUID, log: StringIO) -> None:
    secret = "nj_this-key-must-not-be-logged-0123456789"
    async with served.watch(task_id, key=secret) as client:
        await rest(client)
    async with served.watch(task_id, key=None) as client:
        await client.send(json.dumps({"key": secret}))
        await rest(client)
    async with served.watch(task_id) as client:
        await one(client)
    await asyncio.sleep(0.2)
    written = log.getvalue()
    assert written.count("live_closed") == 3
    assert secret not in written
    assert served.key not in written
