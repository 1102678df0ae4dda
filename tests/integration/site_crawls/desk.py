"""Site crawls without a worker: a test claims, settles and repairs by hand, on a real Postgres."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import text

from crawl_worker.engine.fetched import FetchedPage
from crawl_worker.sites.web.claiming import ClaimRules, Turn, take_turn
from crawl_worker.sites.web.document import Document, Link
from crawl_worker.sites.web.judging import Outcome, judge
from crawl_worker.sites.web.link_rules import LinkRules
from crawl_worker.sites.web.settling import Batch, Settlement, StoredOutcome, page_rows, settle
from crawl_worker.sites.web.urls import web_url
from nightjar.application import site_crawls
from nightjar.database.crawls import Crawl
from nightjar.database.engine import Database
from nightjar.database.frontier import LeasedUrl, OfferedUrl, SliceLease, UrlEnd
from nightjar.domain.site_crawl import CrawlOrder, Engine, PageState, SkipReason, StoredBody
from nightjar.domain.task import Task

ORIGIN = "https://shop.example:443"
HOST = "shop.example:443"
START = "https://shop.example/"
RULES = ClaimRules(max_per_host=8, user_agent="Nightjar-Test", request_budget=timedelta(seconds=45))
UNKNOWN_DEPTH = 32_767


@dataclass(frozen=True, slots=True)
class CrawlDesk:
    """One crawl, and a slice that works at it."""

    database: Database
    crawl_id: UUID
    lease: SliceLease

    # --- the frontier ---------------------------------------------------------------------------------------------

    def claim(self, limit: int, lease: SliceLease | None = None) -> list[LeasedUrl]:
        """Claim straight from the frontier, and count."""
        with self.database.transaction() as uow:
            uow.crawls.lock(self.crawl_id)
            urls = uow.frontier.claim(self.crawl_id, HOST, lease or self.lease, limit=limit)
            uow.connection.execute(COUNT_CLAIMED, {"crawl_id": self.crawl_id, "number": len(urls)})
        return urls

    def claim_all(self) -> dict[str, LeasedUrl]:
        """Everything that is due, by path."""
        found: dict[str, LeasedUrl] = {}
        while claimed := self.claim(10_000):  # retries and fresh ones come apart
            found |= {path_of(url.url): url for url in claimed}
        return found

    def turn(self, want: int, lease: SliceLease | None = None) -> Turn | None:
        """Claim as a slice does, with robots.txt known to allow everything."""
        with self.database.transaction() as uow:
            return take_turn(
                uow, self.crawl_id, HOST, lease or self.lease, want=want, known_robots={ORIGIN: None}, rules=RULES
            )

    def offer(self, *paths: str, depth: int = 1, reason: SkipReason | None = None) -> None:
        """Put URLs into the frontier, in this order."""
        for path in paths:
            self.settle_links([offered(path, depth=depth, reason=reason)])

    def settle_links(self, offers: Sequence[OfferedUrl]) -> None:
        """Offer, and count what is new."""
        with self.database.transaction() as uow:
            uow.crawls.lock(self.crawl_id)
            states, lowered = uow.frontier.offer(self.crawl_id, offers)
            moved = sum(url.was == PageState.SKIPPED and url.state == PageState.QUEUED for url in lowered)
            queued = states.count(PageState.QUEUED) + moved
            skipped = states.count(PageState.SKIPPED) - moved
            values = {"crawl_id": self.crawl_id, "queued": queued, "skipped": skipped}
            uow.connection.execute(COUNT_OFFERED, values)

    # --- pages ----------------------------------------------------------------------------------------------------

    def keep(self, *outcomes: Outcome, lease: SliceLease | None = None) -> Settlement:
        """Settle outcomes in one batch, as a slice does; the archive is left out."""
        name = f"crawls/{self.crawl_id}/{uuid4()}.warc.gz"
        body = StoredBody(archive_object=name, offset=0, length=10)
        pages = [StoredOutcome(outcome=outcome, body=body) for outcome in outcomes if outcome.page]
        batch = Batch(
            outcomes=outcomes,
            pages=page_rows(self.crawl_id, pages),
            archive_object=name if pages else None,
            rules=LinkRules(crawl=self.crawl),
        )
        with self.database.transaction() as uow:
            return settle(uow, self.crawl_id, lease or self.lease, batch)

    def open(self) -> LeasedUrl:
        """Take the first turns, until the start page is in hand."""
        self.turn(1)
        with self.database.transaction() as uow:
            uow.crawls.set_sitemaps(self.crawl_id, [])
        turn = self.turn(1)
        assert turn is not None
        assert turn.urls
        return turn.urls[0]

    # --- looks ----------------------------------------------------------------------------------------------------

    @property
    def crawl(self) -> Crawl:
        """Its row."""
        with self.database.transaction() as uow:
            crawl = uow.crawls.get(self.crawl_id, owner=None)
        assert crawl is not None
        return crawl

    @property
    def task(self) -> Task:
        """The row of its task."""
        with self.database.transaction() as uow:
            task = uow.tasks.get(self.crawl_id, owner=None)
        assert task is not None
        return task

    def states(self) -> Mapping[str, tuple[str, str | None, int]]:
        """State, reason and depth of each URL, by path."""
        rows = self.rows("SELECT url, state, reason, depth FROM frontier WHERE crawl_id = :id", id=self.crawl_id)
        return {path_of(str(row["url"])): (row["state"], row["reason"], row["depth"]) for row in rows}  # type: ignore[misc]

    def adds_up(self) -> None:
        """The counts are those of the rows."""
        with self.database.transaction() as uow:
            uow.crawls.lock(self.crawl_id)
            rows = uow.frontier.count_states(self.crawl_id)
            crawl = uow.crawls.get(self.crawl_id, owner=None)
        assert crawl is not None
        counted = {state: getattr(crawl.counts, state) for state in PageState}
        assert counted == {state: rows.get(state, 0) for state in PageState}
        assert crawl.counts.discovered == sum(rows.values())

    def rows(self, query: str, **values: object) -> list[dict[str, object]]:
        """Rows of the database."""
        with self.database.transaction() as uow:
            return [row._asdict() for row in uow.connection.execute(text(query), values)]

    def run(self, statement: str, **values: object) -> None:
        """Change something behind everybody's back."""
        with self.database.transaction() as uow:
            uow.connection.execute(text(statement), values)


