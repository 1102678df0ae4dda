"""What happens to a page while somebody works with it, and what its errors mean."""

import asyncio
from types import TracebackType
from typing import Self

from playwright.async_api import BrowserContext, Page, Request
from playwright.async_api import Error as PlaywrightError
from yarl import URL

from crawl_worker.engine.browser_errors import crashed, died, failure_of, meaning_of
from crawl_worker.engine.browser_process import RunningChromium
from crawl_worker.engine.egress_proxy import Door
from crawl_worker.engine.settings import EngineSettings
from nightjar.errors import ErrorCode, GiveUp, TaskFailure

_NOT_COUNTED = frozenset({"document", "image", "font", "media", "ping"})
"""Kinds of request that are navigations, not loaded, or sent without being waited for."""


_MEDIA = ("mp4", "m4v", "webm", "mov", "m3u8", "mpd", "mp3", "m4a", "ogg", "wav")
MEDIA_URLS = [pattern for kind in _MEDIA for pattern in (f"*.{kind}", f"*.{kind}?*")]
"""Films and sound, as the browser's own blocking takes them: about 5 ms a page, where routing costs each request."""


class VisitWatch:
    """Ends a visit whose Chromium died, or whose page crashed or asks for too much; gives its errors their meaning."""

    def __init__(self, running: RunningChromium, door: Door, settings: EngineSettings, *, outlives: bool) -> None:
        self._running = running
        self._outlives = outlives
        self._door = door
        self._max_requests = settings.max_page_requests
        self._block_media = settings.block_media
        self._requests = 0
        self._page: Page | None = None
        self._failure: TaskFailure | None = None
        self._end = asyncio.timeout(None)

    async def page_in(self, context: BrowserContext) -> Page:
        """The page of the visit, watched."""
        context.on("request", self._count)
        context.on("requestfailed", self._on_failed_request)
        self._page = await context.new_page()
        if self._block_media:
            session = await context.new_cdp_session(self._page)
            await session.send("Network.enable")
            await session.send("Network.setBlockedURLs", {"urls": MEDIA_URLS})
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
        if self._is_document(request):
            self._requests = 0
        self._requests += request.resource_type not in _NOT_COUNTED
        if self._requests > self._max_requests:
            self._trip(
                GiveUp(
                    ErrorCode.TOO_LARGE,
                    f"{self._url} asks for more than {self._max_requests} sub-resources",
                    details={"url": self._url},
                )
            )

    def _on_failed_request(self, request: Request) -> None:
        """End the visit when its document does not load, also when that breaks off after the page has begun to show."""
        if self._outlives:
            return
        cause = request.failure or ""
        if cause != "net::ERR_ABORTED" and self._is_document(request):
            url = URL(request.url)
            self._trip(self._door.failure(url.host or "", url.port or 0) or meaning_of(cause, request.url))

    def _is_document(self, request: Request) -> bool:
        try:
            return request.is_navigation_request() and request.frame == (self._page and self._page.main_frame)
        except PlaywrightError:  # the frame of a request may be gone, or not there yet
            return False

    def _meaning(self, error: PlaywrightError) -> TaskFailure:
        """Why Playwright raised: the cause that is known, else what its message says."""
        if self._failure is None and not self._running.is_alive:
            return died(self._url)
        return self._failure or failure_of(error, self._url)

    @property
    def _url(self) -> str:
        return self._page.url if self._page is not None else "about:blank"
