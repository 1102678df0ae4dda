"""A slice at work: for a while it fetches what is due, of any crawl and host, many at once; then it goes back."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from functools import partial
from time import monotonic
from uuid import UUID

from crawl_worker.engine.browser import BrowserProfile
from crawl_worker.engine.page_pool import CrawlPages
from crawl_worker.sites.web.claiming import Turn, take_turn
from crawl_worker.sites.web.crawl_desk import CrawlDesk, RobotsBook, desk_for
from crawl_worker.sites.web.crawl_writer import CrawlWriter
from crawl_worker.sites.web.host_errands import HostErrands
from crawl_worker.sites.web.judging import Outcome, put_back, skipped
from crawl_worker.sites.web.lanes import Call, Errand, Lane
from crawl_worker.sites.web.page_fetching import PageFetcher
from crawl_worker.sites.web.settling import CrawlEnded
from crawl_worker.sites.web.slice_parts import Hand, SliceRules, SliceTools
from crawl_worker.sites.web.slice_transactions import let_go, put_off, release
from crawl_worker.sites.web.urls import web_url
from nightjar.database.crawls import Crawl
from nightjar.database.engine import DatabaseUnavailable
from nightjar.database.frontier import LeasedUrl, SliceLease
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.site_crawl import SkipReason
from nightjar.observability import logger

log = logger(__name__)


class CrawlSlice:
    """One attempt at a slice task."""

    def __init__(self, tools: SliceTools, rules: SliceRules, lease: SliceLease) -> None:
        self._tools = tools
        self._rules = rules
        self._lease = lease
        self._hand = Hand()
        self._robots = RobotsBook()
        self._contexts = AsyncExitStack()
        self._renderers: dict[UUID, CrawlPages] = {}
        self._opening = asyncio.Lock()
        self._moved = asyncio.Event()
        self._fault: BaseException | None = None
        self._pages = 0
        self._looked_at = monotonic()
        self._busy_at = monotonic()
        self._looked_at_hosts = monotonic()
        self._fetcher = PageFetcher(tools.web, self._renderer, retry_delay=rules.retry_delay)
        self._writer = CrawlWriter(
            store=tools.store, archive=tools.archive, queue=tools.queue, channel=tools.channel, lease=lease
        )
        self._errands = HostErrands(tools.store, tools.queue, tools.web, self._robots, rules.claims)

    async def run(self) -> int:
        """Work until the time is up or nothing is due soon; the number of pages that were stored.

        Raises what the database, the archive or a lost lease raise; then the URLs in hand are given back elsewhere.
        """
        until = monotonic() + self._rules.work_seconds
        try:
            while monotonic() < until and await self._step(until):
                pass
            await self._finish()
        finally:
            await asyncio.shield(self._wind_up())
        return self._pages

    def cancel(self, crawl_id: UUID) -> None:
        """Its owner cancelled a crawl: drop it, whatever is being done for it."""
        desk = self._hand.desks.get(crawl_id)
        if desk is None:
            return
        desk.is_open = False
        desk.take()
        for lane in self._hand.lanes.values():
            lane.drop_crawl(crawl_id)
        self._in_background(self._let_go(crawl_id))

    async def _let_go(self, crawl_id: UUID) -> None:
        """The rows of a cancelled crawl say that nobody holds them any more."""
        await self._tools.store.run(partial(let_go, crawl_id=crawl_id, lease=self._lease))

    # --- the loop -------------------------------------------------------------------------------------------------

    async def _step(self, until: float) -> bool:
        """Claim what fits, write what is ripe, wait for something to move. False: there is nothing to stay for."""
        self._raise_fault()
        claimed = await self._claim() if self._has_room() else None
        self._flush_ripe()
        await self._release_idle_lanes()
        await self._look_at_hosts()
        await self._look_at_crawls()
        if claimed is not None:
            self._busy_at = monotonic()
            if len(claimed.urls) >= self._rules.turn or not self._has_room():
                await self._open_another_slice()
            return True
        if self._hand.is_empty:
            return await self._wait_for_work(until)
        await self._wait(0.1)
        return True

    def _has_room(self) -> bool:
        return (
            self._hand.load <= self._rules.in_hand - self._rules.turn
            and self._hand.bytes < self._rules.most_bytes
            and sum(len(desk.outcomes) for desk in self._hand.desks.values()) < 4 * self._rules.flush_pages
        )

    async def _claim(self) -> Turn | None:
        """Take one turn, of the crawl and host that waited longest."""
        due = await self._tools.claims.run(lambda uow: uow.crawls.due_hosts(limit=8))
        for crawl_id, host in due:
            try:
                turn = await self._tools.claims.run(partial(self._take_turn, crawl_id, host))
            except DatabaseUnavailable:
                raise
            except Exception:  # a crawl that is broken in a way that nobody foresaw: the others go on
                log.exception("turn_not_taken", crawl_id=str(crawl_id), host=host)
                await self._tools.claims.run(partial(put_off, crawl_id, host))
                continue
            if turn is not None:
                await self._begin(turn)
                return turn
        return None

    def _take_turn(self, crawl_id: UUID, host: str, uow: UnitOfWork) -> Turn | None:
        return take_turn(
            uow,
            crawl_id,
            host,
            self._lease,
            want=self._rules.turn,
            known_robots=self._robots.delays,
            rules=self._rules.claims,
        )

    async def _wait_for_work(self, until: float) -> bool:
        """Whether something is due soon enough to stay for; then waits for a moment."""
        seconds = await self._tools.claims.run(lambda uow: uow.crawls.seconds_to_next_due())
        if seconds is None and monotonic() - self._busy_at < self._rules.linger_seconds:
            seconds = 0.0  # what others are writing now may lead to more
        if seconds is None or monotonic() + seconds > until:
            return False
        if seconds <= 0.5:  # noqa: PLR2004  # a moment
            await self._wait(max(seconds, 0.05))
            return True
        _, open_slices = await self._tools.claims.run(lambda uow: uow.crawl_slices.count())
        if seconds > self._rules.idle_seconds or open_slices > 1:
            return False
        await self._wait(min(seconds, 0.5))
        return True

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._moved.wait()
        except TimeoutError:
            pass
        self._moved.clear()

    async def _open_another_slice(self) -> None:
        """There is more to do than this slice takes at once: somebody else should do it too."""

        def open_next(uow: UnitOfWork) -> list[UUID]:
            waiting, open_slices = uow.crawl_slices.count()
            if waiting or open_slices >= MAX_SLICES or not uow.crawls.due_hosts(limit=1):
                return []
            return uow.crawl_slices.open(open_slices + 1, correlation_id=str(self._lease.slice_id))

        await self._errands.publish(await self._tools.claims.run(open_next))

    def _raise_fault(self) -> None:
        if self._fault is not None:
            raise self._fault

    # --- turns ----------------------------------------------------------------------------------------------------

    async def _begin(self, turn: Turn) -> None:
        desk = desk_for(self._hand.desks, turn.crawl, self._robots.rules)
        if turn.robots is not None and not turn.asks_robots:
            self._errands.read_robots(turn)
            return
        lane = self._lane(turn.host)
        not_before = monotonic() + turn.start_in.total_seconds()
        if not turn.urls:
            self._send(lane, turn, not_before, partial(self._run_errand, turn, desk))
            return
        if not desk.traps:
            desk.traps = await self._tools.claims.run(lambda uow: uow.url_traps.traps(turn.crawl.task_id))
        desk.learned_before(turn.host, turn.engine_choice)
        desk.in_hand += len(turn.urls)
        for position, url in enumerate(turn.urls):
            at = not_before + position * turn.delay.total_seconds()
            self._send(lane, turn, at, partial(self._fetch, desk, url, turn.delay), url)
        if turn.is_suspect:
            await lane.ended()

    async def _run_errand(self, turn: Turn, desk: CrawlDesk) -> None:
        await self._errands.run(turn, desk)
        self._moved.set()

    def _send(self, lane: Lane, turn: Turn, not_before: float, call: Call, url: LeasedUrl | None = None) -> None:
        desk = self._hand.desks[turn.crawl.task_id]
        errand = Errand(
            crawl_id=turn.crawl.task_id,
            call=call,
            drop=partial(self._dropped, desk, url),
            delay=turn.delay,
            not_before=not_before,
        )
        lane.put(errand, connections=turn.connections)

    def _dropped(self, desk: CrawlDesk, url: LeasedUrl | None) -> None:
        """What will not be fetched goes back into the queue, unless its crawl has ended."""
        if url is None:
            return
        if desk.is_open:
            desk.add(put_back(url))
        else:
            desk.in_hand -= 1
        self._moved.set()

    async def _fetch(self, desk: CrawlDesk, url: LeasedUrl, pause: timedelta) -> None:
        outcome = self._refused(desk, url)
        if outcome is None:
            outcome = await self._fetcher.outcome_of(url, desk.rules, desk.choices[url.host], pause)
        if not desk.is_open:
            desk.in_hand -= 1
            return
        desk.add(outcome)
        if outcome.signal is not None and outcome.signal.plain:
            self._hand.lanes[url.host].drop_waiting()
            desk.oldest = 0.0  # written at once: the other slices have to know
            self._moved.set()
            await self._tell_others(url.host, outcome.signal.retry_after)
        if desk.in_hand % 20 == 0 or len(desk.outcomes) >= self._rules.flush_pages:
            self._moved.set()

    def _refused(self, desk: CrawlDesk, url: LeasedUrl) -> Outcome | None:
        """A URL that is not to be fetched by what is known by now."""
        where = web_url(url.url)
        if where.origin in self._robots.silent:
            return skipped(url, SkipReason.ROBOTS_UNAVAILABLE, why=self._robots.silent[where.origin])
        if not desk.rules.allows(where):
            return skipped(url, SkipReason.ROBOTS)
        if url.depth and not desk.rules.in_scope(where):  # found before the start page led to another host
            return skipped(url, SkipReason.OUT_OF_SCOPE)
        return skipped(url, SkipReason.TRAP) if url.depth and desk.rules.is_trap(url.url) else None

    async def _renderer(self, crawl: Crawl) -> CrawlPages:
        """The browser pages of a crawl, opened when they are first needed."""
        async with self._opening:
            pages = self._renderers.get(crawl.task_id)
            if pages is None:
                profile = BrowserProfile(user_agent=crawl.user_agent)
                context = self._tools.pool.crawl(crawl.task_id, self._tools.rule, profile)
                pages = self._renderers[crawl.task_id] = await self._contexts.enter_async_context(context)
            return pages

    # --- writing --------------------------------------------------------------------------------------------------

    def _flush_ripe(self, *, at_once: bool = False) -> None:
        for desk in self._hand.desks.values():
            if desk.outcomes and not desk.is_flushing and (at_once or self._is_ripe(desk)):
                desk.is_flushing = True
                self._in_background(self._flush(desk))

    def _is_ripe(self, desk: CrawlDesk) -> bool:
        """Full, or old, or all that is in hand: what its links lead to can be claimed only after it was written."""
        return (
            desk.in_hand == 0
            or len(desk.outcomes) >= self._rules.flush_pages
            or desk.bytes >= self._rules.flush_bytes
            or monotonic() - desk.oldest > self._rules.flush_seconds
        )

    async def _flush(self, desk: CrawlDesk) -> None:
        outcomes = desk.take()
        try:
            for settlement in await self._writer.write(desk.crawl, outcomes, desk.rules, desk.lessons()):
                desk.settled(settlement)
            self._pages += sum(outcome.page is not None for outcome in outcomes)
        except CrawlEnded:
            self.cancel(desk.crawl.task_id)
        finally:
            desk.is_flushing = False

    def _in_background(self, writing: Coroutine[None, None, None]) -> None:
        """Write beside the fetching; the slice does not end before it is done."""
        flush = asyncio.create_task(writing)
        self._hand.flushes.add(flush)
        flush.add_done_callback(self._flushed)

    def _flushed(self, flush: asyncio.Task[None]) -> None:
        self._hand.flushes.discard(flush)
        if not flush.cancelled() and flush.exception() is not None:
            self._fault = flush.exception()
        self._moved.set()

    # --- lanes and the end ----------------------------------------------------------------------------------------

    async def _tell_others(self, host: str, wait: timedelta | None) -> None:
        """A host said how long it wants to be left alone: the batch that says so too may take a while to be written."""
        if wait is not None:
            with suppress(DatabaseUnavailable):
                await self._tools.claims.run(lambda uow: uow.host_lanes.cool_down(host, wait))

    async def _look_at_hosts(self) -> None:
        """Leave alone the hosts that told another slice to: who holds a host alone was told so itself."""
        shared = [host for host, lane in self._hand.lanes.items() if not lane.is_idle and not lane.is_held]
        if not shared or monotonic() < self._looked_at_hosts + LOOK_AT_HOSTS_SECONDS:
            return
        self._looked_at_hosts = monotonic()
        for host in await self._tools.claims.run(lambda uow: uow.host_lanes.cooling(shared)):
            self._hand.lanes[host].drop_waiting()

    async def _look_at_crawls(self) -> None:
        """Drop crawls that were cancelled, in case that nobody heard it announced."""
        if monotonic() < self._looked_at + LOOK_SECONDS or not self._hand.desks:
            return
        self._looked_at = monotonic()
        mine = list(self._hand.desks)
        still_open = await self._tools.claims.run(lambda uow: uow.crawls.open_among(mine))
        for crawl_id in set(mine) - still_open:
            self.cancel(crawl_id)
            if not self._hand.desks[crawl_id].in_hand:
                del self._hand.desks[crawl_id]

    def _lane(self, host: str) -> Lane:
        lane = self._hand.lanes.get(host)
        if lane is None:
            budget = self._rules.claims.request_budget
            lane = self._hand.lanes[host] = Lane(host, budget=budget, keep_hold=self._keep_hold)
        return lane

    async def _keep_hold(self, host: str, span: timedelta) -> bool:
        return await self._tools.store.run(lambda uow: uow.host_lanes.hold(host, self._lease.slice_id, span=span))

    async def _release_idle_lanes(self) -> None:
        """Hosts that nothing is sent to are for others."""
        now = monotonic()
        for lane in list(self._hand.lanes.values()):
            if lane.is_idle and now - lane.idle_since > 1:
                del self._hand.lanes[lane.host]
                await self._release(lane)

    async def _release(self, lane: Lane) -> None:
        pause = timedelta(seconds=max(0.0, lane.pause_until - monotonic()))
        await self._tools.claims.run(partial(release, host=lane.host, slice_id=self._lease.slice_id, pause=pause))

    async def _finish(self) -> None:
        """Time is up: what has not begun goes back, what is being fetched is waited for and written."""
        for lane in self._hand.lanes.values():
            lane.drop_waiting()
        while not self._hand.is_empty:
            self._raise_fault()
            self._flush_ripe(at_once=self._hand.urls == 0)
            await self._wait(0.05)
        self._raise_fault()

    async def _wind_up(self) -> None:
        """Leave nothing running, whatever ended the slice; what was fetched is written if that is still possible."""
        for lane in self._hand.lanes.values():
            lane.stop()
        await asyncio.gather(*(lane.ended() for lane in self._hand.lanes.values()))
        if self._fault is None:
            self._flush_ripe(at_once=True)
        if self._hand.flushes:
            await asyncio.wait(set(self._hand.flushes))
        await self._contexts.aclose()
        with suppress(DatabaseUnavailable):
            for lane in self._hand.lanes.values():
                await self._release(lane)


LOOK_AT_HOSTS_SECONDS = 0.3
"""Between two looks at whether shared hosts want to be left alone: what is in hand would be sent on meanwhile."""

LOOK_SECONDS = 5
"""Between two looks at whether the crawls in hand are still wanted."""

MAX_SLICES = 64
"""However much there is to do."""
