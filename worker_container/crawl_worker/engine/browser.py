"""One Chromium a worker process, for pages that need one: launched by the first visit, renewed before it grows old."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

from playwright.async_api import BrowserContext, Page, StorageState
from playwright.async_api import Error as PlaywrightError

from crawl_worker.engine.browser_process import RunningChromium
from crawl_worker.engine.browser_visit import VisitWatch
from crawl_worker.engine.egress import EgressRule, Lookup
from crawl_worker.engine.egress_proxy import Door, EgressProxy
from crawl_worker.engine.settings import EngineSettings

BrowserPage: TypeAlias = Page
"""What a visit gets: Playwright's own page, with the engine's time limits set."""

SavedState: TypeAlias = StorageState
"""Cookies and local storage of a context, as Playwright keeps them. Secret: whoever has it is logged in."""

MEMORY_LOOK_SECONDS = 5
"""Memory is measured at most so often: a look reads every process of the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserProfile:
    """Who the crawler says it is: chosen for a task, kept for it. Sizes are in CSS pixels."""

    user_agent: str
    mobile: bool = False
    width: int = 1366
    height: int = 900


class Browser:
    """Chromium while it is needed, and only then. All calls come from one event loop."""

    def __init__(self, settings: EngineSettings, *, lookup: Lookup | None = None) -> None:
        self._settings = settings
        self._proxy = EgressProxy(settings, lookup=lookup)
        self._running: RunningChromium | None = None
        self._changing = asyncio.Lock()  # held while Chromium is launched or ended
        self._visits = 0
        self._no_visits = asyncio.Event()
        self._no_visits.set()
        self._idle_timer: asyncio.TimerHandle | None = None
        self._background: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def page(
        self, profile: BrowserProfile, rule: EgressRule, *, state: SavedState | None = None, outlives: bool = False
    ) -> AsyncIterator[BrowserPage]:
        """A page in a context of its own, closed on leaving: within the grace time, or Chromium is killed.

        `state` is what the context begins with. A visit that `outlives` its documents goes on when one of them does not
        load; without it that ends the visit.

        Raises:
            RetryLater: Chromium does not start, died, or Playwright met a passing fault.
            GiveUp: the egress rule refused the page, or it asked for too much.
        """
        await self._proxy.start()
        door = self._proxy.door(rule)
        async with self._lease() as running, VisitWatch(running, door, self._settings, outlives=outlives) as watch:
            context = await self._open_context(running, profile, door, state)
            try:
                yield await watch.page_in(context)
            finally:
                await self._undisturbed(self._close_context(context, running))

    async def close(self) -> None:
        """End Chromium, its driver and the proxy; a visit under way fails. The browser is not used again."""
        self._stop_idle_timer()
        async with self._changing:
            await self._end()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._proxy.close()

    # --- one visit ------------------------------------------------------------------------------------------------

    async def _open_context(
        self, running: RunningChromium, profile: BrowserProfile, door: Door, state: SavedState | None
    ) -> BrowserContext:
        opening = asyncio.ensure_future(
            running.chromium.new_context(
                user_agent=profile.user_agent,
                viewport={"width": profile.width, "height": profile.height},
                is_mobile=profile.mobile,
                has_touch=profile.mobile,
                locale=self._settings.locale,
                timezone_id=self._settings.timezone,
                service_workers="block",  # their requests would outlive the page
                accept_downloads=False,
                storage_state=state,
                # No `bypass`, ever: naming any local host there lets pages reach loopback past the proxy.
                proxy={"server": door.server, "username": door.username, "password": door.password},
            )
        )
        try:
            context = await asyncio.shield(opening)
        except asyncio.CancelledError:
            self._in_background(self._discard(opening, running))
            raise
        except PlaywrightError:
            await asyncio.to_thread(running.kill)  # not even a context: the driver or Chromium is gone
            raise
        context.set_default_timeout(self._settings.timeout.total_seconds() * 1000)
        return context

    async def _discard(self, opening: asyncio.Future[BrowserContext], running: RunningChromium) -> None:
        try:
            context = await opening
        except PlaywrightError:
            return
        await self._close_context(context, running)

    async def _close_context(self, context: BrowserContext, running: RunningChromium) -> None:
        try:
            async with asyncio.timeout(self._settings.close_grace.total_seconds()):
                await context.close()
        except (TimeoutError, PlaywrightError):
            await asyncio.to_thread(running.kill)

    # --- the life of Chromium -------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _lease(self) -> AsyncIterator[RunningChromium]:
        while (running := self._fit()) is None:
            await self._undisturbed(self._renew())
        self._stop_idle_timer()
        self._visits += 1
        self._no_visits.clear()
        running.pages += 1
        try:
            yield running
        finally:
            self._visits -= 1
            if not self._visits:
                self._no_visits.set()
                self._start_idle_timer()
            self._in_background(self._look_at_memory(running))

    def _fit(self) -> RunningChromium | None:
        """The running Chromium, unless it is dead or due for renewal."""
        running = self._running
        if running is None or not running.is_alive:
            return None
        settings = self._settings
        worn = (
            running.pages >= settings.recycle_pages
            or running.age >= settings.recycle_age
            or running.memory_seen >= settings.recycle_bytes
        )
        return None if worn else running

    async def _renew(self) -> None:
        async with self._changing:
            if self._fit() is not None:
                return  # somebody else did it meanwhile
            await self._no_visits.wait()
            await self._end()
            self._running = await RunningChromium.launch(self._settings)
            self._start_idle_timer()  # whoever wanted it may be gone

    async def _end(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            await running.close(self._settings.close_grace)

    async def _end_if_idle(self) -> None:
        async with self._changing:
            if not self._visits:
                await self._end()

    def _start_idle_timer(self) -> None:
        self._stop_idle_timer()
        loop = asyncio.get_running_loop()
        self._idle_timer = loop.call_later(
            self._settings.browser_idle.total_seconds(), lambda: self._in_background(self._end_if_idle())
        )

    def _stop_idle_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    async def _look_at_memory(self, running: RunningChromium) -> None:
        now = asyncio.get_running_loop().time()
        if now - running.memory_looked_at >= MEMORY_LOOK_SECONDS:
            running.memory_looked_at = now
            running.memory_seen = await asyncio.to_thread(running.memory)

    # --- work that a cancelled visit must not leave half done -----------------------------------------------------

    async def _undisturbed(self, work: Coroutine[None, None, None]) -> None:
        await asyncio.shield(self._in_background(work))

    def _in_background(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task
