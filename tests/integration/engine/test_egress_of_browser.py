"""Nothing that a page can do reaches this machine or its network; a canary on loopback stays alone.

Both ways of opening pages are tried: single visits, and the pages that site crawls use again.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from crawl_worker.engine import egress
from crawl_worker.engine.browser import Browser, BrowserProfile
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.page_pool import PagePool
from crawl_worker.engine.settings import EngineSettings
from nightjar.errors import ErrorCode, GiveUp
from tests.doubles.canary import Canary, TurningNames, canary, private_addresses
from tests.doubles.faulty_site import FaultySite

pytestmark = pytest.mark.anyio

Visit = Callable[[str], Awaitable[None]]
"""Opens a page and waits until it is quiet."""

_MAKE = "const make = (name, fields) => document.body.append(Object.assign(document.createElement(name), fields));"
_FRAMES = "const frame = html => make('iframe', {srcdoc: html});"

ATTEMPTS = {
    "elements": _MAKE
    + """
        for (const url of urls) {
            make('script', {src: url});
            make('link', {rel: 'stylesheet', href: url});
            make('link', {rel: 'preload', as: 'fetch', href: url});
            make('link', {rel: 'prefetch', href: url});
            make('link', {rel: 'preconnect', href: url});
            make('link', {rel: 'manifest', href: url});
            make('img', {src: url});
            make('object', {data: url});
            make('embed', {src: url});
            make('video', {src: url, preload: 'auto'});
        }""",
    "frames": _MAKE + "for (const url of urls) make('iframe', {src: url});",
    "styles": _MAKE
    + """
        for (const url of urls) {
            make('style', {textContent: `@import url("${url}");`});
            make('style', {textContent: `@font-face { font-family: "f${url}"; src: url("${url}"); }`});
            make('p', {style: `font-family: "f${url}"; background: url("${url}")`, textContent: 'x'});
        }""",
    "fetch": "await Promise.allSettled(urls.map(url => fetch(url, {mode: 'no-cors'})));",
    "xhr": """
        for (const url of urls) {
            const request = new XMLHttpRequest();
            try { request.open('GET', url); request.send(); } catch (refused) {}
        }""",
    "beacons": """
        for (const url of urls) navigator.sendBeacon(url, 'x');
        await fetch(urls.at(-1));""",
    "events": "for (const url of urls) new EventSource(url);",
    "sockets": """
        for (const url of urls) for (const scheme of ['ws', 'wss'])
            try { new WebSocket(url.replace('http', scheme)); } catch (refused) {}""",
    "workers": """
        for (const url of urls) {
            const code = `try { importScripts('${url}') } catch (refused) {}; fetch('${url}')`;
            new Worker(URL.createObjectURL(new Blob([code])));
        }""",
    "service worker": """
        try {
            await navigator.serviceWorker.register('/service-worker.js');
            await Promise.race([navigator.serviceWorker.ready, new Promise(done => setTimeout(done, 1000))]);
        } catch (refused) {}
        await fetch(urls.at(-1));""",
    "meta refresh": _MAKE
    + _FRAMES
    + "for (const url of urls) frame(`<meta http-equiv=refresh content='0;url=${url}'>`);",
    "forms": _MAKE
    + _FRAMES
    + r"""
        for (const url of urls)
            frame(`<form method=post action='${url}'></form><script>document.forms[0].submit()<\/script>`);""",
    "locations": _MAKE + _FRAMES + r"for (const url of urls) frame(`<script>location = '${url}'<\/script>`);",
    "windows": "for (const url of urls.slice(-12)) window.open(url); await fetch(urls.at(-1));",
    "redirects": """
        const away = url => '/away?' + encodeURIComponent(url);
        await Promise.allSettled(urls.map(url => fetch(away(url), {mode: 'no-cors'})));""",
    "redirected frames": _MAKE + "for (const url of urls) make('iframe', {src: '/away?' + encodeURIComponent(url)});",
}
"""What a hostile page does with each address. The last address is one that it may reach."""


@pytest.fixture
async def bird(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Canary]:
    """It listens at what passes for the port of the web, so that nothing but its address speaks against it."""
    async with canary() as one:
        monkeypatch.setattr(egress, "WEB_PORTS", {"http": one.port, "https": one.port})
        yield one


@pytest.fixture(scope="module")
async def shared_browser() -> AsyncIterator[Browser]:
    browser = Browser(_settings(), lookup=TurningNames())
    yield browser
    await browser.close()


@pytest.fixture(scope="module")
async def shared_pool(shared_browser: Browser) -> AsyncIterator[PagePool]:
    pool = PagePool(shared_browser, _settings())
    yield pool
    await pool.close()


@pytest.fixture(params=["visit", "page pool"])
async def visit(
    request: pytest.FixtureRequest,
    shared_browser: Browser,
    shared_pool: PagePool,
    site: FaultySite,
    rule: EgressRule,
    profile: BrowserProfile,
) -> AsyncIterator[Visit]:
    if request.param == "page pool":
        async with shared_pool.crawl(uuid4(), rule, profile) as pages:

            async def render(url: str) -> None:
                await pages.render(url)
                with suppress(TimeoutError):  # a page that was read may leave before it has come to its last attempt
                    await _until_asked(site, "/allowed", seconds=1)

            yield render
        return

    async def look(url: str) -> None:
        async with shared_browser.page(profile, rule, outlives=True) as page:
            await page.goto(url, wait_until="commit")
            await _until_asked(site, "/allowed")

    yield look


def _settings() -> EngineSettings:
    return replace(EngineSettings(), timeout=timedelta(seconds=20), max_page_requests=5000)


async def _until_asked(site: FaultySite, path: str, *, seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while path not in site.paths:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)


def hostile_page(site: FaultySite, attempt: str, targets: list[str]) -> str:
    urls = [*targets, site.url("/allowed")]
    script = f"const urls = {json.dumps(urls)}; addEventListener('load', async () => {{ {ATTEMPTS[attempt]} }});"
    site.pages["/service-worker.js"] = f"for (const url of {json.dumps(urls)}) fetch(url, {{mode: 'no-cors'}});"
    return site.page("/", f"<title>hostile</title><body><p>x</p><script>{script}</script></body>")


@pytest.mark.parametrize("attempt", ATTEMPTS)
async def test_a_page_reaches_its_site_and_nothing_here(
    visit: Visit, site: FaultySite, bird: Canary, attempt: str
) -> None:
    await visit(hostile_page(site, attempt, list(private_addresses(bird.port).values())))
    assert bird.first_lines == []


@pytest.mark.parametrize("attempt", ["elements", "frames", "fetch", "sockets", "redirects"])
async def test_without_the_rule_the_same_page_gets_through(
    visit: Visit, site: FaultySite, bird: Canary, monkeypatch: pytest.MonkeyPatch, attempt: str
) -> None:
    monkeypatch.setattr(egress, "is_public", lambda _: True)
    targets = [f"http://{host}:{bird.port}/" for host in ("127.0.0.1", "[::ffff:127.0.0.1]", "localhost")]
    await visit(hostile_page(site, attempt, targets))
    assert bird.first_lines != []


@pytest.mark.parametrize("host", ["127.1", "[::1]", "2130706433", "①②⑦.⓪.⓪.①", "169.254.170.2", "inner.test"])
async def test_a_start_page_on_this_machine_is_refused(
    shared_pool: PagePool, rule: EgressRule, profile: BrowserProfile, bird: Canary, host: str
) -> None:
    async with shared_pool.crawl(uuid4(), rule, profile) as pages:
        with pytest.raises(GiveUp) as caught:
            await pages.render(f"http://{host}:{bird.port}/")
    assert caught.value.code is ErrorCode.EGRESS_REFUSED
    assert bird.first_lines == []


async def test_a_redirect_of_the_page_itself_is_refused(
    shared_pool: PagePool, rule: EgressRule, profile: BrowserProfile, site: FaultySite, bird: Canary
) -> None:
    async with shared_pool.crawl(uuid4(), rule, profile) as pages:
        for host in ("127.0.0.1", "[::1]", "169.254.170.2", "mixed.test"):
            with pytest.raises(GiveUp, match="is refused") as caught:
                await pages.render(site.url(f"/away?http://{host}:{bird.port}/"))
            assert caught.value.code is ErrorCode.EGRESS_REFUSED
    assert bird.first_lines == []
