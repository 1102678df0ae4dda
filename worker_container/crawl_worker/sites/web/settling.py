"""Writing down what a slice did for one crawl: pages, ends, links and counts in one transaction."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from crawl_worker.sites.web.claiming import NAMED_BY_ROBOTS
from crawl_worker.sites.web.judging import HostSignal, Outcome
from crawl_worker.sites.web.link_rules import Found, LinkRules
from crawl_worker.sites.web.urls import scope_key, template_of, web_url
from nightjar.application.site_crawls import end_if_done
from nightjar.database.crawls import CountChange, Crawl
from nightjar.database.frontier import LoweredUrl, OfferedUrl, SliceLease, UrlEnd
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.site_crawl import CrawlCounts, PageState, SkipReason, StoredBody
from nightjar.errors import NightjarError

FIRST_BACKOFF = timedelta(seconds=1)
LONGEST_BACKOFF = timedelta(seconds=60)
SIGNALS = 3
"""Answers of 503 in one batch that are about the host, not about their pages."""

NOT_TO_BE_HAD = frozenset({SkipReason.ROBOTS, SkipReason.ROBOTS_UNAVAILABLE, SkipReason.TRAP, SkipReason.OUT_OF_SCOPE})
"""Of a URL whose turn came: what was skipped in favour of it has to stand for itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOutcome:
    """An outcome, and where its page is kept in the archive."""

    outcome: Outcome
    body: StoredBody | None = None
    screenshot: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is written together, of one crawl."""

    outcomes: Sequence[Outcome]
    pages: bytes
    """The rows of its pages (`page_rows`): made beforehand, since it takes a while."""

    archive_object: str | None
    rules: LinkRules
    offers: Sequence[OfferedUrl] | None = None
    """What its links lead to, by the depths at which its pages were claimed: made beforehand as well. None: not yet."""

    engine_choices: dict[str, dict[str, object]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How the crawl stands afterwards."""

    counts: CrawlCounts
    to_publish: tuple[UUID, ...] = ()
    offered: tuple[tuple[str, int], ...] = ()
    """URLs that are in the frontier now, at this depth or a smaller one."""

    traps: frozenset[str] = frozenset()


def settle(uow: UnitOfWork, crawl_id: UUID, lease: SliceLease, batch: Batch) -> Settlement:
    """Write a batch. Raises LeaseLost if any of its URLs is no longer in our hands; then nothing of it is written.

    Pages go first: only what follows has to be done by one worker of a crawl at a time.
    """
    if batch.archive_object:
        uow.frontier.add_pages(batch.pages)
    crawl = uow.crawls.lock(crawl_id)
    if crawl is None or crawl.state != "open":
        raise CrawlEnded(f"crawl {crawl_id} has ended: nothing more is written")
    return _Settling(uow, crawl, lease, batch).run()


class CrawlEnded(NightjarError):
    """A crawl ended while pages of it were in hand: they are dropped."""