ATTEMPT = text("SELECT attempt FROM tasks WHERE id = :id")

COUNT_CLAIMED = text("""
    UPDATE crawls SET queued = queued - CAST(:number AS integer), leased = leased + CAST(:number AS integer)
    WHERE task_id = :crawl_id
""")

COUNT_OFFERED = text("""
    UPDATE crawls SET queued = queued + CAST(:queued AS integer), skipped = skipped + CAST(:skipped AS integer),
                      discovered = discovered + CAST(:queued AS integer) + CAST(:skipped AS integer)
    WHERE task_id = :crawl_id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a test orders: everything but these is as in most crawls."""

    depth: int = 3
    limit: int = 1000
    structure: bool = False
    delay: timedelta = timedelta(0)
    timeout: timedelta | None = None
    include: tuple[str, ...] = ()
    order: dict[str, object] = field(default_factory=dict)


def a_crawl(database: Database, order: Order | None = None, *, lease: SliceLease | None = None) -> CrawlDesk:
    """A new crawl, and a slice at work (its task is in progress) that has nothing in hand."""
    wanted = order or Order()
    with database.transaction() as uow:
        started = site_crawls.start(
            uow,
            CrawlOrder(
                url=START,
                depth=wanted.depth,
                limit=wanted.limit,
                engine=Engine.HTTP,
                structure=wanted.structure,
                include=wanted.include,
            ),
            site_crawls.CrawlStart(
                owner="shop",
                correlation_id="test",
                host=HOST,
                origin=ORIGIN,
                delay=wanted.delay,
                timeout=wanted.timeout,
            ),
        )
    return CrawlDesk(database, started.task_id, lease or a_slice(database))


def a_slice(database: Database, number: int = 1) -> SliceLease:
    """An attempt at slice `number`, which is opened if it is not."""
    with database.transaction() as uow:
        uow.crawl_slices.open(number, correlation_id="test")
        slice_id = uow.tasks.holder_of(f"crawl_slice:{number}")
        assert slice_id is not None
        claim = uow.tasks.claim(slice_id, lease=timedelta(minutes=5))
        attempt = uow.connection.execute(
            text("SELECT attempt FROM tasks WHERE id = :id"), {"id": slice_id}
        ).scalar_one()
    return SliceLease(slice_id=slice_id, attempt=claim.attempt if claim else int(attempt))


def die(database: Database, lease: SliceLease) -> None:
    """The worker of a slice is gone, and the janitor has seen that its lease ran out."""
    with database.transaction() as uow:
        uow.connection.execute(text("UPDATE tasks SET lease_until = now() - interval '1 s' WHERE id = :id"),
                               {"id": lease.slice_id})  # fmt: skip
        uow.tasks.return_expired(limit=10)


# --- what is offered and what is answered -------------------------------------------------------------------------


def url_of(path: str) -> str:
    """The address of a path of the site."""
    return path if "://" in path else f"https://shop.example{path}"


def path_of(url: str) -> str:
    """The path of an address of the site; other addresses as they are."""
    return url.removeprefix("https://shop.example")


def offered(path: str, *, depth: int = 1, reason: SkipReason | None = None) -> OfferedUrl:
    """An offer of a page of the site."""
    url = web_url(url_of(path))
    return OfferedUrl(url_hash=url.hash, url=url.text, host=url.host, origin=url.origin, depth=depth, reason=reason)


def answered(
    leased: LeasedUrl,
    *links: str,
    nofollow: Sequence[str] = (),
    body: str = "",
    canonical: str | None = None,
    status: int = 200,
    location: str | None = None,
    noindex: bool = False,
) -> Outcome:
    """The outcome of a URL in hand: by default a page with these links."""
    headers = (("Content-Type", "text/html"), *((("Location", location),) if location else ()))
    page = FetchedPage(
        url=leased.url,
        final_url=leased.url,
        status=status,
        headers=headers,
        body=b"<p>page",
        engine=Engine.HTTP,
        started_at=datetime.now(UTC),
        elapsed=timedelta(milliseconds=5),
    )
    followed = [Link(url=url_of(path), nofollow=False, label=path) for path in links]
    others = [Link(url=url_of(path), nofollow=True, label=path) for path in nofollow]
    document = Document(
        title="Page",
        text=body or f"The page at {leased.url_hash}",
        links=(*followed, *others),
        canonical=url_of(canonical) if canonical else None,
        noindex=noindex,
        nofollow=False,
    )
    return judge(leased, page, document, retry_delay=timedelta(0))


def failed(leased: LeasedUrl, code: str = "not_found") -> Outcome:
    """The outcome of a URL that cannot be had."""
    end = UrlEnd(url_hash=leased.url_hash, state=PageState.FAILED, error_code=code, error_message=f"it is {code}")
    return Outcome(leased=leased, end=end)


def tried_later(leased: LeasedUrl, delay: timedelta = timedelta(0)) -> Outcome:
    """The outcome of a URL that is to be tried again."""
    end = UrlEnd(url_hash=leased.url_hash, state=PageState.QUEUED, error_code="timeout", error_message="", delay=delay)
    return Outcome(leased=leased, end=end)
