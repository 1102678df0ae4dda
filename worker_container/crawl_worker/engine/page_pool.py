"""Pages of a browser for site crawls: a context a crawl, its pages used again and again, a few at a time."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from crawl_worker.engine.browser import Browser, BrowserProfile
from crawl_worker.engine.browser_errors import died
from crawl_worker.engine.browser_life import ChromiumLife, LifeLimits
from crawl_worker.engine.browser_process import within
from crawl_worker.engine.cdp import CdpClosed, CdpError
from crawl_worker.engine.crawl_chromium import CrawlChromium
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.egress_proxy import Door
from crawl_worker.engine.fetched import FetchedPage
from crawl_worker.engine.settings import EngineSettings
from crawl_worker.engine.tab import Tab

CLOSING = timedelta(seconds=5)
"""A page or a context that does not close in this time means that Chromium hangs. Killing it fails the pages of others:
a busy machine must not look like that."""

REST_SECONDS = 0.3
"""A page that is not used again within this time leaves what it shows: it must not go on working unread."""


class PagePool:
    """The pages of all crawls of a child, in one Chromium. All calls come from one event loop.

    `browser` is the child's Chromium for single visits: whichever of the two is launched, the other one ends before,
    if it is idle. Its egress proxy has the doors of this pool too.
    """

    def __init__(self, browser: Browser, settings: EngineSettings) -> None:
        self._browser = browser
        self.settings = settings
        self._wants_pictures = False
        self._open: set[UUID] = set()
        self._life = ChromiumLife(self._launch, _crawl_limits(settings))
        self._at_work = asyncio.Semaphore(settings.crawl_pages)
        browser.before_launch(self._life.end_if_idle)

    @asynccontextmanager
    async def crawl(self, key: UUID, rule: EgressRule, profile: BrowserProfile) -> AsyncIterator["CrawlPages"]:
        """The pages of one crawl while the block runs. They share cookies and storage, as the pages of a visitor do.

        Raises RuntimeError when the pages of this crawl are open already: they would not share.
        """
        if key in self._open:
            raise RuntimeError(f"the pages of crawl {key} are open already: pass them on")
        self._open.add(key)
        try:
            async with self._browser.proxy.own_door(rule) as door:
                pages = CrawlPages(self, rule, door, profile)
                try:
                    yield pages
                finally:
                    await self._life.undisturbed(pages.close())
        finally:
            self._open.discard(key)

    async def close(self) -> None:
        """End Chromium; a page under way fails."""
        await self._life.close()

    async def _launch(self) -> CrawlChromium:
        await self._browser.end_if_idle()
        pictures, self._wants_pictures = self._wants_pictures, False
        return await CrawlChromium.launch(self.settings, pictures=pictures)

    @asynccontextmanager
    async def chromium(self, *, pictures: bool) -> AsyncIterator[CrawlChromium]:
        """Chromium for one page; `pictures`: one that loads images, which is another than the usual one."""
        async with self._at_work:
            while True:
                self._wants_pictures |= pictures
                async with self._life.lease() as running:
                    if running.pictures or not pictures:
                        yield running
                        return
                self._life.renew()

    def in_background(self, work: Coroutine[None, None, None]) -> None:
        """Start work that closing waits for."""
        self._life.in_background(work)


def _crawl_limits(settings: EngineSettings) -> LifeLimits:
    return LifeLimits(
        pages=settings.crawl_recycle_pages,
        age=settings.recycle_age,
        memory=settings.recycle_bytes,
        idle=settings.crawl_browser_idle,
        grace=settings.close_grace,
    )


@dataclass(slots=True)
class _Context:
    """What a crawl has in one Chromium: when that is renewed, the crawl gets another."""

    running: CrawlChromium
    name: str
    resting: list[tuple[Tab, asyncio.TimerHandle]] = field(default_factory=list)
    """Pages between two uses. One that is not used again soon leaves what it shows."""


class CrawlPages:
    """Renders the pages of one crawl."""

    def __init__(self, pool: PagePool, rule: EgressRule, door: Door, profile: BrowserProfile) -> None:
        self._pool = pool
        self._rule = rule
        self._door = door
        self._profile = profile
        self._context: _Context | None = None
        self._opening = asyncio.Lock()

    async def render(self, url: str, *, screenshot: bool = False) -> FetchedPage:
        """Load a page with its scripts, wait until it is quiet, read it. Waits for a turn: a few pages at a time.

        Raises:
            RetryLater: it did not load or was not ready in time, or its process or Chromium ended.
            GiveUp: the egress rule refused it, it asks for or is too much, or it is no page.
        """
        self._rule.check_url(url)
        async with self._pool.chromium(pictures=screenshot) as running:
            context, tab = await self._tab_in(running, url)
            try:
                return await tab.render(url, screenshot=screenshot)
            finally:
                self._put_back(context, tab)

    async def close(self) -> None:
        """Close the pages and forget cookies and storage; Chromium is killed where it does not."""
        context, self._context = self._context, None
        if context is None or not context.running.is_alive:
            return
        for tab, timer in context.resting:
            timer.cancel()
            tab.forget()
        await self._or_kill(
            context.running, context.running.cdp.send("Target.disposeBrowserContext", browserContextId=context.name)
        )

    async def _tab_in(self, running: CrawlChromium, url: str) -> tuple[_Context, Tab]:
        """A page to use. A Chromium that gives none in time is killed: something is badly wrong with it."""
        try:
            async with asyncio.timeout(self._pool.settings.timeout.total_seconds()):
                context = await self._context_in(running)
                return context, self._rested(context) or await self._new_tab(context)
        except CdpClosed as error:
            raise died(url) from error
        except (CdpError, TimeoutError) as error:
            await running.kill()
            raise died(url) from error

    async def _context_in(self, running: CrawlChromium) -> _Context:
        async with self._opening:
            if self._context is None or self._context.running is not running:
                made = await running.cdp.send(
                    "Target.createBrowserContext",
                    proxyServer=self._door.server,
                    proxyBypassList="<-loopback>",  # never anything else: pages would reach loopback past the proxy
                )
                name = made["browserContextId"]
                self._context = _Context(running, name)
                await running.cdp.send("Browser.setDownloadBehavior", behavior="deny", browserContextId=name)
            return self._context

    def _rested(self, context: _Context) -> Tab | None:
        while context.resting:
            tab, timer = context.resting.pop()
            timer.cancel()
            if tab.is_usable:
                return tab
            self._discard(tab)
        return None

    async def _new_tab(self, context: _Context) -> Tab:
        return await Tab.open(context.running, context.name, self._door, self._profile, self._pool.settings)

    def _put_back(self, context: _Context, tab: Tab) -> None:
        if not context.running.is_alive:
            return
        if not tab.is_usable or context is not self._context:
            self._discard(tab)
            return
        timer = asyncio.get_running_loop().call_later(REST_SECONDS, self._leave, context, tab)
        context.resting.append((tab, timer))

    def _leave(self, context: _Context, tab: Tab) -> None:
        """Take a page that rests out of the list while it goes to nothing, then put it back for good."""
        context.resting = [resting for resting in context.resting if resting[0] is not tab]
        self._pool.in_background(self._go_blank(context, tab))

    async def _go_blank(self, context: _Context, tab: Tab) -> None:
        await tab.leave()
        if tab.is_usable and context is self._context:
            never = asyncio.get_running_loop().call_later(0, lambda: None)
            context.resting.insert(0, (tab, never))
        else:
            await self._or_kill(tab.running, tab.close())

    def _discard(self, tab: Tab) -> None:
        self._pool.in_background(self._or_kill(tab.running, tab.close()))

    async def _or_kill(self, running: CrawlChromium, closing: Coroutine[None, None, object]) -> None:
        try:
            if await within(CLOSING, closing):
                return
        except CdpClosed:
            return
        except CdpError:
            pass
        await running.kill()
