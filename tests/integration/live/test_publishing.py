"""The stream of a task in Redis, and the publisher that costs a task nothing."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest
import redis

from infra.local.redis import EmbeddedRedis
from nightjar.adapters.redis import progress
from nightjar.adapters.redis.connection import impatient_client
from nightjar.adapters.redis.progress import RedisProgressChannel
from nightjar.adapters.redis.progress_stream import NO_STREAM, ProgressStreams
from nightjar.domain.progress import LiveMessage, Position
from nightjar.domain.task import TaskState
from tests.integration.live.conftest import PREFIX, event
from tests.integration.local.processes import eventually

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def a_sender(redis_url: str) -> AsyncIterator[ProgressStreams]:
    client = impatient_client(redis_url)
    yield ProgressStreams(client, prefix=PREFIX)
    await client.aclose()


@pytest.fixture
async def streams(redis_url: str) -> AsyncIterator[ProgressStreams]:
    async with a_sender(redis_url) as streams:
        yield streams


@pytest.fixture
async def other(redis_url: str) -> AsyncIterator[ProgressStreams]:
    """Another sender."""
    async with a_sender(redis_url) as streams:
        yield streams


async def test_two_senders_number_without_a_hole_and_without_a_repeat(
    streams: ProgressStreams, other: ProgressStreams
) -> None:
    task_id = uuid4()

    async def send(sender: ProgressStreams) -> None:
        for number in range(1, 101):
            await sender.append(event(task_id, number), number=number)

    await asyncio.gather(send(streams), send(other))
    backlog = await streams.read(task_id, after=None)
    assert backlog
    first = Position(backlog.messages[0].position.epoch, 1)
    backlog = await streams.read(task_id, after=first)
    assert backlog
    assert backlog.follows
    assert [message.position.seq for message in backlog.messages] == list(range(2, 201))


async def test_an_event_that_is_sent_again_is_stored_once(streams: ProgressStreams) -> None:
    task_id = uuid4()
    first = await streams.append(event(task_id, 1), number=7)
    assert await streams.append(event(task_id, 1), number=7) == first
    backlog = await streams.read(task_id, after=None)
    assert backlog
    assert backlog.messages[0].position.seq == 1


async def test_nothing_follows_a_final_state(streams: ProgressStreams, other: ProgressStreams) -> None:
    task_id = uuid4()
    await streams.append(event(task_id, 1), number=1)
    end = await streams.append(event(task_id, 100, status=TaskState.CANCELLED), number=2)
    assert await streams.append(event(task_id, 60), number=3) == ""
    assert await other.append(event(task_id, 100, status=TaskState.COMPLETED), number=1) == ""
    backlog = await other.read(task_id, after=None)
    assert backlog
    assert backlog.ended
    assert backlog.messages == (LiveMessage.parse(end),)


async def test_an_event_with_a_condition_is_appended_only_after_that_position(streams: ProgressStreams) -> None:
    task_id = uuid4()
    first = LiveMessage.parse(await streams.append(event(task_id, 1), number=1, after=NO_STREAM))
    assert await streams.append(event(task_id, 2), number=2, after=NO_STREAM) == ""
    assert await streams.append(event(task_id, 2), number=3, after=first.position) != ""
    assert await streams.append(event(task_id, 3), number=4, after=first.position) == ""


async def test_a_stream_is_capped_and_expires_and_a_position_in_what_was_cut_off_gets_the_newest(
    streams: ProgressStreams, redis_url: str
) -> None:
    task_id = uuid4()
    for number in range(1, 603):
        text = await streams.append(event(task_id, number), number=number)
    newest = LiveMessage.parse(text)
    epoch = newest.position.epoch
    cut = await streams.read(task_id, after=Position(epoch, 101))
    kept = await streams.read(task_id, after=Position(epoch, 102))
    ahead = await streams.read(task_id, after=Position(epoch, 603))
    assert cut
    assert kept
    assert ahead
    assert (cut.follows, cut.messages) == (False, (newest,))
    assert (kept.follows, len(kept.messages)) == (True, 500)
    assert (ahead.follows, ahead.messages) == (False, (newest,))
    with redis.Redis.from_url(redis_url) as client:
        keys = list(client.scan_iter())
        assert all(key.startswith(f"{PREFIX}nightjar:progress:{task_id}".encode()) for key in keys)
        assert all(3500 < int(client.ttl(key)) <= 3600 for key in keys)
        assert len(keys) == 2


async def test_a_stream_that_was_lost_begins_a_new_epoch(streams: ProgressStreams, redis_url: str) -> None:
    task_id = uuid4()
    before = LiveMessage.parse(await streams.append(event(task_id, 1), number=1))
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    assert await streams.read(task_id, after=before.position) is None
    after = LiveMessage.parse(await streams.append(event(task_id, 2), number=2))
    assert after.position.epoch != before.position.epoch
    assert after.position.seq == 1


async def test_one_half_of_a_stream_alone_is_no_stream(streams: ProgressStreams, redis_url: str) -> None:
    for half in ("position", "messages"):
        task_id = uuid4()
        await streams.append(event(task_id, 1), number=1)
        with redis.Redis.from_url(redis_url) as client:
            client.delete(f"{PREFIX}nightjar:progress:{task_id}:{half}")
        assert await streams.read(task_id, after=None) is None
        await streams.append(event(task_id, 2), number=2)
        backlog = await streams.read(task_id, after=None)
        assert backlog
        assert '"progress":2,' in backlog.messages[0].text


async def test_a_dead_redis_costs_a_publisher_nothing_and_what_is_newest_arrives_later(
    own_redis: EmbeddedRedis, task_id: UUID
) -> None:
    told: list[LiveMessage] = []
    channel = RedisProgressChannel(own_redis.url(1), PREFIX, published=told.append)
    await channel.start()
    own_redis.stop()
    slowest = 0.0
    for number in range(5000):
        started = time.perf_counter()
        await channel.publish(event(task_id, number))
        slowest = max(slowest, time.perf_counter() - started)
        if number % 500 == 0:
            await asyncio.sleep(0.02)
    assert slowest < 0.05
    own_redis.start()
    assert await asyncio.to_thread(eventually, lambda: bool(told) and '"progress":4999,' in told[-1].text, seconds=8)
    await channel.close()
    assert len(told) <= progress.QUEUE_LIMIT + 1
    assert [message.position.seq for message in told] == list(range(1, len(told) + 1))


async def test_a_publisher_closes_soon_though_redis_is_dead(own_redis: EmbeddedRedis, task_id: UUID) -> None:
    channel = RedisProgressChannel(own_redis.url(1), PREFIX)
    await channel.start()
    own_redis.stop()
    await channel.publish(event(task_id))
    started = time.monotonic()
    await channel.close()
    assert time.monotonic() - started < 1.5


async def test_a_publisher_that_closes_sends_what_it_has(redis_url: str, streams: ProgressStreams) -> None:
    task_id = uuid4()
    channel = RedisProgressChannel(redis_url, PREFIX)
    await channel.start()
    for number in range(1, 51):
        await channel.publish(event(task_id, number))
    await channel.close()
    backlog = await streams.read(task_id, after=None)
    assert backlog
    assert backlog.messages[0].position.seq == 50


async def test_a_publisher_with_much_in_hand_closes_all_the_same(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "CLOSE_SECONDS", 0.002)
    for _ in range(10):
        channel = RedisProgressChannel(redis_url, PREFIX)
        await channel.start()
        for number in range(300):
            await channel.publish(event(uuid4(), number % 100))
        closing = asyncio.create_task(channel.close())
        assert await asyncio.wait({closing}, timeout=10) == ({closing}, set())
