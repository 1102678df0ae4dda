"""A cancel is announced at once, to workers that come back to Redis by themselves."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from uuid import UUID, uuid4

import pytest
import redis

from infra.local.addresses import LOOPBACK
from infra.local.redis import EmbeddedRedis
from nightjar.adapters.redis.cancel import RedisCancelAnnouncer, cancel_channel, listen
from tests.integration.local.processes import eventually

pytestmark = pytest.mark.anyio

PREFIX = "cancel-test:"


class Ear:
    """A worker that listens."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[UUID] = asyncio.Queue()

    async def listen(self, url: str) -> None:
        async with aclosing(listen(url, PREFIX)) as cancels:
            async for task_id in cancels:
                self.heard.put_nowait(task_id)

    async def hears(self, task_id: UUID, *, within: float) -> bool:
        try:
            async with asyncio.timeout(within):
                return await self.heard.get() == task_id
        except TimeoutError:
            return False


@pytest.fixture
async def ear(own_redis: EmbeddedRedis) -> AsyncIterator[Ear]:
    ear = Ear()
    listening = asyncio.create_task(ear.listen(own_redis.url(1)))
    await somebody_listens(own_redis)
    yield ear
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def somebody_listens(server: EmbeddedRedis) -> None:
    with redis.Redis.from_url(server.url()) as admin:
        channel = cancel_channel(PREFIX)
        assert await asyncio.to_thread(eventually, lambda: bool(admin.pubsub_numsub(channel)[0][1]), seconds=5)


async def test_a_cancel_is_heard_at_once(own_redis: EmbeddedRedis, ear: Ear) -> None:
    announcer, task_id = RedisCancelAnnouncer(own_redis.url(1), PREFIX), uuid4()
    announcer.announce(task_id)
    assert await ear.hears(task_id, within=0.2)
    announcer.close()


async def test_what_is_no_task_id_is_ignored(own_redis: EmbeddedRedis, ear: Ear) -> None:
    task_id = uuid4()
    with redis.Redis.from_url(own_redis.url()) as client:
        client.publish(cancel_channel(PREFIX), "no id")
        client.publish(cancel_channel(PREFIX), b"\xff\xfe")
    await asyncio.sleep(0.3)
    await somebody_listens(own_redis)
    RedisCancelAnnouncer(own_redis.url(1), PREFIX).announce(task_id)
    assert await ear.hears(task_id, within=1)


async def test_a_worker_hears_again_after_redis_was_away(own_redis: EmbeddedRedis, ear: Ear) -> None:
    own_redis.stop()
    await asyncio.sleep(0.3)
    own_redis.start()
    await somebody_listens(own_redis)
    task_id = uuid4()
    RedisCancelAnnouncer(own_redis.url(1), PREFIX).announce(task_id)
    assert await ear.hears(task_id, within=1)


async def test_a_connection_that_was_cut_is_made_again(own_redis: EmbeddedRedis, ear: Ear) -> None:
    with redis.Redis.from_url(own_redis.url()) as admin:
        admin.client_kill_filter(_type="pubsub")
    await asyncio.sleep(0.3)
    await somebody_listens(own_redis)
    task_id = uuid4()
    RedisCancelAnnouncer(own_redis.url(1), PREFIX).announce(task_id)
    assert await ear.hears(task_id, within=1)


async def test_a_connection_that_went_deaf_is_made_again(
    own_redis: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nightjar.adapters.redis import subscriber

    monkeypatch.setattr(subscriber, "PING_SECONDS", 0.1)
    monkeypatch.setattr(subscriber, "DEAF_SECONDS", 0.3)
    accepted = 0

    async def forgetful(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The way to Redis over a network that forgets connections: after a while nothing comes back, and no end."""
        nonlocal accepted
        accepted += 1
        from_redis, to_redis = await asyncio.open_connection(LOOPBACK, own_redis.port)
        back = asyncio.create_task(copy(from_redis, writer, for_seconds=0.2))
        await copy(reader, to_redis, for_seconds=60)
        back.cancel()
        to_redis.close()
        writer.close()

    async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, for_seconds: float) -> None:
        until = time.monotonic() + for_seconds
        with suppress(ConnectionError):
            while data := await source.read(65536):
                if time.monotonic() < until:
                    sink.write(data)

    server = await asyncio.start_server(forgetful, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    ear = Ear()
    listening = asyncio.create_task(ear.listen(f"redis://{LOOPBACK}:{port}/1"))
    assert await asyncio.to_thread(eventually, lambda: accepted > 1, seconds=8)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    server.close()
    await asyncio.sleep(0.1)


def test_a_redis_that_is_dead_or_mute_costs_an_announcement_a_fraction_of_a_second() -> None:
    with socket.create_server((LOOPBACK, 0)) as mute:
        for port in (1, mute.getsockname()[1]):
            announcer = RedisCancelAnnouncer(f"redis://{LOOPBACK}:{port}/1", PREFIX)
            started = time.monotonic()
            announcer.announce(uuid4())
            assert time.monotonic() - started < 1
            announcer.close()
