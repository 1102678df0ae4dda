"""Single pages of the web, one after the other: robots.txt, the host's pause, redirects, the engine that each needs."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from types import TracebackType
from typing import Self
from uuid import uuid4

from crawl_worker.engine.browser import BrowserProfile
from crawl_worker.engine.charset import charset_of
from crawl_worker.engine.fetched import FetchedPage
from crawl_worker.engine.fetcher import CLOSING, JUDGING, within
from crawl_worker.engine.page_pool import CrawlPages, PagePool
from crawl_worker.engine.politeness import HostGate
from crawl_worker.engine.robots import RobotsRules, fetch_robots
from crawl_worker.engine.store import Store
from crawl_worker.engine.web_client import WebClient
from crawl_worker.sites.web.document import EMPTY, Document, read_document
from crawl_worker.sites.web.engine_choice import Content, EngineChoice
from crawl_worker.sites.web.host_errands import ROBOTS_TTL
from crawl_worker.sites.web.judging import retry_after
from crawl_worker.sites.web.page_fetching import is_html
from crawl_worker.sites.web.urls import spelled, start_url, web_url
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.site_crawl import Engine
from nightjar.errors import Blocked, ErrorCode, GiveUp, RetryLater, TaskFailure

MAX_REDIRECTS = 5

ROBOTS_RETRY = timedelta(seconds=60)
"""After a host could not say what it allows."""

_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS})
_OVERLOADED = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTools:
    """What all readers of a child share. `new_gate` makes the gate of one attempt for a pause between requests."""

    store: Store
    web: WebClient
    pool: PagePool
    new_gate: Callable[[timedelta], HostGate]
    delay: timedelta
    request_timeout: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPage:
    """A page that was read; `document` is empty for what is no HTML."""

    page: FetchedPage
    document: Document
    engine_reason: str


class PolitePages:
    """The pages of one task: one user agent, one browser context, what was learned of the hosts. A context manager."""

    def __init__(self, tools: PageTools, *, engine: Engine, user_agent: str) -> None:
        self._tools = tools
        self._engine = engine
        self._user_agent = user_agent
        self._robots: dict[str, RobotsRules] = {}
        self._gates: dict[timedelta, HostGate] = {}
        self._choices: dict[str, EngineChoice] = {}
        self._contexts = AsyncExitStack()
        self._renderer: CrawlPages | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._contexts.aclose()

    async def read(self, url: str) -> ReadPage:
        """A page, over up to five redirects.

        Raises:
            HostBusy: the host has no free slot soon.
            Blocked: the host wants fewer requests; it is being left alone.
            GiveUp: robots.txt or the egress rule forbid it, or it is not there.
            Invalid: it is no URL of the web.
            RetryLater: a passing fault.
        """
        spelling = start_url(url).text
        if self._engine is Engine.BROWSER:
            return _read(await self._rendered(spelling), "browser was asked for")
        over_http = _read(await self._fetched(spelling), "http was asked for")
        if self._engine is Engine.HTTP or not is_html(over_http.page):
            return over_http
        return await self._as_readers_see_it(over_http)

    async def _as_readers_see_it(self, over_http: ReadPage) -> ReadPage:
        """The page itself, or what scripts make of it."""
        page = over_http.page
        choice = self._choices.setdefault(web_url(page.final_url).host, EngineChoice())
        before = _content(over_http.document)
        verdict = choice.judge(_html(page), before)
        if verdict.engine is Engine.HTTP:
            return ReadPage(page=page, document=over_http.document, engine_reason=verdict.reason)
        rendered = _read(await self._rendered(page.final_url), verdict.reason)
        choice.learn(verdict, before, _content(rendered.document))
        return rendered

    async def _fetched(self, url: str) -> FetchedPage:
        target = url
        for _ in range(MAX_REDIRECTS + 1):
            page = await self._in_turn(target, partial(self._tools.web.fetch, target, user_agent=self._user_agent))
            onward = _onward(page)
            if onward is None:
                return page
            target = onward
        raise GiveUp(ErrorCode.UPSTREAM_ERROR, f"{url} leads on and on: more than {MAX_REDIRECTS} redirects")

    async def _rendered(self, url: str) -> FetchedPage:
        if self._renderer is None:
            profile = BrowserProfile(user_agent=self._user_agent)
            context = self._tools.pool.crawl(uuid4(), self._tools.web.rule, profile)
            self._renderer = await self._contexts.enter_async_context(context)
        return await self._in_turn(url, partial(self._renderer.render, url))

    async def _in_turn(self, url: str, send: Callable[[], Awaitable[FetchedPage]]) -> FetchedPage:
        """Send when the host's turn comes, if it allows that at all; a refusal is judged while the host is held."""
        self._tools.web.rule.check_url(url)
        where = web_url(url)
        rules = await self._rules(where.origin, where.host)
        if not rules.allows(url):
            raise GiveUp(ErrorCode.ROBOTS_DISALLOWED, f"{url} is disallowed by robots.txt of {where.origin}")
        gate = self._gate(max(self._tools.delay, rules.crawl_delay or timedelta(0)))
        budget = self._tools.request_timeout + JUDGING
        async with gate.hold(where.host, budget=budget + CLOSING), within(budget, url):
            page = await send()
            _refuse(page)
            return page

    def _gate(self, delay: timedelta) -> HostGate:
        if delay not in self._gates:
            self._gates[delay] = self._tools.new_gate(delay)
        return self._gates[delay]

    # --- robots.txt ---------------------------------------------------------------------------------------------

    async def _rules(self, origin: str, host: str) -> RobotsRules:
        """What an origin allows: known, kept by some worker, or asked for now. Raises RetryLater, HostBusy."""
        if origin not in self._robots:
            kept = await self._tools.store.run(lambda uow: uow.robots.get(origin))
            if kept is not None and kept.fresh:
                self._robots[origin] = RobotsRules.of_answer(kept.status, kept.body)
            else:
                self._robots[origin] = await self._asked_for(origin, host, failures=kept.failures if kept else 0)
        return self._robots[origin]

    async def _asked_for(self, origin: str, host: str, *, failures: int) -> RobotsRules:
        budget = self._tools.request_timeout + JUDGING
        try:
            async with self._gate(self._tools.delay).hold(host, budget=budget + CLOSING), within(budget, origin):
                rules = await fetch_robots(self._tools.web, origin, self._user_agent)
        except RetryLater:
            await self._keep(origin, status=503, body="", failures=failures + 1, ttl=ROBOTS_RETRY * (failures + 1))
            raise
        await self._keep(origin, status=rules.status, body=rules.text, failures=0, ttl=ROBOTS_TTL)
        return rules

    async def _keep(self, origin: str, *, status: int, body: str, failures: int, ttl: timedelta) -> None:
        def keep(uow: UnitOfWork) -> None:
            uow.robots.keep(origin, status=status, body=body, failures=failures, ttl=min(ttl, ROBOTS_TTL))

        await self._tools.store.run(keep)


