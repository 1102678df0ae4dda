"""Closing what covers a page. Popups come late, come back, and lie over each other: the number of tries is bounded."""

import asyncio
import re

from playwright.async_api import ElementHandle
from playwright.async_api import Error as PlaywrightError

from crawl_worker.engine.browser import BrowserPage
from nightjar.observability import logger

ROUNDS = 6
"""Three popups over each other were seen; a late one and one that needs two ways out come on top."""

CLICK_MS = 800
LONGEST_SECONDS = 10
CLOSING_MS = 150

_COVERS = '[role="dialog"], [aria-modal="true"], section.bsds-modal'
_BACKDROP = '[data-testid="backdrop"]'
_FOR_TODAY = re.compile("보지 않기")

# The chatbot is docked beside the page, and the period dialog is the owner's choice: neither is a popup.
_OPEN_POPUPS = """
(covers) => [...document.querySelectorAll(covers)].filter((cover) =>
  cover.getClientRects().length > 0
  && !/ChatRoom-module/.test(cover.className) && !cover.closest('[class*="ChatRoom-module"]')
  && !(cover.innerText.includes("기간") && cover.innerText.includes("최근 30일"))
  && !cover.parentElement.closest(covers))
"""
_PROTECTED_IS_OPEN = """
(covers) => [...document.querySelectorAll(covers)].some((cover) =>
  cover.getClientRects().length > 0 && cover.innerText.includes("기간") && cover.innerText.includes("최근 30일"))
"""


async def dismiss_popups(page: BrowserPage) -> int:
    """Close popups until none is left, in at most ROUNDS tries; how many were closed."""
    closed = 0
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            for _ in range(ROUNDS):
                popups = await _open_popups(page)
                if not popups:
                    return closed
                closed += await _close(page, popups[-1])
    except (TimeoutError, PlaywrightError) as error:
        logger(__name__).info("popups_not_seen_to", cause=type(error).__name__)
        return closed
    logger(__name__).info("popups_left_open", closed=closed)
    return closed


async def _open_popups(page: BrowserPage) -> list[ElementHandle]:
    """The popups that are shown; those that came last, which lie on top, stand last."""
    listed = await page.evaluate_handle(_OPEN_POPUPS, _COVERS)
    properties = await listed.get_properties()
    found = [handle.as_element() for handle in properties.values()]
    await listed.dispose()
    return [element for element in found if element is not None]


async def _close(page: BrowserPage, popup: ElementHandle) -> bool:
    """Try its ways out: not today, its own button, Escape, the backdrop. The first that works is enough."""
    for button in await _ways_out(popup):
        if await _click(button) and await _is_gone(page, popup):
            return True
    if not await page.evaluate(_PROTECTED_IS_OPEN, _COVERS):
        await page.keyboard.press("Escape")
        if await _is_gone(page, popup):
            return True
    backdrops = await page.query_selector_all(_BACKDROP)
    return bool(backdrops) and await _click(backdrops[-1], at_its_corner=True) and await _is_gone(page, popup)


async def _ways_out(popup: ElementHandle) -> list[ElementHandle]:
    buttons = await popup.query_selector_all("button, [role=button]")
    named = [(button, await button.inner_text(), await button.get_attribute("aria-label") or "") for button in buttons]
    today = [button for button, text, _ in named if _FOR_TODAY.search(text)]
    close = [button for button, text, label in named if "닫기" in (text.strip(), label)]
    return [*today, *close]


async def _click(element: ElementHandle, *, at_its_corner: bool = False) -> bool:
    """Whether it could be clicked: something may lie on top of it."""
    try:
        await element.click(timeout=CLICK_MS, position={"x": 3, "y": 3} if at_its_corner else None)
    except PlaywrightError:
        return False
    return True


async def _is_gone(page: BrowserPage, popup: ElementHandle) -> bool:
    await page.wait_for_timeout(CLOSING_MS)
    try:
        return not await popup.is_visible()
    except PlaywrightError:
        return True
