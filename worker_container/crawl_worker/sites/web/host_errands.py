"""What a slice asks of a host besides pages: its robots.txt and its sitemaps."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from uuid import UUID

from crawl_worker.engine.fetched import FetchedPage
from crawl_worker.engine.robots import RobotsRules, fetch_robots
from crawl_worker.engine.store import Store
from crawl_worker.engine.web_client import WebClient
from crawl_worker.sites.web.claiming import NAMED_BY_ROBOTS, ROBOTS_FAILURES, ClaimRules, Turn
from crawl_worker.sites.web.crawl_desk import CrawlDesk, RobotsBook
from crawl_worker.sites.web.judging import MAX_RETRIES, OVERLOADED, retry_after
from crawl_worker.sites.web.link_rules import Found, LinkRules
from crawl_worker.sites.web.settling import FIRST_BACKOFF, LONGEST_BACKOFF
from crawl_worker.sites.web.sitemap import MAX_BYTES, Sitemap, read_sitemap
from crawl_worker.sites.web.urls import spelled, web_url
from nightjar.application.publishing import publish_task
from nightjar.application.site_crawls import end_if_done
from nightjar.database.crawls import CountChange
from nightjar.database.frontier import SITEMAP_DEPTH
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.site_crawl import PageState
from nightjar.errors import GiveUp, TaskFailure
from nightjar.observability import logger
from nightjar.ports import TaskQueue

ROBOTS_TTL = timedelta(hours=24)
"""RFC 9309, 2.4: a copy should not be used for longer."""

SILENCE_TTL = timedelta(hours=1)
"""How long a host that could not say, time and again, is not asked again."""

MAX_SITEMAPS = 1_000
"""Files that wait to be read; an index that names more is cut."""

MAX_REDIRECTS = 5
"""Of a sitemap, within its host."""

OFFERS_AT_ONCE = 5_000

log = logger(__name__)


class HostErrands:
    """Asks hosts for their rules and their lists of pages."""

    def __init__(self, store: Store, queue: TaskQueue, web: WebClient, robots: RobotsBook, rules: ClaimRules) -> None:
        self._store = store
        self._queue = queue
        self._web = web
        self._robots = robots
        self._rules = rules

    async def run(self, turn: Turn, desk: CrawlDesk) -> None:
        """The errand of a turn that has no URLs."""
        if turn.asks_robots:
            await self._ask_robots(turn)
        elif turn.sitemap is not None and turn.sitemap.startswith(NAMED_BY_ROBOTS):
            await self._list_sitemaps(turn, turn.sitemap)
        elif turn.sitemap is not None:
            await self._read_sitemap(turn, desk)

    def read_robots(self, turn: Turn) -> None:
        """Rules that another worker asked for."""
        answer = turn.robots
        if answer is None:
            return
        if answer.failures > ROBOTS_FAILURES:
            self._robots.silent[turn.origin] = answer.body
        else:
            self._robots.rules[turn.origin] = RobotsRules.of_answer(answer.status, answer.body)

    async def publish(self, task_ids: Iterable[UUID]) -> None:
        """Put committed tasks on their queue."""
        for task_id in task_ids:
            await self._store.spanning(partial(publish_task, queue=self._queue, task_id=task_id))

    async def _ask_robots(self, turn: Turn) -> None:
        """Ask, and keep the answer for all workers. A host that cannot say is asked again later, a few times."""
        try:
            rules = await fetch_robots(self._web, turn.origin, turn.crawl.user_agent)
        except GiveUp as refusal:  # the same door is shut for its pages: each of them says why
            log.warning("robots_refused", origin=turn.origin, cause=refusal.message)
            self._robots.rules[turn.origin] = RobotsRules.of_answer(HTTPStatus.NOT_FOUND, "")
            await self._store.run(lambda uow: _wake(uow, turn))
            return
        except TaskFailure as failure:
            failures = (turn.robots.failures if turn.robots else 0) + 1
            log.warning("robots_unavailable", origin=turn.origin, failures=failures, cause=failure.message)
            ttl = SILENCE_TTL if failures > ROBOTS_FAILURES else self._rules.robots_retry * failures
            silence = partial(_keep_robots, turn=turn, status=503, body=failure.message, failures=failures, ttl=ttl)
            await self._store.run(silence)
            return
        self._robots.rules[turn.origin] = rules
        await self._store.run(
            partial(_keep_robots, turn=turn, status=rules.status, body=rules.text, failures=0, ttl=ROBOTS_TTL)
        )

    async def _list_sitemaps(self, turn: Turn, marker: str) -> None:
        """Which sitemaps there are: those that robots.txt names, else the usual place."""
        rules = self._robots.rules.get(turn.origin)
        named = [url for raw in (rules.sitemaps if rules else ()) if (url := spelled(raw, f"{turn.origin}/"))]
        urls = named or [f"{turn.origin}/sitemap.xml"]
        await self._was_read(turn, marker, urls)

    async def _read_sitemap(self, turn: Turn, desk: CrawlDesk) -> None:
        url = turn.sitemap or ""
        answer = await self._sitemap_answer(url, turn, desk)
        if answer is not None and answer.status in OVERLOADED and turn.crawl.sitemaps_read.count(url) < MAX_RETRIES:
            await self._store.run(partial(_ask_later, turn=turn, url=url, wait=retry_after(answer)))
            return
        found = await _listed(answer, url)
        for first in range(0, len(found.pages), OFFERS_AT_ONCE):
            part = found.pages[first : first + OFFERS_AT_ONCE]
            if not await self._store.run(partial(_offer_pages, turn=turn, rules=desk.rules, urls=part)):
                break
        await self._was_read(turn, url, found.children)

    async def _was_read(self, turn: Turn, url: str, children: Iterable[str]) -> None:
        replace_it = partial(_replace_sitemap, turn=turn, read=url, children=list(children))
        await self.publish(await self._store.run(replace_it))

    async def _sitemap_answer(self, url: str, turn: Turn, desk: CrawlDesk) -> FetchedPage | None:
        """The answer for a sitemap; None if there is none: it is an offer of the site, not a promise."""
        if turn.origin in self._robots.silent or not desk.rules.allows(web_url(url)):
            return None
        try:
            answer = await self._web.fetch(url, user_agent=turn.crawl.user_agent, at_most=MAX_BYTES)
            for _ in range(MAX_REDIRECTS):
                onward = spelled(answer.header("location"), answer.url) if answer.header("location") else None
                if onward is None or web_url(onward).host != turn.host:
                    break
                answer = await self._web.fetch(onward, user_agent=turn.crawl.user_agent, at_most=MAX_BYTES)
        except TaskFailure as failure:
            log.info("sitemap_unread", url=url, cause=failure.message)
            return None
        return answer


async def _listed(answer: FetchedPage | None, url: str) -> Sitemap:
    """What a sitemap lists, as a crawl spells it: nothing where the site has none, which is usual."""
    if answer is None or answer.status != HTTPStatus.OK:
        return Sitemap()
    return await asyncio.to_thread(_read, answer.body, url)  # up to a second for a large one


def _read(body: bytes, url: str) -> Sitemap:
    found = read_sitemap(body, url)
    pages, children = ([spelled(raw, url) for raw in listed] for listed in (found.pages, found.children))
    return Sitemap(tuple(filter(None, pages)), tuple(filter(None, children)))


def _keep_robots(uow: UnitOfWork, *, turn: Turn, status: int, body: str, failures: int, ttl: timedelta) -> None:
    uow.robots.keep(turn.origin, status=status, body=body, failures=failures, ttl=ttl)
    _wake(uow, turn)


def _wake(uow: UnitOfWork, turn: Turn) -> None:
    """There is work at the host of a turn, unless its crawl has ended meanwhile: nobody would ever take it."""
    crawl = uow.crawls.lock(turn.crawl.task_id)
    if crawl is not None and crawl.state == "open":
        uow.crawls.wake(crawl.task_id, {turn.host: turn.origin})


def _ask_later(uow: UnitOfWork, *, turn: Turn, url: str, wait: timedelta | None) -> None:
    """The host has too much to do: it is left alone for a while. How often it was asked stands among what was read."""
    crawl = uow.crawls.lock(turn.crawl.task_id)
    if crawl is None or crawl.state != "open":
        return
    uow.crawls.set_sitemaps(crawl.task_id, crawl.sitemaps, read=url)
    uow.host_lanes.back_off(turn.host, first=FIRST_BACKOFF, longest=LONGEST_BACKOFF, retry_after=wait)
    uow.crawls.wake(crawl.task_id, {turn.host: turn.origin})


def _offer_pages(uow: UnitOfWork, *, turn: Turn, rules: LinkRules, urls: Iterable[str]) -> bool:
    """Put pages of a sitemap into the frontier. False: the crawl ended, or has more than it can take."""
    crawl = uow.crawls.lock(turn.crawl.task_id)
    if crawl is None or crawl.state != "open":
        return False
    if crawl.counts.queued + crawl.counts.leased + crawl.counts.done > 2 * crawl.page_limit:
        return False
    offers = rules.offers(Found(url=url, depth=SITEMAP_DEPTH) for url in urls)
    states, moved = uow.frontier.offer(crawl.task_id, offers)
    let_in = sum(url.was == PageState.SKIPPED and url.state == PageState.QUEUED for url in moved)
    queued = states.count(PageState.QUEUED)
    change = CountChange(queued=queued + let_in, skipped=len(states) - queued - let_in)
    uow.crawls.count(crawl.task_id, change)
    uow.crawls.wake(crawl.task_id, {offer.host: offer.origin for offer in offers if offer.reason is None})
    return True


def _replace_sitemap(uow: UnitOfWork, *, turn: Turn, read: str, children: Iterable[str]) -> list[UUID]:
    """One sitemap was read; those that it names are to be read, if their hosts belong to the crawl.

    The tasks that need a message once this is committed.
    """
    crawl = uow.crawls.lock(turn.crawl.task_id)
    if crawl is None or crawl.state != "open":
        return []
    rules = LinkRules(crawl=crawl)
    left = {url: None for url in crawl.sitemaps if url != read}
    if len(crawl.sitemaps_read) < MAX_SITEMAPS:
        done = {*crawl.sitemaps_read, read}
        left |= {url: None for url in children if url not in done and rules.in_scope(web_url(url))}
    waiting = list(left)[:MAX_SITEMAPS]
    uow.crawls.set_sitemaps(crawl.task_id, waiting, read=read)
    hosts = {where.host: where.origin for url in waiting if (where := web_url(url.removeprefix(NAMED_BY_ROBOTS)))}
    uow.crawls.wake(crawl.task_id, {turn.host: turn.origin} | hosts)
    return [] if waiting else end_if_done(uow, replace(crawl, sitemaps=()), crawl.counts)
