"""Script-made pages in a real browser: the links that appear are those of the truth; the server alone shows fewer."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.doubles.process import ReplicaProcess
from tests.doubles.web.replica import WebReplica
from tests.doubles.web.sites import SITES
from tests.doubles.web.static_site import StaticSite
from tests.doubles.web.truth import expected, needs_browser

HREFS = "() => [...document.querySelectorAll('a[href]')].map(link => new URL(link.href).pathname)"


@pytest.fixture(scope="module")
def web() -> Iterator[WebReplica]:
    with WebReplica() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    yield opened
    opened.close()


def links_within(page: Page, wanted: set[str], seconds: float = 5) -> set[str]:
    """The links of the page once they are as many as wanted, or when time is up."""
    deadline = time.monotonic() + seconds
    while True:
        found = set(page.evaluate(HREFS))
        if len(found) >= len(wanted) or time.monotonic() > deadline:
            return found
        time.sleep(0.02)


def test_every_page_shows_the_links_of_the_truth_in_a_browser(web: WebReplica, page: Page) -> None:
    site = SITES["app"]()
    pages = [target for found in expected("app", depth=20).pages_at_depth.values() for target in found]
    assert needs_browser("app") <= set(pages)
    for target in pages:
        wanted = {link.target for link in site.pages[target].links}
        page.goto(web.url("app", target))
        assert links_within(page, wanted) == wanted, target


def test_without_a_browser_fewer_pages_are_found() -> None:
    with_browser, without = expected("app", depth=20).pages, expected("app", depth=20, browser=False).pages
    assert without < with_browser
    assert {"/leaf/lazy/1", "/spa/item/5", "/mixed/12"} <= with_browser - without


def test_what_appears_only_after_a_click_is_not_among_the_links(web: WebReplica, page: Page) -> None:
    page.goto(web.url("app", "/make/click"))
    assert "/leaf/click/1" not in page.evaluate(HREFS)
    page.click("#more")
    assert "/leaf/click/1" in page.evaluate(HREFS)


def test_harmful_pages_reach_the_canary_where_nothing_holds_the_browser_back(web: WebReplica, page: Page) -> None:
    for kind in ("fetch", "socket", "css-import", "frame", "image"):
        web.control.reset()
        page.goto(web.url("hostile", f"/reach/each/{kind}"), wait_until="commit")
        deadline = time.monotonic() + 10
        while not web.control.canary_hits() and time.monotonic() < deadline:
            page.wait_for_timeout(50)
        assert web.control.canary_hits(), kind
    page.goto(web.url("hostile", "/reach/move/redirect/decimal"))
    assert "GET /decimal HTTP/1.1" in [hit["line"] for hit in web.control.canary_hits()]


@pytest.mark.parametrize("mode", [(), ("--script-made",)])
def test_the_site_of_the_bench_shows_the_same_links_in_both_modes(mode: tuple[str, ...], page: Page) -> None:
    site = StaticSite(200, script_made=bool(mode))
    with ReplicaProcess("tests.doubles.web.static_site", "--pages", "200", *mode) as running:
        for number in (0, 7, 199):
            page.goto(running.urls["url"].rstrip("/") + site.path(number))
            wanted = {site.path(link) for link in site.links(number)}
            assert links_within(page, wanted) == wanted
            assert page.title() == site.title(number)
            assert len(wanted) == 22
