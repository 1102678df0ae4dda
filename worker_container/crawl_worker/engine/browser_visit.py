"""What happens to a page while somebody works with it, and what its errors mean."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from playwright.async_api import BrowserContext, Page, Request
from playwright.async_api import Error as PlaywrightError
from yarl import URL

from crawl_worker.engine.browser_errors import crashed, died, failure_of
from crawl_worker.engine.browser_process import RunningChromium
from crawl_worker.engine.egress_proxy import Door
from crawl_worker.engine.settings import EngineSettings
from nightjar.errors import ErrorCode, GiveUp, TaskFailure

_NOT_COUNTED = frozenset({"document", "image", "font", "media", "ping"})
"""Kinds of request that are navigations, not loaded, or sent without being waited for."""


class VisitWatch:
    """Ends a visit whose Chromium died, or whose page crashed or asks for too much; gives its errors their meaning."""

    def __init__(self, running: RunningChromium, door: Door, settings: EngineSettings) -> None:
        self._running = running
        self._door = door
        self._max_requests = settings.max_page_requests
        self._requests = 0
        self._page: Page | None = None
        self._failed_url: str | None = None
        self._failure: TaskFailure | None = None
        self._end = asyncio.timeout(None)

    async def page_in(self, context: BrowserContext) -> Page:
        """The page of the visit, watched."""
        context.on("request", self._count)
        context.on("requestfailed", self._note_failed)
        self._page = await context.new_page()
        self._page.on("crash", lambda page: self._trip(crashed(page.url)))
        return self._page

    async def __aenter__(self) -> Self:
        await self._end.__aenter__()
        self._running.chromium.on("disconnected", self._on_death)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.chromium.remove_listener("disconnected", self._on_death)
        try:
            await self._end.__aexit__(kind, error, trace)
        except TimeoutError:
            if self._failure is not None:
                raise self._failure from error
            raise
        if isinstance(error, PlaywrightError):
            raise self._meaning(error) from error

    def _on_death(self, *_: object) -> None:
        self._trip(died(self._url))

    def _trip(self, failure: TaskFailure) -> None:
        if self._failure is None:
            self._failure = failure
            self._end.reschedule(asyncio.get_running_loop().time())

    def _count(self, request: Request) -> None:
        self._requests += request.resource_type not in _NOT_COUNTED
        if self._requests > self._max_requests:
            self._trip(
                GiveUp(
                    ErrorCode.TOO_LARGE,
                    f"{self._url} asks for more than {self._max_requests} sub-resources in one visit",
                    details={"url": self._url},
                )
            )

    def _note_failed(self, request: Request) -> None:
        with suppress(PlaywrightError):  # the frame of a request may be gone, or not there yet
            if request.is_navigation_request() and request.frame.parent_frame is None:
                self._failed_url = request.url

    def _meaning(self, error: PlaywrightError) -> TaskFailure:
        """Why Playwright raised: the cause that we know of, else the table."""
        if self._failure is not None:
            return self._failure
        if not self._running.is_alive:
            return died(self._url)
        noted = self._noted_by_door() if "net::ERR_" in error.message else None
        return noted or failure_of(error, self._failed_url or self._url)

    def _noted_by_door(self) -> TaskFailure | None:
        url = URL(self._failed_url or self._url)
        return self._door.failure(url.host or "", url.port or 0)

    @property
    def _url(self) -> str:
        return self._page.url if self._page is not None else "about:blank"
