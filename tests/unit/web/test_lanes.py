"""What a slice sends to one host: paced, and dropped at once when nobody wants it any more."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import pairwise
from time import monotonic
from uuid import UUID

from crawl_worker.sites.web.lanes import Errand, Lane

ONE, OTHER = UUID(int=1), UUID(int=2)
LONG = timedelta(seconds=60)


class Sent:
    """Errands that were sent, and those that were dropped, by name."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, float]] = []
        self.dropped: list[str] = []

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.sent]

    def errand(
        self,
        name: str,
        *,
        delay: timedelta = LONG,
        crawl_id: UUID = ONE,
        call: Callable[[], Awaitable[None]] | None = None,
    ) -> Errand:
        async def send() -> None:
            self.sent.append((name, monotonic()))
            if call is not None:
                await call()

        def drop() -> None:
            self.dropped.append(name)

        return Errand(crawl_id=crawl_id, call=send, drop=drop, delay=delay, not_before=monotonic())


async def _hold(_: str, __: timedelta) -> bool:
    return True


def a_lane(keep_hold: Callable[[str, timedelta], Awaitable[bool]] = _hold, *, budget: float = 1) -> Lane:
    return Lane("shop.example:443", budget=timedelta(seconds=budget), keep_hold=keep_hold)


async def _moments(number: int = 5) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


def test_requests_to_a_host_lie_a_pause_apart() -> None:
    async def scenario() -> None:
        lane, sent = a_lane(), Sent()
        for name in "abc":
            lane.put(sent.errand(name, delay=timedelta(seconds=0.1)), connections=1)
        await lane.ended()
        moments = [moment for _, moment in sent.sent]
        assert sent.names == ["a", "b", "c"]
        assert all(later - earlier >= 0.1 for earlier, later in pairwise(moments))

    asyncio.run(scenario())


def test_what_waits_for_a_pause_is_dropped_at_once_when_the_time_of_a_slice_is_up() -> None:
    async def scenario() -> None:
        lane, sent = a_lane(), Sent()
        for name in "abc":
            lane.put(sent.errand(name), connections=1)
        await _moments()
        lane.drop_waiting()
        async with asyncio.timeout(1):
            await lane.ended()
        assert (sent.names, sent.dropped) == (["a"], ["b", "c"])
        assert lane.is_idle
        assert lane.pause_until > monotonic() + 50

    asyncio.run(scenario())


def test_nothing_more_is_sent_after_a_stop() -> None:
    async def scenario() -> None:
        lane, sent = a_lane(), Sent()
        for name in "ab":
            lane.put(sent.errand(name, delay=timedelta(seconds=0.2)), connections=1)
        await _moments()
        lane.stop()
        async with asyncio.timeout(0.1):
            await lane.ended()
        assert (sent.names, sent.dropped) == (["a"], ["b"])

    asyncio.run(scenario())


def test_nothing_more_is_sent_for_a_crawl_that_was_cancelled_and_others_go_on() -> None:
    async def scenario() -> None:
        lane, sent = a_lane(), Sent()
        pause = timedelta(seconds=0.1)
        lane.put(sent.errand("a", delay=pause), connections=1)
        lane.put(sent.errand("b", delay=pause), connections=1)
        lane.put(sent.errand("c", delay=pause, crawl_id=OTHER), connections=1)
        await _moments()
        lane.drop_crawl(ONE)
        await lane.ended()
        assert (sent.names, sent.dropped) == (["a", "c"], ["b"])

    asyncio.run(scenario())


def test_a_request_in_flight_is_broken_off_when_its_crawl_is_cancelled() -> None:
    async def scenario() -> None:
        lane, sent = a_lane(), Sent()
        lane.put(sent.errand("a", call=lambda: asyncio.sleep(30)), connections=1)
        await _moments()
        lane.drop_crawl(ONE)
        async with asyncio.timeout(1):
            await lane.ended()
        assert sent.dropped == ["a"]

    asyncio.run(scenario())


def test_what_cannot_be_sent_is_dropped_when_the_host_is_lost_or_nobody_can_say() -> None:
    async def lost(_: str, __: timedelta) -> bool:
        return False

    async def unknown(_: str, __: timedelta) -> bool:
        raise ConnectionError("the database is away")

    async def scenario() -> None:
        for keep_hold in (lost, unknown):
            lane, sent = a_lane(keep_hold, budget=1), Sent()
            for name in "abc":
                lane.put(sent.errand(name, delay=timedelta(seconds=0.05)), connections=1)
            lane._held_until = 0  # the first request took longer than the host was held for
            async with asyncio.timeout(1):
                await lane.ended()
            assert (sent.names, sent.dropped) == ([], ["a", "b", "c"])
            assert lane.is_idle

    asyncio.run(scenario())


def test_an_errand_that_fails_takes_no_other_with_it() -> None:
    async def fail() -> None:
        raise ValueError("nobody foresaw it")

    async def scenario() -> None:
        lane, sent = a_lane(), Sent()
        lane.put(sent.errand("a", delay=timedelta(0), call=fail), connections=1)
        lane.put(sent.errand("b", delay=timedelta(0)), connections=1)
        await lane.ended()
        assert sent.names == ["a", "b"]

    asyncio.run(scenario())
