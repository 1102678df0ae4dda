"""What covers a page is closed, however it comes; what is not a popup stays."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from crawl_worker.engine.browser import Browser, BrowserPage, BrowserProfile
from crawl_worker.engine.egress import EgressRule
from crawl_worker.sites.baemin.popups import ROUNDS, dismiss_popups
from tests.integration.baemin.desk import Desk

pytestmark = pytest.mark.anyio

BACKDROPS = "[data-testid=backdrop]"
MODES = {"immediate": 1, "stacked": 3, "only_x": 1, "escape_ignored": 1, "guide": 1, "none": 0}
"""How the replica shows popups, and how many there are."""


EASY_TO_CLOSE = """
() => {
  const dialog = document.querySelector("[class*=PeriodDialog]");
  dialog.insertAdjacentHTML("beforeend", "<button class=easy>닫기</button>");
  dialog.querySelector(".easy").addEventListener("click", () => dialog.remove());
  document.addEventListener("keydown", (event) => event.key === "Escape" && dialog.remove());
  document.body.insertAdjacentHTML("afterbegin", "<div role=dialog>a popup without a way out</div>");
}
"""
"""A period dialog that goes at a touch, beside a popup that does not go at all."""


@asynccontextmanager
async def owner_page(desk: Desk, path: str = "/") -> AsyncIterator[BrowserPage]:
    """A page of the owner of ok-1, drawn."""
    state = desk.replica.control.open_session("ok-1")
    rule = EgressRule(desk.settings.stand_ins())
    browser: Browser = desk.browser
    async with browser.page(BrowserProfile(user_agent="desk"), rule, state=state, outlives=True) as page:  # type: ignore[arg-type]  # JSON
        await page.goto(desk.settings.self_url + path)
        await page.wait_for_selector("nav")
        yield page


@pytest.mark.parametrize(("mode", "count"), MODES.items())
async def test_popups_of_every_kind_are_closed(desk: Desk, mode: str, count: int) -> None:
    desk.replica.control.mode("ok-1", popups=mode)
    async with owner_page(desk) as page:
        assert await dismiss_popups(page) == count
        assert await page.locator(BACKDROPS).count() == 0
        await page.get_by_role("button", name="정산내역").click(timeout=2000)


async def test_a_popup_that_comes_late_is_closed_before_the_next_click(desk: Desk) -> None:
    desk.replica.control.mode("ok-1", popups="late")
    desk.replica.control.timing(late_popup_ms=[300, 300])
    async with owner_page(desk) as page:
        await dismiss_popups(page)
        await page.wait_for_selector(BACKDROPS)
        assert await dismiss_popups(page) > 0
        assert await page.locator(BACKDROPS).count() == 0


async def test_the_chatbot_and_the_period_dialog_are_left_open(desk: Desk) -> None:
    desk.replica.control.mode("ok-1", popups="period_dialog")
    number = desk.replica.control.account("ok-1")["stores"][0]["platform_store_id"]
    async with owner_page(desk, f"/shops/{number}/reviews") as page:
        await page.wait_for_selector("[class*=PeriodDialog]")
        await page.evaluate(EASY_TO_CLOSE)
        assert await dismiss_popups(page) == 0
        assert await page.locator("[class*=PeriodDialog]").is_visible()
        assert await page.locator("[class*=ChatRoom-module]").is_visible()


async def test_a_popup_without_a_way_out_costs_a_bounded_time(desk: Desk) -> None:
    desk.replica.control.mode("ok-1", popups="none")
    async with owner_page(desk) as page:
        await page.evaluate("document.body.insertAdjacentHTML('beforeend', '<div role=dialog>no way out</div>')")
        assert await dismiss_popups(page) == 0
        assert ROUNDS < 10
