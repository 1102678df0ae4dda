"""Pages of site crawls with the real Chromium: what is read of them, and that none disturbs the next."""

import asyncio
import struct
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
from nightjar.errors import ErrorCode, GiveUp, RetryLater, TaskFailure
from tests.doubles.faulty_site import FaultySite
from tests.integration.engine.chromium_processes import chromium_of, work_of

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


async def test_a_list_that_waits_to_be_drawn_is_read(pages: CrawlPages, site: FaultySite) -> None:
    drawn = site.page(
        "/drawn",
        """<ul id=list></ul><div id=end>end</div><script>
        new IntersectionObserver(seen => seen.forEach(one => one.isIntersecting && list.append("seen, ")))
          .observe(end);
        requestAnimationFrame(() => requestAnimationFrame(() => list.append("in the second frame, ")));
        requestIdleCallback(() => list.append("when idle"));</script>""",
    )
    body = (await pages.render(drawn)).body
    for words in (b"seen, ", b"in the second frame, ", b"when idle"):
        assert words in body.partition(b"<script>")[0], words


async def test_a_chain_of_timers_and_requests_is_followed_to_its_end(pages: CrawlPages, site: FaultySite) -> None:
    site.page("/words", "one")
    chained = site.page(
        "/chained",
        """<p id=p></p><script>setTimeout(async () => {
        for (let n = 0; n < 3; n++) { await fetch('/words?' + n); await new Promise(done => setTimeout(done, 60)); }
        const late = document.createElement('script'); late.src = '/script.js';
        late.onload = () => { p.textContent = 'the' + ' end' }; document.body.append(late);
        }, 100)</script>""",
    )
    assert b"the end" in (await pages.render(chained)).body


async def test_a_page_that_moves_on_by_script_or_by_refresh_is_followed(pages: CrawlPages, site: FaultySite) -> None:
    by_script = site.page("/a", "<script>setTimeout(() => { location.href = '/plain' }, 50)</script>")
    by_refresh = site.page("/b", '<meta http-equiv="refresh" content="0; url=/plain"><p>wait</p>')
    for url in (by_script, by_refresh):
        page = await pages.render(url)
        assert (page.final_url, page.header("x-word")) == (site.url("/plain"), "one")


async def test_what_is_no_html_comes_as_it_was_sent(pages: CrawlPages, site: FaultySite) -> None:
    page = await pages.render(site.url("/echo"))
    assert page.content_type == "application/json"
    assert page.body.startswith(b'{"method": "GET"')


async def test_an_error_status_is_an_answer_with_and_without_a_body(pages: CrawlPages, site: FaultySite) -> None:
    missing = await pages.render(site.url("/nothing-here"))
    assert (missing.status, b"no such page" in missing.body) == (404, True)
    broken = await pages.render(site.url("/broken"))
    assert (broken.status, broken.header("retry-after")) == (503, "7")


async def test_korean_is_read_from_an_old_charset_and_given_as_utf_8(pages: CrawlPages, site: FaultySite) -> None:
    for path in ("/euc-kr", "/euc-kr-meta"):
        assert "맛있는 집".encode() in (await pages.render(site.url(path))).body, path


async def test_a_screenshot_shows_the_page(pages: CrawlPages, site: FaultySite) -> None:
    pictures = []
    for number, colour in enumerate(("red", "blue", "red")):
        url = site.page(f"/{number}", f"<body style='margin:0;background:{colour}'></body>")
        picture = (await pages.render(url, screenshot=True)).screenshot
        assert picture is not None
        assert picture.startswith(b"\x89PNG")
        assert struct.unpack(">II", picture[16:24]) == (1366, 900)
        pictures.append(picture)
    red, blue, red_again = pictures
    assert red == red_again != blue


# --- nothing of a page disturbs the next ------------------------------------------------------------------------------

QUIET = "<title>quiet</title><p id=p>nothing</p>"

DISTURBERS = {
    "timers": "setInterval(() => { document.title = 'disturbed'; fetch('/disturbing') }, 50)",
    "alerts": "setInterval(() => alert('look'), 10)",
    "before it is left": "addEventListener('beforeunload', e => { e.preventDefault(); e.returnValue = 'stay' })",
    "a script that never yields": "setTimeout(() => { while (true) {} }, 1100)",
    "a loop as it is left": "addEventListener('pagehide', () => { while (true) {} })",
    "windows": "for (let n = 0; n < 5; n++) window.open('/disturbing')",
    "a page that goes on and on": "setTimeout(() => { location.href = '/disturbing' }, 1050)",
    "a download": "const a = document.createElement('a'); a.href = '/file.zip'; a.download = 'x'; a.click()",
    "a service worker": "navigator.serviceWorker.register('/script.js').catch(() => 0)",
    "a beacon": "addEventListener('pagehide', () => navigator.sendBeacon('/beacon', 'x'))",
    "a changed prototype": "JSON.stringify = () => 'x'; Promise = null; MutationObserver = 1; setTimeout = null",
}


