"""The function behind the WebSocket API, with the events that API Gateway sends."""

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from sqlalchemy import text

from functions.live_updates.handling import Handler
from infra.local.events import websocket_event
from infra.local.lambda_runtime import LambdaRuntime
from infra.local.redis import EmbeddedRedis
from nightjar.adapters.redis.progress import RedisProgressChannel
from nightjar.application.api_keys import Role, issue
from nightjar.application.retention import forget_expired_connections
from nightjar.database.engine import Database
from nightjar.domain.task import TaskState
from tests.integration.live.conftest import PREFIX, after, claimed, completed, event
from tests.integration.live.gateway import Gateway

pytestmark = pytest.mark.anyio


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as gateway:
        yield gateway


@pytest.fixture
def environment(database_url: str, own_redis: EmbeddedRedis, gateway: Gateway) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": own_redis.url(),
        "REDIS_KEY_PREFIX": PREFIX,
        "LIVE_ENDPOINT": gateway.endpoint,
        "AWS_ACCESS_KEY_ID": "of-this-test-only",
        "AWS_SECRET_ACCESS_KEY": "of-this-test-only",
        "AWS_DEFAULT_REGION": "ap-northeast-2",
    }


@pytest.fixture
def key(database: Database) -> str:
    with database.transaction() as uow:
        return issue(uow, name="t", role=Role.OWNER, owner="shop")[1]


@pytest.fixture
def stranger(database: Database) -> str:
    with database.transaction() as uow:
        return issue(uow, name="t", role=Role.OWNER, owner="somebody else")[1]


class Function:
    """Sends events of one connection, and reads what was posted to it."""

    def __init__(self, handler: Handler, gateway: Gateway) -> None:
        self._handler = handler
        self.gateway = gateway
        self._parts = handler.parts

    def event(self, route: str, connection: str = "c1=", **parts: Any) -> int:
        answer = self._handler.handle(websocket_event(route, connection, **parts), None)
        return int(str(answer["statusCode"]))

    def connects(self, key: str | None = None, connection: str = "c1=") -> int:
        return self.event("$connect", connection, headers={"Authorization": f"Bearer {key}"} if key else {})

    def subscribes(self, task_id: object, connection: str = "c1=", **fields: object) -> list[dict[str, Any]]:
        """What was posted in answer."""
        before = len(self.gateway.posted[connection])
        body = json.dumps({"action": "subscribe", "task_id": str(task_id), **fields})
        assert self.event("subscribe", connection, body=body) == 200
        return [json.loads(posted) for posted in self.gateway.posted[connection][before:]]