class _Settling:
    """One transaction over one locked crawl."""

    def __init__(self, uow: UnitOfWork, crawl: Crawl, lease: SliceLease, batch: Batch) -> None:
        self._uow = uow
        self._crawl = crawl
        self._lease = lease
        self._batch = batch
        self._rules = replace(batch.rules, crawl=crawl)
        self._change = CountChange()
        self._wake: dict[str, str] = {}
        self._offered: dict[str, int] = {}

    def run(self) -> Settlement:
        depths = self._write_ends()
        self._move_scope(depths)
        self._begin_sitemaps()
        self._offer(self._first_offers(depths))
        self._free_duplicates()
        traps = self._look_for_traps()
        for host, choice in sorted(self._batch.engine_choices.items()):
            self._uow.crawls.keep_engine_choice(self._crawl.task_id, host, choice)
        self._tell_hosts()
        counts = self._uow.crawls.count(self._crawl.task_id, self._change)
        self._uow.crawls.wake(self._crawl.task_id, self._wake)
        self._report(counts)
        to_publish = end_if_done(self._uow, self._crawl, counts)
        return Settlement(
            counts=counts,
            to_publish=tuple(to_publish),
            offered=tuple(self._offered.items()),
            traps=traps,
        )

    # --- pages and ends -------------------------------------------------------------------------------------------

    def _write_ends(self) -> dict[UUID, int]:
        """Write what became of each URL; its depth as it is now: a shorter path may have been found meanwhile."""
        outcomes = self._batch.outcomes
        ends = [outcome.end or UrlEnd(url_hash=outcome.leased.url_hash, state=PageState.DONE) for outcome in outcomes]
        depths = self._uow.frontier.settle(self._crawl.task_id, self._lease, ends)
        states = Counter(end.state for end in ends)
        if self._batch.archive_object:
            self._uow.frontier.store_object(
                self._crawl.task_id, self._batch.archive_object, pages=states[PageState.DONE]
            )
        self._change.leased -= len(ends)
        self._change.done += states[PageState.DONE]
        self._change.failed += states[PageState.FAILED]
        self._change.skipped += states[PageState.SKIPPED]
        self._change.queued += states[PageState.QUEUED]
        for outcome in outcomes:
            if outcome.end is not None and outcome.end.state is PageState.QUEUED:
                self._wake_host_of(outcome.leased.url)
        return depths

    def _move_scope(self, depths: dict[UUID, int]) -> None:
        """A start page that redirects takes the crawl with it: people type addresses without `www.`."""
        for outcome in self._batch.outcomes:
            end, leased = outcome.end, outcome.leased
            if end is None or end.reason is not SkipReason.REDIRECT or end.target is None:
                continue
            where = web_url(end.target)
            if depths[leased.url_hash] == 0 and self._crawl.counts.done == 0 and where.host != leased.host:
                key = scope_key(where, self._crawl.scope)
                self._uow.crawls.identify(self._crawl.task_id, scope_key=key, user_agent="")
                sitemaps = (NAMED_BY_ROBOTS + where.origin,) if self._crawl.reads_sitemaps else ()
                self._uow.crawls.set_sitemaps(self._crawl.task_id, sitemaps)
                self._crawl = replace(self._crawl, scope_key=key, sitemaps=sitemaps)
                self._rules = replace(self._rules, crawl=self._crawl)

    def _begin_sitemaps(self) -> None:
        """They waited for the start page: perhaps nothing else wakes their host."""
        before = self._crawl.counts
        if not before.done + before.skipped + before.failed:
            for sitemap in self._crawl.sitemaps:
                self._wake_host_of(sitemap.removeprefix(NAMED_BY_ROBOTS))

    # --- links ----------------------------------------------------------------------------------------------------

    def _found(self, depths: dict[UUID, int]) -> Iterable[Found]:
        """The links of the batch, by the depths that its pages have now."""
        for outcome in self._batch.outcomes:
            depth = depths[outcome.leased.url_hash]
            nearer = outcome.leased.depth - depth
            if not nearer:
                yield from outcome.found
            elif outcome.document.links:  # a shorter path was found meanwhile: all of its links are nearer than known
                yield from _links_of(outcome, depth)
            else:
                for link in outcome.found:
                    yield link._replace(depth=link.depth - nearer)

    def _first_offers(self, depths: dict[UUID, int]) -> Sequence[OfferedUrl]:
        """What the links of the batch lead to. What was made beforehand holds unless a page or the scope has moved."""
        made = self._batch.offers
        has_moved = any(outcome.leased.depth != depths[outcome.leased.url_hash] for outcome in self._batch.outcomes)
        if made is None or has_moved or self._crawl.scope_key != self._batch.rules.crawl.scope_key:
            return self._rules.offers(self._found(depths))
        return made

    def _offer(self, offers: Sequence[OfferedUrl]) -> None:
        """Add what was found, then what follows from it: a page that moved up takes its links with it."""
        while offers:
            states, lowered = self._uow.frontier.offer(self._crawl.task_id, offers)
            self._change.queued += states.count(PageState.QUEUED)
            self._change.skipped += states.count(PageState.SKIPPED)
            for offer in offers:
                if offer.reason is not SkipReason.NOFOLLOW:  # the next link to it may be one to follow
                    self._offered[offer.url] = min(offer.depth, self._offered.get(offer.url, offer.depth))
                if offer.reason is None:
                    self._wake.setdefault(offer.host, offer.origin)
            offers = self._followers(lowered)

    def _followers(self, lowered: Sequence[LoweredUrl]) -> list[OfferedUrl]:
        """What the links of URLs that moved up lead to, one hop further."""
        for url in lowered:
            if url.was == PageState.SKIPPED and url.state == PageState.QUEUED:
                self._change.skipped -= 1
                self._change.queued += 1
        found = [Found(url=url.target, depth=url.depth) for url in lowered if url.target]
        done = {url.url_hash: url.depth for url in lowered if url.state == PageState.DONE}
        if done:
            for url_hash, links in self._uow.frontier.links_of(self._crawl.task_id, done).items():
                depth = done[url_hash] + 1
                found += [Found(url=str(url), depth=depth, nofollow=bool(nofollow)) for url, nofollow in links]
        return self._rules.offers(found)

    def _free_duplicates(self) -> None:
        """What was skipped for a page that cannot be had, or that leads back to it, is fetched for itself."""
        crawl_id, frontier = self._crawl.task_id, self._uow.frontier
        ends = [(outcome.leased.url, outcome.end) for outcome in self._batch.outcomes if outcome.end is not None]
        failed = [url for url, end in ends if end.state is PageState.FAILED or end.reason in NOT_TO_BE_HAD]
        named = {web_url(end.target).hash for _, end in ends if end.target and end.reason is SkipReason.CANONICAL}
        failed += frontier.failed_among(crawl_id, named) if named else []
        freed = frontier.undo_canonical(crawl_id, failed) if failed else []
        led = [
            {"url": url, "target": end.target, "target_hash": str(web_url(end.target).hash)}
            for url, end in ends
            if end.target
        ]
        freed += frontier.undo_circles(crawl_id, led) if led else []
        self._change.skipped -= len(freed)
        self._change.queued += len(freed)
        for url in freed:
            self._wake_host_of(url)

    # --- traps, hosts, progress -----------------------------------------------------------------------------------

    def _look_for_traps(self) -> frozenset[str]:
        """Templates of URLs whose pages say the same again and again but for numbers."""
        shapes: dict[str, list[UUID]] = {}
        for outcome in self._batch.outcomes:
            if outcome.page is not None and outcome.document.text:
                template = template_of(outcome.leased.url)
                if "N" in template or not template.endswith("?"):
                    shapes.setdefault(template, []).append(_shape(outcome.document.text))
        return self._uow.url_traps.note_shapes(self._crawl.task_id, shapes) if shapes else frozenset()

    def _tell_hosts(self) -> None:
        """Hosts that have too much to do are asked less often, those that answer well more often again."""
        by_host: dict[str, list[Outcome]] = {}
        for outcome in self._batch.outcomes:
            by_host.setdefault(outcome.leased.host, []).append(outcome)
        for host, outcomes in sorted(by_host.items()):
            signals = [outcome.signal for outcome in outcomes if outcome.signal is not None]
            if _speak_for_the_host(signals, len(outcomes)):
                waits = [signal.retry_after for signal in signals if signal.retry_after is not None]
                self._uow.host_lanes.back_off(
                    host, first=FIRST_BACKOFF, longest=LONGEST_BACKOFF, retry_after=max(waits, default=None)
                )
            elif not signals:
                self._uow.host_lanes.ease(host, answers=len(outcomes))

    def _report(self, counts: CrawlCounts) -> None:
        total = min(counts.discovered - counts.skipped - counts.failed, self._crawl.page_limit)
        share = counts.done / total if total else 0
        self._uow.crawls.report(
            self._crawl.task_id,
            step="crawling",
            progress=30 + int(29 * share),
            total=total,
            message=f"{counts.done} pages, {max(total - counts.done, 0)} to go",
        )

    def _wake_host_of(self, url: str) -> None:
        parts = web_url(url)
        self._wake.setdefault(parts.host, parts.origin)


