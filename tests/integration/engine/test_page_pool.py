"""Pages of site crawls with the real Chromium: what is read of them, and that none disturbs the next."""

import time
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from crawl_worker.engine.browser import Browser, BrowserProfile
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.page_pool import CrawlPages, PagePool
from crawl_worker.engine.settings import EngineSettings
from nightjar.domain.site_crawl import Engine
from tests.doubles.faulty_site import FaultySite

pytestmark = pytest.mark.anyio

LAZY = """<ul id="list"></ul><script>setTimeout(() => {
for (let n = 0; n < 5; n++) list.innerHTML += `<li><a href="/item/${n}">${"item " + n}</a></li>`; }, 300)</script>"""

FETCHED = """<ul id="list"></ul><script>fetch('/words').then(r => r.text()).then(text => {
for (const word of text.split(' ')) list.innerHTML += `<li>${word}</li>`; })</script>"""


@pytest.fixture(scope="module")
async def shared_pool() -> AsyncIterator[PagePool]:
    """One Chromium, and one page at a time: each test's page is the one of the test before, or of its own first use."""
    settings = EngineSettings(timeout=timedelta(seconds=5), crawl_pages=1)
    browser = Browser(settings)
    pool = PagePool(browser, settings)
    yield pool
    await pool.close()
    await browser.close()


@pytest.fixture
async def pages(shared_pool: PagePool, rule: EgressRule, profile: BrowserProfile) -> AsyncIterator[CrawlPages]:
    async with shared_pool.crawl(uuid4(), rule, profile) as pages:
        yield pages


async def test_a_page_is_read_with_its_status_headers_and_address(pages: CrawlPages, site: FaultySite) -> None:
    page = await pages.render(site.url("/moved"))
    assert (page.url, page.final_url) == (site.url("/moved"), site.url("/plain"))
    assert (page.status, page.header("x-word"), page.content_type) == (200, "one", "text/html")
    assert b"<title>plain</title>" in page.body
    assert page.engine is Engine.BROWSER
    assert page.screenshot is None
    assert site.seen[0].headers["User-Agent"] == "NightjarTest/1.0"


async def test_a_list_that_comes_300_ms_later_is_read(pages: CrawlPages, site: FaultySite) -> None:
    page = await pages.render(site.page("/lazy", LAZY))
    assert page.body.count(b">item ") == 5


async def test_what_a_script_fetches_is_read(pages: CrawlPages, site: FaultySite) -> None:
    site.page("/words", "one two three")
    page = await pages.render(site.page("/fetched", FETCHED))
    assert b"<li>one</li><li>two</li><li>three</li>" in page.body


async def test_a_page_without_scripts_is_not_waited_for(pages: CrawlPages, site: FaultySite) -> None:
    await pages.render(site.url("/plain"))
    took = [(await pages.render(site.url("/plain"))).elapsed.total_seconds() for _ in range(5)]
    assert min(took) < 0.2


async def test_a_clock_on_a_page_does_not_hold_the_reading_up_for_ever(pages: CrawlPages, site: FaultySite) -> None:
    clock = site.page("/clock", "<p id=c></p><script>setInterval(() => { c.textContent = Date.now() }, 50)</script>")
    began = time.monotonic()
    page = await pages.render(clock)
    assert page.status == 200
    assert time.monotonic() - began < 4
