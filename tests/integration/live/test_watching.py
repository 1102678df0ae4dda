"""What a client of the local API sees: a snapshot, what follows, the end once, and no hole."""

import asyncio
import socket
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import redis
from sqlalchemy import text

from functions.api import live as live_hub
from functions.api.live import LiveHub, Watcher
from infra.local.addresses import LOOPBACK
from infra.local.redis import EmbeddedRedis
from nightjar.adapters.redis.progress import RedisProgressChannel
from nightjar.database.engine import Database
from nightjar.domain.task import TaskState
from nightjar.errors import ErrorCode
from tests.integration.live.conftest import Served, after, claimed, completed, event, one, place, receive, rest, until

pytestmark = pytest.mark.anyio

MANY = 8_000
"""Messages of half a kilobyte: more than the buffers of a loopback connection hold."""

FIELDS = {"epoch", "seq", "task_id", "status", "step", "message", "progress", "counts", "at"}


async def test_a_waiting_task_is_shown_first_then_what_happens_then_its_end_and_the_server_closes(
    served: Served, worker: RedisProgressChannel, database: Database, task_id: UUID
) -> None:
    async with served.watch(task_id) as client:
        first = await one(client)
        assert set(first) == FIELDS
        assert (first["task_id"], first["status"], first["progress"]) == (str(task_id), "pending", 0)
        claim = claimed(database, task_id)
        for progress in (0, 10, 60):
            await worker.publish(event(task_id, progress))
        updates = await receive(client, 3)
        completed(database, claim)
        await worker.publish(event(task_id, 100, status=TaskState.COMPLETED, step="completed"))
        last, code, reason = await rest(client)
    assert [update["progress"] for update in updates] == [0, 10, 60]
    assert updates[-1]["counts"] == {"stores": 60}
    assert [message["status"] for message in last] == ["completed"]
    assert (code, reason) == (1000, "the task has ended")
    everything = [first, *updates, *last]
    assert [place(message) for message in everything] == [(first["epoch"], number) for number in range(1, 6)]


async def test_a_client_that_reconnects_misses_nothing_and_sees_nothing_twice(
    served: Served, worker: RedisProgressChannel, task_id: UUID
) -> None:
    publishing = asyncio.create_task(publish_slowly(worker, task_id, 200))
    seen: list[dict[str, Any]] = []
    position: str | None = None
    while not seen or seen[-1]["progress"] < 200:
        async with served.watch(task_id, after=position) as client:
            seen += await receive(client, min(7, 200 - (seen[-1]["progress"] if seen else 0)) or 1)
        position = after(seen[-1])
    await publishing
    numbers = [message["seq"] for message in seen]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len({message["epoch"] for message in seen}) == 1


async def publish_slowly(worker: RedisProgressChannel, task_id: UUID, count: int) -> None:
    for progress in range(1, count + 1):
        await worker.publish(event(task_id, progress))
        await asyncio.sleep(0.005)


async def test_a_client_that_comes_back_after_the_end_is_not_told_it_again(
    served: Served, worker: RedisProgressChannel, database: Database, task_id: UUID
) -> None:
    completed(database, claimed(database, task_id))
    await worker.publish(event(task_id, 100, status=TaskState.COMPLETED))
    async with served.watch(task_id) as client:
        [end], code, _ = await rest(client)
    assert (end["status"], code) == ("completed", 1000)
    async with served.watch(task_id, after=after(end)) as client:
        assert await rest(client) == ([], 1000, "the task has ended")


async def test_a_client_that_was_away_too_long_gets_a_snapshot(
    served: Served, worker: RedisProgressChannel, task_id: UUID
) -> None:
    async with served.watch(task_id) as client:
        first = await one(client)
    for progress in range(600):
        await worker.publish(event(task_id, progress))
    await asyncio.sleep(0.5)
    async with served.watch(task_id, after=after(first)) as client:
        snapshot = await one(client)
        await worker.publish(event(task_id, 700))
        follows = await one(client)
    assert place(snapshot) == (first["epoch"], 601)
    assert place(follows) == (first["epoch"], 602)


@pytest.mark.parametrize("unknown", ["0123:7", "row-0123:1", "x:999999"])
async def test_a_position_of_another_epoch_gets_a_snapshot(
    served: Served, worker: RedisProgressChannel, task_id: UUID, unknown: str
) -> None:
    async with served.watch(task_id) as client:
        await one(client)
        await worker.publish(event(task_id, 30))
        known = await one(client)
    async with served.watch(task_id, after=unknown) as client:
        assert await one(client) == known


