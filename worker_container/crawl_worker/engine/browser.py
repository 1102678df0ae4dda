"""One Chromium a worker process, for pages that need one: launched by the first visit, renewed before it grows old."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

from playwright.async_api import BrowserContext, Page, StorageState
from playwright.async_api import Error as PlaywrightError

from crawl_worker.engine.browser_life import ChromiumLife, LifeLimits
from crawl_worker.engine.browser_process import RunningChromium
from crawl_worker.engine.browser_visit import VisitWatch
from crawl_worker.engine.egress import EgressRule, Lookup
from crawl_worker.engine.egress_proxy import Door, EgressProxy
from crawl_worker.engine.settings import EngineSettings

BrowserPage: TypeAlias = Page
"""What a visit gets: Playwright's own page, with the engine's time limits set."""

SavedState: TypeAlias = StorageState
"""Cookies and local storage of a context, as Playwright keeps them. Secret: whoever has it is logged in."""


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
        self.proxy = EgressProxy(settings, lookup=lookup)
        self._life = ChromiumLife(self._launch, visit_limits(settings))
        self._before_launch: Callable[[], Awaitable[None]] | None = None

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
        await self.proxy.start()
        door = self.proxy.door(rule)
        async with self._life.lease() as running, VisitWatch(running, door, self._settings, outlives=outlives) as watch:
            context = await self._open_context(running, profile, door, state)
            try:
                yield await watch.page_in(context)
            finally:
                await self._life.undisturbed(self._close_context(context, running))

    async def close(self) -> None:
        """End Chromium, its driver and the proxy; a visit under way fails. The browser is not used again."""
        await self._life.close()
        await self.proxy.close()

    async def end_if_idle(self) -> None:
        """End Chromium now unless a visit is under way: a child keeps one at a time."""
        await self._life.end_if_idle()

    def before_launch(self, make_room: Callable[[], Awaitable[None]]) -> None:
        """What to await before Chromium is launched: whoever has another one ends it."""
        self._before_launch = make_room

    async def _launch(self) -> RunningChromium:
        if self._before_launch is not None:
            await self._before_launch()
        return await RunningChromium.launch(self._settings)

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
            self._life.in_background(self._discard(opening, running))
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


def visit_limits(settings: EngineSettings) -> LifeLimits:
    """How long a Chromium for single visits lives."""
    return LifeLimits(
        pages=settings.recycle_pages,
        age=settings.recycle_age,
        memory=settings.recycle_bytes,
        idle=settings.browser_idle,
        grace=settings.close_grace,
    )
