"""From a URL in hand to its outcome: fetched by the engine that the page needs, read, judged."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import Protocol, TypeVar

from crawl_worker.engine.charset import charset_of
from crawl_worker.engine.fetched import FetchedPage
from crawl_worker.engine.web_client import WebClient
from crawl_worker.sites.web.document import HTML_TYPES, Document, read_document, read_headers
from crawl_worker.sites.web.engine_choice import Content, EngineChoice, might_run_scripts
from crawl_worker.sites.web.judging import MAX_RETRIES, Outcome, judge, judge_failure, later_in_the_browser
from crawl_worker.sites.web.link_rules import LinkRules
from crawl_worker.sites.web.urls import web_url
from nightjar.database.crawls import Crawl
from nightjar.database.frontier import LeasedUrl
from nightjar.domain.site_crawl import Engine
from nightjar.errors import ErrorCode, GiveUp, RetryLater, TaskFailure
from nightjar.observability import logger

LARGE_BYTES = 200_000
"""Larger pages are read in a thread: they would hold the loop up for some ten milliseconds."""


LONGEST_PAUSE = timedelta(seconds=10)
"""Between the two requests of a page that are made in one go; if it is longer the second one is a turn of its own."""

T = TypeVar("T")


class Renderer(Protocol):
    """The browser pages of one crawl."""

    async def render(self, url: str, *, screenshot: bool = False) -> FetchedPage:
        """The page after its scripts ran. Raises TaskFailure."""


RendererOf = Callable[[Crawl], Awaitable[Renderer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """An answer and what was read in it."""

    page: FetchedPage
    charset: str | None
    document: Document

    def content(self, rules: LinkRules) -> Content:
        """Its text, and its links that belong to the crawl."""
        links = (link.url for link in self.document.links)
        return Content(self.document.text, frozenset(url for url in links if rules.in_scope(web_url(url))))


class PageFetcher:
    """Fetches pages for a slice."""

    def __init__(self, web: WebClient, renderer_of: RendererOf, *, retry_delay: timedelta) -> None:
        self._web = web
        self._renderer_of = renderer_of
        self._retry_delay = retry_delay

    async def outcome_of(self, leased: LeasedUrl, rules: LinkRules, choice: EngineChoice, pause: timedelta) -> Outcome:
        """Fetch, read and judge one page. `pause` lies between two requests for it, where it takes two.

        Never raises but for cancellation: a fault is the page's own.
        """
        try:
            reading, reason = await self._read(leased, rules, choice, pause)
        except _TooLongAPause:
            return later_in_the_browser(leased)
        except TaskFailure as failure:
            return judge_failure(leased, failure, retry_delay=self._retry_delay)
        except Exception as error:  # noqa: BLE001  # one page must not take the slice with it
            logger(__name__).exception("page_failed_unforeseen", url=leased.url)
            fault = RetryLater(ErrorCode.INTERNAL, f"{type(error).__name__} while reading it; see the worker log")
            return judge_failure(leased, fault, retry_delay=self._retry_delay)
        outcome = judge(
            leased,
            reading.page,
            reading.document,
            retry_delay=self._retry_delay,
            is_wanted=lambda link: rules.offer(link).reason is None,
        )
        return replace(outcome, charset=reading.charset, engine_reason=reason)

    async def _read(
        self, leased: LeasedUrl, rules: LinkRules, choice: EngineChoice, pause: timedelta
    ) -> tuple[_Reading, str]:
        crawl = rules.crawl
        if crawl.engine is Engine.BROWSER or leased.wants_browser:
            reason = "the order says so" if crawl.engine is Engine.BROWSER else "scripts make it, by a look over HTTP"
            return await self._shown(crawl, leased, pause, reason)
        page = await self._web.fetch(leased.url, user_agent=crawl.user_agent)
        reading = await _reading_of(page)
        if crawl.engine is Engine.HTTP and not crawl.screenshots:
            return reading, "the order says so"
        if page.status != HTTPStatus.OK or not is_html(page):
            return reading, "it is no page that a browser would show differently"
        return await self._as_seen(leased, rules, choice, reading, pause)

    async def _as_seen(
        self, leased: LeasedUrl, rules: LinkRules, choice: EngineChoice, reading: _Reading, pause: timedelta
    ) -> tuple[_Reading, str]:
        """The page as a reader sees it: what came over HTTP if that is all there is, else rendered."""
        html = reading.page.body.decode(reading.charset or "utf-8", errors="replace")
        if not rules.crawl.screenshots and not might_run_scripts(html):
            return reading, "no script runs on it"
        before = reading.content(rules)
        verdict = await _in_thread_if_large(html, lambda: choice.judge(html, before))
        reason = verdict.reason
        if rules.crawl.screenshots:
            reason = "a screenshot was asked for"
        elif verdict.engine is Engine.HTTP:
            return reading, reason
        await _wait_for(pause)
        try:
            rendered = await self._rendered(rules.crawl, leased.url)
        except TaskFailure as failure:
            if isinstance(failure, RetryLater) and leased.attempts <= MAX_RETRIES:
                raise
            return reading, f"{reason}; the browser could not: {failure.message}"
        choice.learn(verdict, before, rendered.content(rules))
        return rendered, reason

    async def _shown(self, crawl: Crawl, leased: LeasedUrl, pause: timedelta, reason: str) -> tuple[_Reading, str]:
        """The page as the browser shows it; a file that it would only save comes over HTTP."""
        try:
            return await self._rendered(crawl, leased.url), reason
        except GiveUp:
            if pause > LONGEST_PAUSE:
                raise
            await _wait_for(pause)
            page = await self._web.fetch(leased.url, user_agent=crawl.user_agent)
            if is_html(page):
                raise
            return await _reading_of(page), "the browser shows no files of this kind"

    async def _rendered(self, crawl: Crawl, url: str) -> _Reading:
        renderer = await self._renderer_of(crawl)
        return await _reading_of(await renderer.render(url, screenshot=crawl.screenshots))


class _TooLongAPause(Exception):
    """The second request for a page has to wait longer than a slice should."""


async def _wait_for(pause: timedelta) -> None:
    if pause > LONGEST_PAUSE:
        raise _TooLongAPause
    await asyncio.sleep(pause.total_seconds())


async def _in_thread_if_large(html: str, work: Callable[[], T]) -> T:
    """Parsing a page of megabytes would hold the loop up."""
    return await asyncio.to_thread(work) if len(html) > LARGE_BYTES else work()


async def _reading_of(page: FetchedPage) -> _Reading:
    charset, document = await read_page(page)
    return _Reading(page=page, charset=charset, document=document)


async def read_page(page: FetchedPage) -> tuple[str | None, Document]:
    """The charset and the document of an answer; of what is no HTML, what its headers ask of crawlers."""
    if not is_html(page):
        return None, read_headers(_robots_header(page))
    if len(page.body) > LARGE_BYTES:
        return await asyncio.to_thread(_read, page)
    return _read(page)


def is_html(page: FetchedPage) -> bool:
    """Whether an answer is a page of HTML; one that names no type is, if it looks like it."""
    kind = page.content_type
    return kind in HTML_TYPES or (not kind and page.body[:200].lstrip()[:1] == b"<")


def _read(page: FetchedPage) -> tuple[str, Document]:
    # What the browser gives is UTF-8, whatever the header of the document says that was sent.
    is_rendered = page.engine is Engine.BROWSER
    charset = "utf-8" if is_rendered else charset_of(page.body, page.header("content-type"))
    html = page.body.decode(charset, errors="replace")
    return charset, read_document(html, page.final_url, robots_header=_robots_header(page))


def _robots_header(page: FetchedPage) -> str:
    return "\n".join(page.values("x-robots-tag"))