def _links_of(outcome: Outcome, depth: int) -> Iterable[Found]:
    for link in outcome.document.links:
        yield Found(url=link.url, depth=depth + 1, nofollow=link.nofollow, label=link.label)


def _speak_for_the_host(signals: Sequence[HostSignal], answers: int) -> bool:
    """Whether the host has too much to do: it says so plainly, or a tenth of its answers do."""
    return any(signal.plain for signal in signals) or len(signals) >= max(SIGNALS, answers / 10)


def _shape(text: str) -> UUID:
    return UUID(bytes=hashlib.blake2b(text.encode().translate(None, b"0123456789"), digest_size=16).digest())


def page_rows(crawl_id: UUID, stored: Iterable[StoredOutcome]) -> bytes:
    """The rows of the pages among the outcomes, as COPY reads them; sorted, as all inserts of many rows are."""
    pages = sorted((one for one in stored if one.body is not None), key=lambda one: one.outcome.leased.url_hash)
    rows = ["\t".join(map(_copied, _row(crawl_id, one))) + "\n" for one in pages]
    return "".join(rows).encode(errors="replace")


def _copied(value: object) -> str:
    """A value in the text format of COPY."""
    if value is None:
        return "\\N"
    text = str(value)
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _row(crawl_id: UUID, stored: StoredOutcome) -> tuple[object, ...]:
    """The values of PAGE_COLUMNS."""
    outcome, body, page = stored.outcome, stored.body, stored.outcome.page
    if page is None or body is None:
        raise ValueError("a row is made of a page that is in the archive")
    leased, document = outcome.leased, outcome.document
    return (
        crawl_id,
        leased.url_hash,
        leased.requested_url or leased.url,
        page.final_url,
        leased.host,
        page.status,
        page.engine,
        outcome.engine_reason,
        page.content_type,
        outcome.charset,
        json.dumps(page.headers),
        document.title,
        document.text,
        json.dumps([(link.url, link.nofollow) for link in document.links]),
        document.canonical,
        len(page.body),
        page.started_at.isoformat(),
        round(page.elapsed.total_seconds() * 1000),
        body.archive_object,
        body.offset,
        body.length,
        stored.screenshot,
    )