@pytest.mark.parametrize("what", DISTURBERS)
async def test_nothing_of_a_page_disturbs_the_next(pages: CrawlPages, site: FaultySite, what: str) -> None:
    site.page("/disturbing", "<title>disturbed</title>")
    disturber = site.page("/disturber", f"<title>loud</title><p>loud</p><script>{DISTURBERS[what]}</script>")
    quiet = site.page("/quiet", QUIET)
    first = await pages.render(disturber)
    assert b"loud" in first.body
    await asyncio.sleep(0.15)  # less than after what a page at rest is left
    for _ in range(2):
        page = await pages.render(quiet)
        assert page.body == b'<html><head><title>quiet</title></head><body><p id="p">nothing</p></body></html>'
        assert (page.final_url, page.status) == (quiet, 200)
    assert site.paths.count("/quiet") == 2, "none was asked for twice"
    await asyncio.sleep(0.2)
    loud = site.paths.index("/quiet")
    assert "/disturbing" not in site.paths[loud + 1 :]


async def test_a_page_at_rest_stops_working(pages: CrawlPages, site: FaultySite) -> None:
    await pages.render(site.page("/poll", "<script>setInterval(() => fetch('/words'), 20)</script>"))
    await asyncio.sleep(1)
    asked = len(site.seen)
    await asyncio.sleep(0.5)
    assert len(site.seen) == asked


async def test_pages_of_a_crawl_share_cookies_and_those_of_another_do_not(
    shared_pool: PagePool, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    async with shared_pool.crawl(uuid4(), rule, profile) as one:
        await one.render(site.url("/cookie"))
        await one.render(site.url("/plain"))
        assert site.seen[-1].headers["Cookie"] == "visitor=7"
        async with shared_pool.crawl(uuid4(), rule, profile) as other:
            await other.render(site.url("/plain"))
    assert "Cookie" not in site.seen[-1].headers


async def test_the_pages_of_a_crawl_are_open_once(shared_pool: PagePool, profile: BrowserProfile) -> None:
    key = uuid4()
    async with shared_pool.crawl(key, EgressRule(), profile):
        with pytest.raises(RuntimeError, match="are open already"):
            async with shared_pool.crawl(key, EgressRule(), profile):
                pass


# --- pages that do not load -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "reaction", "code"),
    [
        ("/reset", RetryLater, ErrorCode.UPSTREAM_ERROR),
        ("/half", RetryLater, ErrorCode.UPSTREAM_ERROR),
        ("/garbage", RetryLater, ErrorCode.UPSTREAM_ERROR),
        ("/file.zip", GiveUp, ErrorCode.UPSTREAM_ERROR),
        ("/circle", GiveUp, ErrorCode.UPSTREAM_ERROR),
        ("/to-metadata", GiveUp, ErrorCode.EGRESS_REFUSED),
        ("/huge", GiveUp, ErrorCode.UPSTREAM_ERROR),
        ("/bomb", GiveUp, ErrorCode.TOO_LARGE),
    ],
)
async def test_a_page_that_does_not_load_is_an_error_of_its_own(
    pages: CrawlPages, site: FaultySite, path: str, reaction: type[TaskFailure], code: ErrorCode
) -> None:
    with pytest.raises(reaction) as caught:
        await pages.render(site.url(path))
    assert (caught.value.code, path in str(caught.value) or code is not ErrorCode.UPSTREAM_ERROR) == (code, True)
    assert path == "/circle" or site.paths == [path], "Chromium repeats nothing by itself"
    assert (await pages.render(site.url("/plain"))).status == 200


@pytest.mark.parametrize(
    "script", ["while (true) {}", "for (;;) alert('look')", "(function grow() { for (;;) document.title += 'x' })()"]
)
async def test_a_page_script_that_never_yields_is_cut_off(
    browser: Browser, site: FaultySite, rule: EgressRule, profile: BrowserProfile, script: str
) -> None:
    settings = EngineSettings(timeout=timedelta(seconds=1), crawl_pages=1)
    pool = PagePool(browser, settings)
    stuck = site.page("/stuck", f"<p>stuck</p><script>{script}</script>")
    async with pool.crawl(uuid4(), rule, profile) as pages:
        with pytest.raises(RetryLater) as caught:
            await pages.render(stuck)
        assert caught.value.code is ErrorCode.TIMEOUT
        assert (await pages.render(site.url("/plain"))).status == 200
        await asyncio.sleep(0.5)
        assert work_of(chromium_of()) < 50, "its process went on"
    await pool.close()


async def test_a_page_that_asks_for_too_much_is_given_up(
    browser: Browser, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    pool = PagePool(browser, EngineSettings(timeout=timedelta(seconds=5), max_page_requests=5))
    async with pool.crawl(uuid4(), rule, profile) as pages:
        with pytest.raises(GiveUp, match="more than 5 sub-resources") as caught:
            await pages.render(site.page("/", "<script>for (let i = 0; i < 50; i++) fetch('/script.js?' + i)</script>"))
    assert caught.value.code is ErrorCode.TOO_LARGE
    await pool.close()


async def test_an_address_that_the_rule_refuses_is_not_asked_for(pages: CrawlPages) -> None:
    for url in ("http://127.0.0.1:9/", "http://[::1]/", "file:///etc/passwd", "chrome://crash"):
        with pytest.raises(GiveUp) as caught:
            await pages.render(url)
        assert caught.value.code is ErrorCode.EGRESS_REFUSED
