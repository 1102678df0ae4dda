"""Which engine fetches a page, and what a browser adds: text and links that scripts make, and screenshots."""

import pytest

from tests.acceptance.site_crawls.system import Crawled, WebCrawls, differences
from tests.doubles.web.truth import expected, needs_browser, script_made_share

DEPTH = 6


def test_auto_misses_no_page_that_needs_a_browser(crawls: WebCrawls, capsys: pytest.CaptureFixture[str]) -> None:
    crawled = crawls.crawl(crawls.web.url("app"), depth=DEPTH, engine="auto", limit=10_000, seconds=120)
    assert differences(crawls.web, "app", crawled, expected("app", depth=DEPTH)) == []
    by_browser = {crawls.web.target("app", page["url"]) for page in crawled.pages if page["engine"] == "browser"}
    stored = {crawls.web.target("app", url) for url in crawled.urls}
    assert needs_browser("app") & stored - by_browser == set()
    assert all(page["engine_reason"] for page in crawled.pages)
    share = crawled.answer["browser_share"]
    assert share == pytest.approx(len(by_browser) / len(stored), abs=0.001)
    with capsys.disabled():
        needed = script_made_share("app", depth=DEPTH)
        print(f"\nauto: a browser took {share:.0%} of {len(stored)} pages; {needed:.0%} needed one")
    assert share < 0.9


def test_auto_takes_no_browser_where_nothing_needs_one(crawls: WebCrawls) -> None:
    crawled = crawls.crawl(crawls.web.url("journal"), depth=2, engine="auto", limit=10_000, seconds=60)
    assert differences(crawls.web, "journal", crawled, expected("journal", depth=2)) == []
    assert crawled.answer["engines"] == {"http": len(crawled.pages)}
    assert crawled.answer["browser_share"] == 0


def test_a_browser_sees_all_that_scripts_make(crawls: WebCrawls) -> None:
    crawled = crawls.crawl(crawls.web.url("app"), depth=2, engine="browser", limit=10_000, seconds=120)
    assert differences(crawls.web, "app", crawled, expected("app", depth=2)) == []
    assert crawled.answer["browser_share"] == 1
    shell = next(page for page in crawled.pages if page["url"].endswith("/spa/home"))
    assert shell["text"]


def test_screenshots_are_taken_when_they_are_asked_for(crawls: WebCrawls) -> None:
    crawled: Crawled = crawls.crawl(crawls.web.url("app"), depth=1, limit=3, screenshots=True, seconds=60)
    assert len(crawled.pages) == 3
    assert all(page["screenshot"] and page["engine"] == "browser" for page in crawled.pages)
    plain = crawls.crawl(crawls.web.url("app"), depth=0)
    assert plain.pages[0]["screenshot"] is None
