"""One page of the crawl's Chromium: navigations one after the other, each read when it has become quiet."""

import asyncio
import base64
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from crawl_worker.engine.browser import BrowserProfile
from crawl_worker.engine.browser_errors import died, meaning_of
from crawl_worker.engine.browser_visit import MEDIA_URLS
from crawl_worker.engine.cdp import Answer, CdpClosed, CdpError
from crawl_worker.engine.crawl_chromium import CrawlChromium
from crawl_worker.engine.egress_proxy import Door
from crawl_worker.engine.fetched import FetchedPage
from crawl_worker.engine.navigation import Navigation
from crawl_worker.engine.page_scripts import WATCH, read_script
from crawl_worker.engine.settings import EngineSettings
from nightjar.domain.site_crawl import Engine
from nightjar.errors import ErrorCode, RetryLater, TaskFailure

STUCK_SECONDS = 1
"""A navigation that has not replaced the page before it after so long is helped: that page's script is ended."""

GRACE_SECONDS = 0.05
"""Without a change for so long counts as quiet, after scripts have loaded something."""

MAX_READINGS = 12
"""How often one page is read because it went on loading, drawing or moving."""

UNCHANGED = 2
"""A page that asks its server for something again and again is read once it was the same so often."""

FRAMES_AT_ONCE = 3
FRAME_SECONDS = 0.02
MAX_FRAMES_FOR_A_PICTURE = 50
"""A frame may come without one while the page's process still prepares it."""

GARBAGE_EVERY = 20
"""Pages after which what they left behind is collected. V8 waits longer than pages last: 450 static pages of 11 KB had
650 MB with it, 260 MB this way, and were no slower."""

BUFFERED_BYTES = 16_000_000
"""Of a page's answers, kept by Chromium for whoever asks."""

