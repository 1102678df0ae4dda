"""What a slice takes in hand next: one turn of one crawl at one host, in one short transaction.

Nothing here waits for a lock: what somebody else has locked is somebody else's turn.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from crawl_worker.sites.web.urls import scope_key, start_url, web_url
from nightjar.database.crawls import CountChange, Crawl
from nightjar.database.frontier import LeasedUrl, OfferedUrl, SliceLease
from nightjar.database.host_lanes import HostLane
from nightjar.database.robots import RobotsAnswer
from nightjar.database.unit_of_work import UnitOfWork

NAMED_BY_ROBOTS = "robots "
"""Before an origin, among the sitemaps to be read: those that robots.txt of this origin names."""

MOMENT = timedelta(seconds=0.5)
"""When to look again at what somebody else has in hand."""

SMALL_TURN = 25
"""So many URLs are taken at once even if hardly more are left."""

ROBOTS_FAILURES = 3
"""After so many failures of robots.txt nothing of the host is fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRules:
    """Limits of a turn.

    `horizon`: how far ahead a slice takes slots of a host with a pause; `patience`: how long it may have to wait for
    the first; `request_budget`: the longest that one request takes.
    """

    max_per_host: int
    user_agent: str
    request_budget: timedelta
    horizon: timedelta = timedelta(seconds=20)
    patience: timedelta = timedelta(seconds=5)
    sample: timedelta = timedelta(seconds=3)
    """As `horizon`, at a host that has too much to do: how it answers these decides about the next."""

    lease: timedelta = timedelta(seconds=60)
    robots_retry: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What is to be done for a crawl at a host. `start_in`: not before, for whatever it is.

    One of: `urls` to fetch; `sitemap` to read; `robots` that another worker asked for; `asks_robots`.
    """

    crawl: Crawl
    host: str
    origin: str
    start_in: timedelta = timedelta(0)
    delay: timedelta = timedelta(0)
    connections: int = 1
    urls: tuple[LeasedUrl, ...] = ()
    engine_choice: dict[str, object] | None = None
    sitemap: str | None = None
    robots: RobotsAnswer | None = None
    asks_robots: bool = False

    @property
    def is_suspect(self) -> bool:
        """Whether a worker died with this in hand."""
        return any(url.lost for url in self.urls)


def take_turn(
    uow: UnitOfWork,
    crawl_id: UUID,
    host: str,
    lease: SliceLease,
    *,
    want: int,
    known_robots: Mapping[str, timedelta | None],
    rules: ClaimRules,
) -> Turn | None:
    """The next turn of a crawl at a host, or None: then the row of the host says when to look again.

    `known_robots` has the Crawl-delay of the origins whose rules the caller knows.
    """
    crawl = uow.crawls.lock_if_free(crawl_id)
    if crawl is None:
        return None
    if not crawl.counts.discovered:
        _open(uow, crawl, host, rules)
        return None
    lane = uow.host_lanes.lock_if_free(host)
    if lane is None:
        return None
    return _Taking(uow, crawl, host, lease, lane, rules).turn(want, known_robots)


def _open(uow: UnitOfWork, crawl: Crawl, host: str, rules: ClaimRules) -> None:
    """Put the start page into the frontier, as its first URL."""
    start = start_url(crawl.start_url)
    uow.crawls.identify(crawl.task_id, scope_key=scope_key(start, crawl.scope), user_agent=rules.user_agent)
    if crawl.reads_sitemaps:
        uow.crawls.set_sitemaps(crawl.task_id, [NAMED_BY_ROBOTS + start.origin])
    offer = OfferedUrl(url_hash=start.hash, url=start.text, host=start.host, origin=start.origin, depth=0, reason=None)
    uow.frontier.offer(crawl.task_id, [offer])
    uow.crawls.count(crawl.task_id, CountChange(queued=1))
    if host != start.host:
        uow.crawls.set_due(crawl.task_id, host, None)
    uow.crawls.wake(crawl.task_id, {start.host: start.origin})


class _Taking:
    """One look at one crawl and one host, both locked."""

    def __init__(
        self, uow: UnitOfWork, crawl: Crawl, host: str, lease: SliceLease, lane: HostLane, rules: ClaimRules
    ) -> None:
        self._uow = uow
        self._crawl = crawl
        self._host = host
        self._lease = lease
        self._lane = lane
        self._rules = rules
        self._origin, self._choice = uow.crawls.host(crawl.task_id, host)

    def turn(self, want: int, known_robots: Mapping[str, timedelta | None]) -> Turn | None:
        busy_until = self._busy_until()
        if busy_until is not None:
            return self._later(busy_until)
        if self._origin not in known_robots:
            return self._robots()
        delay = max(self._crawl.delay, known_robots[self._origin] or timedelta(0), self._lane.backoff)
        sitemap = self._due_sitemap()
        if sitemap is not None:
            return self._at_once(delay, sitemap=sitemap)
        if self._crawl.room <= 0:
            return self._later(self._lane.now + MOMENT)
        return self._pages(delay, want)

    def _busy_until(self) -> datetime | None:
        """When it is worth to ask again for a host that takes no request soon."""
        lane = self._lane
        if lane.cooling:
            return lane.cooldown_until
        if lane.held_by_another(self._lease.slice_id):
            return min(lane.next_at, lane.now + 2 * MOMENT)
        return lane.next_at if self._start_in() > self._rules.patience else None

    def _pages(self, delay: timedelta, want: int) -> Turn | None:
        slots, connections = want, 1
        if delay:
            horizon = self._rules.sample if delay == self._lane.backoff else self._rules.horizon
            slots = min(want, max(1, int(horizon / delay)))
        else:
            connections = self._uow.host_lanes.share(
                self._host, self._lease.slice_id, maximum=self._rules.max_per_host, lease=self._rules.lease
            )
            if not connections:
                return self._later(self._lane.now + MOMENT)
            slots = min(slots, max(SMALL_TURN, self._crawl.counts.queued // 4))  # leave something for other slices
        urls = self._uow.frontier.claim(
            self._crawl.task_id, self._host, self._lease, limit=min(slots, self._crawl.room)
        )
        if not urls:
            return self._later(self._uow.frontier.next_retry(self._crawl.task_id, self._host))
        self._uow.crawls.count(self._crawl.task_id, CountChange(queued=-len(urls), leased=len(urls)))
        self._uow.crawls.start_task(self._crawl.task_id)
        start_in = self._start_in()
        ahead = start_in + delay * len(urls)
        if delay:
            self._hold(ahead)
        self._look_again(self._lane.now + max(ahead - min(delay, MOMENT), timedelta(0)))
        return self._made(delay, start_in=start_in, connections=connections, urls=tuple(urls))

    def _robots(self) -> Turn | None:
        """The rules of a host that this worker does not know yet: from the database, or to be asked for."""
        answer = self._uow.robots.get(self._origin)
        if answer is not None and answer.fresh and 0 < answer.failures <= ROBOTS_FAILURES:
            return self._later(answer.expires_at)
        if answer is not None and answer.fresh:
            return self._made(timedelta(0), robots=answer)
        return self._at_once(self._crawl.delay, robots=answer, asks_robots=True)

    def _due_sitemap(self) -> str | None:
        """A sitemap at this host that is still to be read: after the start page, which may lead to another host."""
        counts = self._crawl.counts
        if not counts.done + counts.skipped + counts.failed:
            return None
        here = (one for one in self._crawl.sitemaps if web_url(one.removeprefix(NAMED_BY_ROBOTS)).host == self._host)
        return next(here, None)

    def _at_once(
        self,
        delay: timedelta,
        *,
        sitemap: str | None = None,
        robots: RobotsAnswer | None = None,
        asks_robots: bool = False,
    ) -> Turn:
        """One request that is no page; while it runs nobody else takes a turn of this crawl at this host."""
        start_in = self._start_in()
        if delay:
            self._hold(start_in + delay)
        self._look_again(self._lane.now + start_in + self._rules.request_budget)
        return self._made(delay, start_in=start_in, sitemap=sitemap, robots=robots, asks_robots=asks_robots)

    def _made(
        self,
        delay: timedelta,
        *,
        start_in: timedelta = timedelta(0),
        connections: int = 1,
        urls: tuple[LeasedUrl, ...] = (),
        sitemap: str | None = None,
        robots: RobotsAnswer | None = None,
        asks_robots: bool = False,
    ) -> Turn:
        return Turn(
            crawl=self._crawl,
            host=self._host,
            origin=self._origin,
            start_in=start_in,
            delay=delay,
            connections=connections,
            urls=urls,
            engine_choice=self._choice,
            sitemap=sitemap,
            robots=robots,
            asks_robots=asks_robots,
        )

    def _start_in(self) -> timedelta:
        """How long until a request may be sent: who holds the host keeps the pause itself."""
        if self._lane.holder == self._lease.slice_id:
            return timedelta(0)
        return max(self._lane.next_at - self._lane.now, timedelta(0))

    def _hold(self, ahead: timedelta) -> None:
        self._uow.host_lanes.hold(self._host, self._lease.slice_id, span=ahead + self._rules.request_budget)

    def _later(self, due_at: datetime | None) -> Turn | None:
        """No turn now."""
        self._look_again(due_at)
        return None

    def _look_again(self, due_at: datetime | None) -> None:
        self._uow.crawls.set_due(self._crawl.task_id, self._host, due_at)
