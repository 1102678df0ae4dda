"""From a URL in hand to its outcome: fetched by the engine that the page needs, read, judged."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

from crawl_worker.engine.charset import charset_of
from crawl_worker.engine.fetched import FetchedPage
from crawl_worker.engine.web_client import WebClient
from crawl_worker.sites.web.document import EMPTY, HTML_TYPES, Document, read_document
from crawl_worker.sites.web.judging import Outcome, judge, judge_failure
from nightjar.database.crawls import Crawl
from nightjar.database.frontier import LeasedUrl
from nightjar.domain.site_crawl import Engine
from nightjar.errors import ErrorCode, RetryLater, TaskFailure
from nightjar.observability import logger

LARGE_BYTES = 200_000
"""Larger pages are read in a thread: they would hold the loop up for some ten milliseconds."""


class Renderer(Protocol):
    """The browser pages of one crawl."""

    async def render(self, url: str, *, screenshot: bool = False) -> FetchedPage:
        """The page after its scripts ran. Raises TaskFailure."""


RendererOf = Callable[[Crawl], Awaitable[Renderer]]


class PageFetcher:
    """Fetches pages for a slice."""

    def __init__(self, web: WebClient, renderer_of: RendererOf, *, retry_delay: timedelta) -> None:
        self._web = web
        self._renderer_of = renderer_of
        self._retry_delay = retry_delay

    async def outcome_of(self, crawl: Crawl, leased: LeasedUrl) -> Outcome:
        """Fetch, read and judge one page. Never raises but for cancellation: a fault is the page's own."""
        try:
            return await self._fetched(crawl, leased)
        except TaskFailure as failure:
            return judge_failure(leased, failure, retry_delay=self._retry_delay)
        except Exception as error:  # noqa: BLE001  # one page must not take the slice with it
            logger(__name__).exception("page_failed_unforeseen", url=leased.url)
            fault = RetryLater(ErrorCode.INTERNAL, f"{type(error).__name__} while reading it; see the worker log")
            return judge_failure(leased, fault, retry_delay=self._retry_delay)

    async def _fetched(self, crawl: Crawl, leased: LeasedUrl) -> Outcome:
        if crawl.engine is Engine.BROWSER or crawl.screenshots:
            page = await self._rendered(crawl, leased.url)
            return await self._judged(leased, page, "browser was asked for")
        page = await self._web.fetch(leased.url, user_agent=crawl.user_agent)
        return await self._judged(leased, page, "http was asked for")

    async def _rendered(self, crawl: Crawl, url: str) -> FetchedPage:
        renderer = await self._renderer_of(crawl)
        return await renderer.render(url, screenshot=crawl.screenshots)

    async def _judged(self, leased: LeasedUrl, page: FetchedPage, reason: str) -> Outcome:
        charset, document = await read_page(page)
        outcome = judge(leased, page, document, retry_delay=self._retry_delay)
        return with_reading(outcome, charset, reason)


def with_reading(outcome: Outcome, charset: str | None, reason: str) -> Outcome:
    """The outcome, with how its page was fetched and read."""
    return Outcome(
        leased=outcome.leased,
        page=outcome.page,
        document=outcome.document,
        charset=charset,
        engine_reason=reason,
        end=outcome.end,
        found=outcome.found,
        signal=outcome.signal,
    )


async def read_page(page: FetchedPage) -> tuple[str | None, Document]:
    """The charset and the document of an answer; neither if it is no HTML."""
    if not is_html(page):
        return None, EMPTY
    if len(page.body) > LARGE_BYTES:
        return await asyncio.to_thread(_read, page)
    return _read(page)


def is_html(page: FetchedPage) -> bool:
    """Whether an answer is a page of HTML; one that names no type is, if it looks like it."""
    kind = page.content_type
    return kind in HTML_TYPES or (not kind and page.body[:200].lstrip()[:1] == b"<")


def _read(page: FetchedPage) -> tuple[str, Document]:
    charset = charset_of(page.body, page.header("content-type"))
    html = page.body.decode(charset, errors="replace")
    return charset, read_document(html, page.final_url, robots_header=page.header("x-robots-tag"))