_HTML = frozenset({"text/html", "application/xhtml+xml"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    screenshot: bytes | None = None


class Tab:
    """A page target with its session. Used by one caller at a time."""

    def __init__(self, running: CrawlChromium, door: Door, settings: EngineSettings, target: str, session: str) -> None:
        self.running = running
        self.is_usable = True
        self._door = door
        self._settings = settings
        self._target = target
        self._session = session
        self._navigation: Navigation | None = None
        self._shown = 0

    @classmethod
    async def open(
        cls, running: CrawlChromium, context: str, door: Door, profile: BrowserProfile, settings: EngineSettings
    ) -> Self:
        """A new page in a context. Raises CdpError."""
        cdp = running.cdp
        page: dict[str, object] = {"url": "about:blank", "browserContextId": context}
        page |= {"width": profile.width, "height": profile.height}
        if running.draws_when_told:
            page["enableBeginFrameControl"] = True
        target = (await cdp.send("Target.createTarget", **page))["targetId"]
        session = (await cdp.send("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        tab = cls(running, door, settings, target, session)
        cdp.listeners[session] = tab._hear
        await asyncio.gather(*(tab._send(name, **params) for name, params in _preparation(profile, settings)))
        return tab

    async def render(self, url: str, *, screenshot: bool) -> FetchedPage:
        """Go there, wait until the page is quiet, read it.

        Raises:
            RetryLater: the page did not load or was not ready in time, or its process or Chromium ended.
            GiveUp: the egress rule refused it, it asks for or is too much, or it is no page.
        """
        loop = asyncio.get_running_loop()
        started_at, began = datetime.now(UTC), loop.time()
        reading = await self._watched(url, screenshot=screenshot)
        self._collect_garbage()
        return FetchedPage(
            url=url,
            final_url=reading.url,
            status=reading.status,
            headers=reading.headers,
            body=reading.body,
            engine=Engine.BROWSER,
            started_at=started_at,
            elapsed=timedelta(seconds=loop.time() - began),
            screenshot=reading.screenshot,
        )

    async def leave(self) -> None:
        """Show nothing: a page that nobody reads must not go on working."""
        self._navigation = navigation = self._new_navigation("about:blank")
        try:
            async with asyncio.timeout(self._settings.close_grace.total_seconds()):
                await self._go(navigation)
        except (TimeoutError, CdpError, TaskFailure):
            self.is_usable = False
        finally:
            self._navigation = None
            navigation.failed.cancel()

    async def close(self) -> None:
        """Close the page. Raises CdpError when Chromium does not."""
        self.forget()
        await self.running.cdp.send("Target.closeTarget", targetId=self._target)

    def forget(self) -> None:
        """Hear no more of it: its context is closed."""
        self.is_usable = False
        self.running.cdp.listeners.pop(self._session, None)

    # --- one navigation -------------------------------------------------------------------------------------------

    async def _watched(self, url: str, *, screenshot: bool) -> _Reading:
        """Go and read, until that fails or takes too long; after a failure the page is not used again."""
        self._navigation = navigation = self._new_navigation(url)
        usable, self.is_usable = self.is_usable, False
        work = asyncio.ensure_future(self._go_and_read(navigation, screenshot=screenshot))
        try:
            async with asyncio.timeout(self._settings.timeout.total_seconds()):
                closed = self.running.cdp.closed
                ends: set[asyncio.Future[Any]] = {work, navigation.failed, closed}
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if navigation.failed.done():
                navigation.failed.result()
            if not work.done():
                raise died(url)
            reading = work.result()
        except TimeoutError:
            raise RetryLater(ErrorCode.TIMEOUT, f"{url}: it was not ready in time", details={"url": url}) from None
        except CdpClosed as error:
            raise died(url) from error
        except CdpError as error:
            raise meaning_of(str(error), url) from error
        finally:
            self._navigation = None
            work.cancel()
            navigation.failed.cancel()
        self.is_usable = usable
        return reading

    def _new_navigation(self, url: str) -> Navigation:
        return Navigation(
            url=url,
            main_frame=self._target,
            door=self._door,
            max_requests=self._settings.max_page_requests,
            max_bytes=self._settings.max_response_bytes,
            failed=asyncio.get_running_loop().create_future(),
        )

    async def _go_and_read(self, navigation: Navigation, *, screenshot: bool) -> _Reading:
        if not await self._go(navigation):
            return _answer_alone(navigation)
        if _mime_type(navigation) in _HTML:
            reading = await self._settled(navigation)
        else:
            reading = await self._raw(navigation)
        return replace(reading, screenshot=await self._picture(navigation.url)) if screenshot else reading

    async def _go(self, navigation: Navigation) -> bool:
        """Navigate; false where the answer has no document to show. Raises what a page that does not load is."""
        helper = asyncio.ensure_future(self._help_when_stuck(navigation))
        try:
            answer = await self._send("Page.navigate", url=navigation.url)
            if not answer.get("errorText"):
                await navigation.parsed.wait()
        finally:
            helper.cancel()
        fault = answer.get("errorText")
        if answer.get("isDownload"):
            raise meaning_of("Download is starting", navigation.url)
        if fault and answer.get("loaderId") in navigation.responses:
            navigation.document = answer["loaderId"]
            return False
        if fault:
            raise navigation.cause(fault)
        return True

    async def _help_when_stuck(self, navigation: Navigation) -> None:
        """While the page before still runs, end its script again and again: it must not keep this one waiting."""
        await asyncio.sleep(STUCK_SECONDS)
        while not navigation.document:
            with suppress(CdpError):
                self.running.cdp.post("Runtime.terminateExecution", self._session)
            await asyncio.sleep(STUCK_SECONDS / 10)

    # --- reading --------------------------------------------------------------------------------------------------

    async def _settled(self, navigation: Navigation) -> _Reading:
        """The document when it is quiet, or at the latest after the settle limit."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._settings.settle_limit.total_seconds()
        before, unchanged = "", 0
        for readings_left in reversed(range(MAX_READINGS)):
            with suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await navigation.quiet.wait()
            left = max(until - loop.time(), 0)
            document, asked = navigation.document, navigation.by_script
            seen = await self._look(left, GRACE_SECONDS if asked else 0)
            if seen is None or document != navigation.document:
                await navigation.parsed.wait()  # it went elsewhere
                continue
            unchanged = unchanged + 1 if seen["html"] == before else 0
            before = seen["html"]
            went_on = unchanged < UNCHANGED and (navigation.by_script != asked or not navigation.quiet.is_set())
            if left == 0 or not readings_left or not (went_on or await self._draw(seen)):
                return self._page(navigation, seen)
        raise RetryLater(ErrorCode.UPSTREAM_ERROR, f"{navigation.url}: it goes elsewhere again and again")

    async def _look(self, longest: float, grace: float) -> Answer | None:
        """What the page shows when it is quiet; None if it went elsewhere meanwhile."""
        script = read_script(longest=longest, grace=grace, limit=self._settings.max_response_bytes)
        try:
            answer = await self._send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        except CdpClosed:
            raise
        except CdpError:
            return None  # its script world is gone: another document takes its place
        value: Answer | None = answer["result"].get("value")
        return value

    async def _draw(self, seen: Answer) -> bool:
        """Let frames pass for scripts that wait for them; false if none does."""
        if not seen["frames"]:
            return False
        if self.running.draws_when_told:
            for _ in range(FRAMES_AT_ONCE):
                await self._send("HeadlessExperimental.beginFrame")
        else:
            await asyncio.sleep(FRAMES_AT_ONCE * FRAME_SECONDS)
        return True

    def _page(self, navigation: Navigation, seen: Answer) -> _Reading:
        body = None if seen["html"] is None else seen["html"].encode("utf-8", "replace")
        if body is None or len(body) > self._settings.max_response_bytes:
            raise navigation.too_large()
        status, headers = _head(navigation)
        return _Reading(url=seen["url"], status=status, headers=headers, body=body)

    async def _raw(self, navigation: Navigation) -> _Reading:
        """What is no HTML, as it came: Chromium would show a page of its own around it."""
        await navigation.quiet.wait()
        answer = await self._send("Network.getResponseBody", requestId=navigation.document)
        body = base64.b64decode(answer["body"]) if answer["base64Encoded"] else answer["body"].encode()
        if len(body) > self._settings.max_response_bytes:
            raise navigation.too_large()
        return replace(_answer_alone(navigation), body=body)

    async def _picture(self, url: str) -> bytes:
        if not self.running.draws_when_told:
            return base64.b64decode((await self._send("Page.captureScreenshot", format="png"))["data"])
        for _ in range(MAX_FRAMES_FOR_A_PICTURE):
            answer = await self._send("HeadlessExperimental.beginFrame", screenshot={"format": "png"})
            if "screenshotData" in answer:
                return base64.b64decode(answer["screenshotData"])
            await asyncio.sleep(FRAME_SECONDS)
        raise RetryLater(ErrorCode.UPSTREAM_ERROR, f"{url}: Chromium draws no picture of it", details={"url": url})

    def _collect_garbage(self) -> None:
        self._shown += 1
        if self._shown % GARBAGE_EVERY == 0:
            with suppress(CdpClosed):
                self.running.cdp.post("HeapProfiler.collectGarbage", self._session)

    # --- the session ----------------------------------------------------------------------------------------------

    async def _send(self, method: str, **params: object) -> Answer:
        return await self.running.cdp.send(method, self._session, **params)

    def _hear(self, event: str, told: Answer) -> None:
        if event == "Page.javascriptDialogOpening":
            leaves = told["type"] == "beforeunload"
            self.running.cdp.post("Page.handleJavaScriptDialog", self._session, accept=leaves)
        elif event == "Inspector.targetCrashed":
            self.is_usable = False
        if self._navigation is not None:
            self._navigation.hear(event, told)


def _preparation(profile: BrowserProfile, settings: EngineSettings) -> Iterable[tuple[str, dict[str, object]]]:
    """What a new page is told before its first navigation."""
    language = settings.accept_language.partition(";")[0]
    yield "Page.enable", {}
    yield "Network.enable", {"maxTotalBufferSize": BUFFERED_BYTES, "maxResourceBufferSize": BUFFERED_BYTES}
    yield "Page.addScriptToEvaluateOnNewDocument", {"source": WATCH}
    yield "Emulation.setUserAgentOverride", {"userAgent": profile.user_agent, "acceptLanguage": language}
    size: dict[str, object] = {
        "width": profile.width,
        "height": profile.height,
        "deviceScaleFactor": 1,
        "mobile": profile.mobile,
    }
    yield "Emulation.setDeviceMetricsOverride", size
    if profile.mobile:
        yield "Emulation.setTouchEmulationEnabled", {"enabled": True}
    if settings.block_media:
        yield "Network.setBlockedURLs", {"urls": MEDIA_URLS}


def _mime_type(navigation: Navigation) -> str:
    response = navigation.responses.get(navigation.document, {})
    return str(response.get("mimeType", "text/html")).lower()


def _answer_alone(navigation: Navigation) -> _Reading:
    status, headers = _head(navigation)
    return _Reading(url=navigation.responses[navigation.document]["url"], status=status, headers=headers, body=b"")


def _head(navigation: Navigation) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Status and headers of the document shown; Chromium joins headers of one name with line ends."""
    response = navigation.responses.get(navigation.document)
    if response is None:
        return 200, ()  # made by a script out of nothing
    headers = tuple((name, line) for name, value in response["headers"].items() for line in value.split("\n"))
    return int(response["status"]), headers