def _onward(page: FetchedPage) -> str | None:
    """Where a redirect leads; None of what is none. Raises GiveUp."""
    if not HTTPStatus.MULTIPLE_CHOICES <= page.status < HTTPStatus.BAD_REQUEST:
        return None
    target = spelled(page.header("location").strip(), page.final_url) if page.header("location") else None
    if target is None:
        raise GiveUp(ErrorCode.UPSTREAM_ERROR, f"{page.url} answers {page.status} without saying where it leads")
    return target


def _refuse(page: FetchedPage) -> None:
    """Raises what an answer means that is no page."""
    failure = _failure(page)
    if failure is not None:
        raise failure


def _failure(page: FetchedPage) -> TaskFailure | None:
    message = f"{page.url} answers {page.status}"
    status = page.status
    if status < HTTPStatus.BAD_REQUEST:
        return None
    if status in _OVERLOADED:
        wait = retry_after(page)
        return Blocked(message, details={} if wait is None else {"retry_after_seconds": round(wait.total_seconds())})
    if status in _GONE:
        return GiveUp(ErrorCode.NOT_FOUND, message)
    if status in _REFUSED:
        return GiveUp(ErrorCode.BLOCKED, message)
    if status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return RetryLater(ErrorCode.UPSTREAM_ERROR, message)
    return GiveUp(ErrorCode.UPSTREAM_ERROR, message)


def _read(page: FetchedPage, reason: str) -> ReadPage:
    document = read_document(_html(page), page.final_url) if is_html(page) else EMPTY
    return ReadPage(page=page, document=document, engine_reason=reason)


def _html(page: FetchedPage) -> str:
    # What the browser gives is UTF-8, whatever the header of the document says that was sent.
    is_rendered = page.engine is Engine.BROWSER
    charset = "utf-8" if is_rendered else charset_of(page.body, page.header("content-type"))
    return page.body.decode(charset, errors="replace")


def _content(document: Document) -> Content:
    return Content(text=document.text, links=frozenset(link.url for link in document.links))