@pytest.fixture
def without_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Redis says has to do, and at once."""
    monkeypatch.setattr(live_hub, "POLL_SECONDS", 600.0)
    monkeypatch.setattr(live_hub, "POLL_SECONDS_WITHOUT_REDIS", 600.0)


@pytest.mark.usefixtures("without_poll")
async def test_what_is_said_while_the_subscription_is_cut_arrives(
    served: Served, worker: RedisProgressChannel, own_redis: EmbeddedRedis, task_id: UUID
) -> None:
    async with served.watch(task_id) as client:
        first = await one(client)
        for cut in range(3):
            with redis.Redis.from_url(own_redis.url()) as admin:
                admin.client_kill_filter(_type="pubsub")
            for progress in range(10):
                await worker.publish(event(task_id, 10 * cut + progress))
            assert [place(message) for message in await receive(client, 10)] == [
                (first["epoch"], first["seq"] + 10 * cut + number) for number in range(1, 11)
            ]


@pytest.mark.usefixtures("without_poll")
async def test_when_redis_lost_its_memory_a_snapshot_in_a_new_epoch_follows_and_then_the_rest(
    served: Served, worker: RedisProgressChannel, own_redis: EmbeddedRedis, task_id: UUID
) -> None:
    async with served.watch(task_id) as client:
        await one(client)
        await worker.publish(event(task_id, 10))
        before = await one(client)
        with redis.Redis.from_url(own_redis.url()) as admin:
            admin.flushall()
        await worker.publish(event(task_id, 20))
        await worker.publish(event(task_id, 30))
        messages = [await one(client)]
        while messages[-1]["progress"] != 30:
            messages.append(await one(client))
    assert before["progress"] == 10
    assert {message["epoch"] for message in messages}.isdisjoint({before["epoch"]})
    numbers = [message["seq"] for message in messages]
    assert numbers == sorted(set(numbers))


async def test_an_end_that_nobody_published_is_told_within_seconds(
    served: Served, worker: RedisProgressChannel, database: Database, task_id: UUID
) -> None:
    claim = claimed(database, task_id)
    await worker.publish(event(task_id, 60))
    async with served.watch(task_id) as client, served.watch(task_id) as other:
        told = await until(client, 60)
        await until(other, 60)
        with database.transaction() as uow:
            uow.tasks.fail(claim, ErrorCode.WORKER_LOST, "its worker was lost 3 times", retryable=True)
        [end], code, _ = await rest(client)
        [same], _, _ = await rest(other)
        await worker.publish(event(task_id, 70))
    assert same["status"] == end["status"] == "failed"
    assert (place(end), code) == ((told["epoch"], told["seq"] + 1), 1000)
    assert end["error"] == {"code": "worker_lost", "message": "its worker was lost 3 times", "retryable": True}
    assert end["counts"] == told["counts"]
    async with served.watch(task_id, after=after(end)) as client:
        assert (await rest(client))[0] == [], "an event that comes late does not follow the end"


async def test_a_task_whose_worker_died_is_shown_as_waiting_again(
    served: Served, worker: RedisProgressChannel, database: Database, task_id: UUID
) -> None:
    claim = claimed(database, task_id)
    await worker.publish(event(task_id, 60))
    async with served.watch(task_id) as client:
        assert (await one(client))["status"] == "in_progress"
        with database.transaction() as uow:
            uow.tasks.release(claim, counted=True, delay=timedelta(minutes=1))
        assert (await one(client, within=8))["status"] == "pending"


async def test_without_redis_a_client_still_sees_the_state_and_the_end(
    served: Served, own_redis: EmbeddedRedis, database: Database, task_id: UUID
) -> None:
    own_redis.stop()
    async with served.watch(task_id) as client:
        waiting = await one(client)
        claim = claimed(database, task_id)
        running = await one(client)
        with database.transaction() as uow:
            uow.tasks.renew(claim, lease=timedelta(minutes=1), step="parsing", progress=70)
        parsing = await one(client)
        completed(database, claim)
        [end], code, _ = await rest(client)
    assert [message["status"] for message in (waiting, running, end)] == ["pending", "in_progress", "completed"]
    assert (parsing["step"], parsing["progress"]) == ("parsing", 70)
    assert [place(message) for message in (waiting, running, parsing, end)] == [
        (waiting["epoch"], number) for number in (1, 2, 3, 4)
    ]
    assert code == 1000


async def test_when_redis_dies_and_comes_back_a_client_goes_on_without_a_hole(
    served: Served, worker: RedisProgressChannel, own_redis: EmbeddedRedis, database: Database, task_id: UUID
) -> None:
    claim = claimed(database, task_id)
    async with served.watch(task_id) as client:
        await one(client)
        await worker.publish(event(task_id, 10))
        assert (await one(client))["progress"] == 10
        own_redis.stop()
        for progress in (20, 30):
            await worker.publish(event(task_id, progress))
        await asyncio.sleep(1)
        own_redis.start()
        assert [message["progress"] for message in await receive(client, 2, within=10)] == [20, 30]
        completed(database, claim)
        await worker.publish(event(task_id, 100, status=TaskState.COMPLETED))
        messages, code, _ = await rest(client)
    assert ([message["status"] for message in messages], code) == (["completed"], 1000)


async def test_one_connection_to_redis_serves_all_clients_and_is_given_back(
    served: Served, own_redis: EmbeddedRedis, task_id: UUID
) -> None:
    with redis.Redis.from_url(own_redis.url()) as admin:
        async with asyncio.TaskGroup() as clients:
            stop = asyncio.Event()
            ready = [asyncio.Event() for _ in range(30)]
            for is_ready in ready:
                clients.create_task(stay(served, task_id, is_ready, stop))
            for is_ready in ready:
                await is_ready.wait()
            listeners = [client for client in admin.client_list() if int(client["sub"])]
            assert len(listeners) == 1
            assert int(listeners[0]["sub"]) == 2, "one channel of the hub, one of the task"
            stop.set()
        await asyncio.sleep(0.2)
        assert [int(client["sub"]) for client in admin.client_list() if int(client["sub"])] == [1]


async def stay(served: Served, task_id: UUID, is_ready: asyncio.Event, stop: asyncio.Event) -> None:
    async with served.watch(task_id) as client:
        await one(client)
        is_ready.set()
        await stop.wait()


async def test_a_slow_client_gets_the_newest_state_and_keeps_nobody_waiting(
    served: Served, worker: RedisProgressChannel, database: Database, task_id: UUID
) -> None:
    claim = claimed(database, task_id)
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect((LOOPBACK, served.port))
    async with served.watch(task_id, max_queue=1, sock=narrow) as slow, served.watch(task_id) as quick:
        await one(slow)
        await one(quick)
        for progress in range(1, MANY + 1):
            await worker.publish(event(task_id, progress, message="long " * 90))
            if progress % 100 == 0:
                await receive(quick, 100)
        completed(database, claim)
        await worker.publish(event(task_id, 100, status=TaskState.COMPLETED))
        messages, code, _ = await rest(slow)
    numbers = [message["seq"] for message in messages]
    assert numbers == sorted(set(numbers))
    assert len(numbers) < MANY, "what it did not take was not kept for it"
    assert (messages[-1]["status"], code) == ("completed", 1000)


async def test_a_client_that_takes_nothing_is_let_go(
    served: Served, worker: RedisProgressChannel, database: Database, task_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.api.routes import live

    monkeypatch.setattr(live, "SEND_SECONDS", 0.3)
    claimed(database, task_id)
    hub_is_empty = asyncio.Event()
    leave = LiveHub.leave

    async def noticed(hub: LiveHub, watched: UUID, watcher: Watcher) -> None:
        await leave(hub, watched, watcher)
        loop.call_soon_threadsafe(hub_is_empty.set)

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(LiveHub, "leave", noticed)
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect((LOOPBACK, served.port))
    async with served.watch(task_id, max_queue=1, sock=narrow) as slow:
        await one(slow)
        while not hub_is_empty.is_set():
            for progress in range(100):
                await worker.publish(event(task_id, progress, message="long " * 90))
            await asyncio.sleep(0.02)
        messages, code, _ = await rest(slow)
    assert code in {1006, 4408, None}
    assert messages


async def test_silence_is_broken_by_a_ping(served: Served, task_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    from functions.api.routes import live

    monkeypatch.setattr(live, "PING_SECONDS", 0.1)
    async with served.watch(task_id) as client:
        snapshot, ping, again = await receive(client, 3)
    assert "seq" in snapshot
    assert ping["type"] == again["type"] == "ping"


async def test_a_watched_task_that_is_not_there_any_more_ends_nothing_else(
    served: Served, worker: RedisProgressChannel, database: Database, task_id: UUID
) -> None:
    async with served.watch(task_id) as client:
        await one(client)
        with database.transaction() as uow:
            uow.connection.execute(text("DELETE FROM tasks"))
        await asyncio.sleep(2.5)
        await worker.publish(event(task_id, 10))
        assert (await one(client))["progress"] == 10
