"""One Chromium a worker process, for pages that need one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

from playwright.async_api import Browser as Chromium
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Playwright, async_playwright

from crawl_worker.engine.browser_errors import failure_of
from crawl_worker.engine.chromium import find_chromium
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.settings import EngineSettings
from nightjar.errors import ErrorCode, RetryLater

BrowserPage: TypeAlias = Page
"""What a visit gets: Playwright's own page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserProfile:
    """Who the browser says it is: chosen for a task, kept for it. Sizes are in CSS pixels."""

    user_agent: str
    mobile: bool = False
    width: int = 1366
    height: int = 900


class Browser:
    """Launched by the first visit, in the loop of that visit."""

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._launching = asyncio.Lock()
        self._playwright: Playwright | None = None
        self._chromium: Chromium | None = None

    @asynccontextmanager
    async def page(self, profile: BrowserProfile, rule: EgressRule) -> AsyncIterator[BrowserPage]:
        """A page in a context of its own, closed on leaving. Playwright's errors leave as ours."""
        page: Page | None = None
        try:
            chromium = await self._running()
            context = await chromium.new_context(
                user_agent=profile.user_agent,
                viewport={"width": profile.width, "height": profile.height},
                is_mobile=profile.mobile,
                has_touch=profile.mobile,
                locale="ko-KR",
                timezone_id="Asia/Seoul",
                service_workers="block",
            )
            try:
                context.set_default_timeout(self._settings.timeout.total_seconds() * 1000)
                page = await context.new_page()
                yield page
            finally:
                await context.close()
        except PlaywrightError as error:
            raise failure_of(error, page.url if page else "about:blank") from error

    async def close(self) -> None:
        """Close Chromium and its driver."""
        chromium, self._chromium = self._chromium, None
        playwright, self._playwright = self._playwright, None
        if chromium is not None:
            await chromium.close()
        if playwright is not None:
            await playwright.stop()

    async def _running(self) -> Chromium:
        async with self._launching:
            if self._chromium is None or not self._chromium.is_connected():
                self._playwright = self._playwright or await async_playwright().start()
                self._chromium = await self._playwright.chromium.launch(
                    executable_path=self._program(), headless=self._settings.headless
                )
            return self._chromium

    def _program(self) -> str:
        chosen = self._settings.chromium_path or find_chromium()
        if chosen is None:
            raise RetryLater(
                ErrorCode.INTERNAL, "no Chromium is installed: run `make setup`, or set CHROMIUM_PATH to one"
            )
        return str(chosen)
