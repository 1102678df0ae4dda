"""The replica's scripts in a real browser: rows that only scrolling brings, numbered pages, frames of the map."""

import re
import time

from playwright.sync_api import Browser, Page

from tests.doubles.naver.default_scenario import COFFEE, FOOD
from tests.doubles.naver.replica import Replica
from tests.integration.doubles import naver_reader as reader

BOX = "#_pcmap_list_scroll_container"
LIST = f"{BOX} > ul > li"
ROWS, REPEATS, ADVERTS = 210, 2, 3
"""Of the phone list of COFFEE."""


def scroll_to_the_end(page: Page, move: str, rows: int) -> list[str | None]:
    """Scrolls until so many rows are there; the links of all rows."""
    deadline = time.monotonic() + 20
    while page.locator(LIST).count() < rows:
        assert time.monotonic() < deadline, f"{page.locator(LIST).count()} of {rows} rows after 20 s"
        page.evaluate(move)
        page.wait_for_timeout(10)
    page.evaluate(move)
    page.wait_for_timeout(100)
    return [row.get_attribute("href") for row in page.locator(f"{LIST} a[role=button]").all()]


def test_scrolling_a_phone_list_brings_every_row(replica: Replica, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(reader.address(replica.urls["NAVER_PLACE_URL"], "/place/list", query=COFFEE))
    links = scroll_to_the_end(page, "window.scrollTo(0, document.body.scrollHeight)", ROWS + REPEATS + ADVERTS)
    page.close()
    ids = [found[1] if (found := re.search(r"/place/(\d+)\?", link or "")) else "" for link in links]
    shown = reader.distinct(ids)
    assert shown == reader.place_keys(replica.urls["NAVER_PLACE_URL"], "place", COFFEE)
    assert {entry["kind"] for entry in replica.control.requests(site="place_graphql")} == {"xhr"}


def test_page_buttons_of_a_pc_list_bring_the_next_seventy(replica: Replica, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(reader.address(replica.urls["NAVER_PCPLACE_URL"], "/restaurant/list", query=FOOD))
    with page.expect_response(re.compile("/graphql")) as answered:
        page.locator("#_pcmap_pages a[data-page='2']").click()
    rows = answered.value.json()[0]["data"]["businesses"]["items"]
    first_name = f"() => document.querySelector({LIST + ' span'!r}).textContent"
    page.wait_for_function(f"name => ({first_name})() === name", arg=rows[0]["name"])
    shown = scroll_to_the_end(page, f"document.querySelector({BOX!r}).scrollTop += 5000", len(rows))
    page.close()
    assert len(shown) == 70
    assert set(shown) == {"#"}
    listed = reader.place_keys(replica.urls["NAVER_PCPLACE_URL"], "restaurant", FOOD)
    assert [row["id"] for row in rows][:10] == listed[68:78], "two repeated rows came on the first page"


def test_scrolling_a_blog_tab_brings_the_next_load(replica: Replica, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(reader.address(replica.urls["NAVER_SEARCH_URL"], "/search.naver", ssc="tab.blog.all", query=FOOD))
    before = page.locator("[data-template-id=ugcItem]").count()
    with page.expect_response(re.compile("/p/review/50/")):
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    page.wait_for_function("n => document.querySelectorAll('[data-template-id=ugcItem]').length > n", arg=before)
    page.close()


def test_the_map_inserts_the_list_and_the_place_as_frames(replica: Replica, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{replica.urls['NAVER_MAP_URL']}/p/search/{COFFEE}/place/9900000201")
    listed = page.frame_locator("#searchIframe").locator("li[data-laim-exp-id]").first
    listed.wait_for()
    place = page.frame_locator("#entryIframe").locator("h1")
    assert place.inner_text() == "찻잔 로스터"
    page.close()
    frames = replica.control.requests(site="pcplace")
    assert {entry["kind"] for entry in frames} == {"xhr"}