@pytest.fixture
def function(environment: dict[str, str], gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Iterator[Function]:
    from functions.live_updates import handling

    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(handling, "configure_logging", lambda *_, **__: None)
    handler = Handler(environment)
    yield Function(handler, gateway)
    handler.parts.database.close()


def rows(database: Database) -> list[tuple[Any, ...]]:
    with database.transaction() as uow:
        found = uow.connection.execute(
            text("SELECT connection_id, owner, role, task_id FROM live_connections ORDER BY connection_id")
        )
        return [tuple(row) for row in found]


def test_a_key_in_the_header_opens_a_connection_that_lives_two_hours_and_a_disconnect_ends_it(
    function: Function, database: Database, key: str
) -> None:
    assert function.connects(key) == 200
    assert rows(database) == [("c1=", "shop", "owner", None)]
    with database.transaction() as uow:
        lives: timedelta = uow.connection.execute(
            text("SELECT expires_at - connected_at FROM live_connections")
        ).scalar_one()
    assert abs(lives - timedelta(hours=2)) < timedelta(seconds=1)
    assert function.event("$disconnect") == 200
    assert rows(database) == []


@pytest.mark.parametrize("header", ["Bearer nj_wrong", "Bearer", "Basic x", "Bearer \u00e9"])
def test_a_wrong_key_in_the_header_is_refused_before_the_connection_is_open(
    function: Function, database: Database, header: str
) -> None:
    assert function.event("$connect", headers={"authorization": header}) == 401
    assert rows(database) == []


async def test_a_subscription_is_answered_with_the_state_and_lets_workers_post(
    function: Function, database: Database, key: str, task_id: UUID, worker: RedisProgressChannel
) -> None:
    import asyncio

    await worker.publish(event(task_id, 30))
    await worker.publish(event(task_id, 40))
    await asyncio.sleep(0.2)

    def speak() -> None:
        function.connects(key)
        [snapshot] = function.subscribes(task_id)
        assert (snapshot["progress"], snapshot["seq"]) == (40, 2)
        assert rows(database) == [("c1=", "shop", "owner", task_id)]
        first = f"{snapshot['epoch']}:1"
        assert [m["seq"] for m in function.subscribes(task_id, after=first)] == [2]
        [ping] = function.subscribes(task_id, after=after(snapshot))
        assert ping["type"] == "ping"
        [again] = function.subscribes(task_id, after="another:7")
        assert again == snapshot

    await asyncio.to_thread(speak)


def test_the_key_may_come_with_the_subscription(function: Function, key: str, task_id: UUID) -> None:
    function.connects()
    [snapshot] = function.subscribes(task_id, key=key)
    assert snapshot["status"] == "pending"
    [again] = function.subscribes(task_id)
    assert again == snapshot, "the connection is known from now on"


def test_an_end_that_nobody_published_is_told(function: Function, database: Database, key: str, task_id: UUID) -> None:
    function.connects(key)
    [waiting] = function.subscribes(task_id)
    completed(database, claimed(database, task_id))
    [end] = function.subscribes(task_id, after=after(waiting))
    assert (end["status"], end["epoch"], end["seq"]) == ("completed", waiting["epoch"], 2)


def test_without_redis_the_row_is_told(function: Function, own_redis: EmbeddedRedis, key: str, task_id: UUID) -> None:
    own_redis.stop()
    function.connects(key)
    [state] = function.subscribes(task_id)
    assert (state["status"], state["seq"]) == ("pending", 1)
    assert state["epoch"].startswith("row-")


def test_who_missed_very_much_gets_the_newest_state(
    function: Function, key: str, task_id: UUID, own_redis: EmbeddedRedis
) -> None:
    import asyncio

    async def publish() -> None:
        channel = RedisProgressChannel(own_redis.url(1), PREFIX)
        await channel.start()
        for progress in range(1, 101):
            await channel.publish(event(task_id, progress))
        await channel.close()

    asyncio.run(publish())
    function.connects(key)
    [newest] = function.subscribes(task_id)
    assert [m["seq"] for m in function.subscribes(task_id, after=f"{newest['epoch']}:60")] == list(range(61, 101))
    assert [m["seq"] for m in function.subscribes(task_id, after=f"{newest['epoch']}:10")] == [100]


def refusal(function: Function, connection: str = "c1=") -> str:
    """The code that was told, before the connection was ended."""
    assert function.gateway.ended[-1:] == [connection]
    return str(json.loads(function.gateway.posted[connection][-1])["error"]["code"])


def test_without_a_key_with_a_wrong_one_or_for_another_owners_task_the_connection_ends_with_a_reason(
    function: Function, database: Database, key: str, stranger: str, task_id: UUID
) -> None:
    function.connects()
    function.subscribes(task_id)
    assert refusal(function) == "unauthorized"
    for wrong in ("nj_wrong", "", 7, "\u00e9"):
        function.subscribes(task_id, key=wrong)
        assert refusal(function) == "unauthorized"
    function.connects(stranger, "c2=")
    function.subscribes(task_id, "c2=")
    assert refusal(function, "c2=") == "not_found"
    function.connects(key, "c3=")
    for unknown in (uuid4(), "no-uuid", None):
        function.subscribes(unknown, "c3=")
        assert refusal(function, "c3=") == "not_found"
    assert [row[3] for row in rows(database)] == [None, None, None], "nobody watches"


def test_garbage_ends_the_connection_with_a_reason(function: Function, key: str) -> None:
    function.connects(key)
    garbage = ["", "{", "[]", "null", "7", "[" * 4000, '{"action": "subscribe"', "x" * 5000, '{"action": "other"}']
    for number, body in enumerate(garbage * 2):
        assert function.event("subscribe" if number % 2 else "$default", body=body) == 200
        assert refusal(function) == "invalid"
    assert len(function.gateway.ended) == 2 * len(garbage)


def test_a_position_that_is_none_is_refused(function: Function, key: str, task_id: UUID) -> None:
    function.connects(key)
    for position in ("7", "a:b", 7, ["a:1"], {"a": 1}):
        function.subscribes(task_id, after=position)
        assert refusal(function) == "invalid"


def test_a_connection_that_is_gone_while_it_is_answered_loses_its_row(
    function: Function, database: Database, key: str, task_id: UUID
) -> None:
    function.connects(key)
    function.gateway.answers["c1="] = [410]
    function.subscribes(task_id)
    assert rows(database) == []


def test_an_expired_connection_is_refused_and_swept(
    function: Function, database: Database, key: str, task_id: UUID
) -> None:
    function.connects(key)
    function.connects(key, "c2=")
    with database.transaction() as uow:
        uow.connection.execute(
            text("UPDATE live_connections SET expires_at = clock_timestamp() WHERE connection_id = 'c1='")
        )
    function.subscribes(task_id)
    assert refusal(function) == "unauthorized"
    assert forget_expired_connections(database.transaction) == 1
    assert [row[0] for row in rows(database)] == ["c2="]


def test_keys_are_never_logged(function: Function, key: str, task_id: UUID, log: StringIO) -> None:
    function.connects(key)
    function.connects(None, "c2=")
    function.subscribes(task_id, "c2=", key=key)
    function.subscribes(task_id, "c2=", key="nj_a-wrong-key-0123456789")
    written = log.getvalue()
    assert written.count("live_event") == 4
    assert key not in written
    assert "nj_a-wrong-key" not in written


async def test_in_the_real_runtime_a_connection_is_opened_watches_and_ends(
    environment: dict[str, str],
    gateway: Gateway,
    database: Database,
    key: str,
    task_id: UUID,
    worker: RedisProgressChannel,
    own_redis: EmbeddedRedis,
) -> None:
    await worker.publish(event(task_id, 100, status=TaskState.COMPLETED))
    await worker.close()
    with LambdaRuntime("functions.live_updates.app.handler", environment) as runtime:
        headers = {"Authorization": f"Bearer {key}"}
        assert runtime.invoke(websocket_event("$connect", "L0SM9cOFvHcCIhw=", headers=headers)) == {"statusCode": 200}
        body = json.dumps({"action": "subscribe", "task_id": str(task_id)})
        runtime.invoke(websocket_event("subscribe", "L0SM9cOFvHcCIhw=", body=body))
        runtime.invoke(websocket_event("$disconnect", "L0SM9cOFvHcCIhw="))
        refused = runtime.invoke(websocket_event("$connect", "x", headers={"Authorization": "Bearer nj_wrong"}))
        written = runtime.log
    [told] = [json.loads(posted) for posted in gateway.posted["L0SM9cOFvHcCIhw="]]
    assert (told["status"], told["progress"]) == ("completed", 100)
    assert refused == {"statusCode": 401}
    assert rows(database) == []
    assert '"Refused"' in written
    assert key not in written
    with redis.Redis.from_url(own_redis.url(1)) as client:
        assert all(name.startswith(PREFIX.encode()) for name in client.scan_iter())
