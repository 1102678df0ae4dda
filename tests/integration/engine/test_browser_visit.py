"""One visit with the real Chromium: what a page may reach, and what its troubles become."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest

from crawl_worker.engine.browser import Browser, BrowserPage, BrowserProfile
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.settings import EngineSettings
from nightjar.errors import Blocked, ErrorCode, GiveUp, RetryLater
from tests.doubles.faulty_site import FaultySite, faulty_site
from tests.integration.engine.chromium_processes import chromium_of

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def shared_browser() -> AsyncIterator[Browser]:
    """One Chromium for the tests that do not break it."""
    browser = Browser(EngineSettings(timeout=timedelta(seconds=10)))
    yield browser
    await browser.close()


async def fetched(page: BrowserPage, url: str) -> str:
    """What a page script gets from a URL: 'got', or the name of the error."""
    result: str = await page.evaluate(
        "async url => { try { await fetch(url, {mode: 'no-cors'}); return 'got' } catch (e) { return e.name } }", url
    )
    return result


async def test_a_page_is_read_through_the_proxy(
    shared_browser: Browser, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    url = site.page("/", '<title>목록</title><script src="/script.js"></script><p id="n"></p>')
    async with shared_browser.page(profile, rule) as page:
        response = await page.goto(url)
        assert response is not None
        assert response.status == 200
        assert await page.title() == "목록"
        assert await page.evaluate("loaded") == 1
        assert await page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone") == "Asia/Seoul"
        assert await page.evaluate("navigator.language") == "ko-KR"
    assert site.seen[0].headers["User-Agent"] == "NightjarTest/1.0"


async def test_a_phone_is_a_phone(shared_browser: Browser, site: FaultySite, rule: EgressRule) -> None:
    phone = BrowserProfile(user_agent="Phone/1.0 Mobile", mobile=True, width=412, height=915)
    async with shared_browser.page(phone, rule) as page:
        await page.goto(site.page("/", '<meta name="viewport" content="width=device-width"><p>x</p>'))
        assert await page.evaluate("[innerWidth, innerHeight, navigator.maxTouchPoints > 0]") == [412, 915, True]


async def test_a_page_script_reaches_its_own_site_and_nothing_on_this_machine(
    shared_browser: Browser, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    async with faulty_site() as secret, shared_browser.page(profile, rule) as page:
        await page.goto(site.url("/plain"))
        assert await fetched(page, site.url("/script.js")) == "got"
        for target in (
            secret.url("/plain"),
            f"http://localhost:{secret.port}/plain",
            f"http://[::1]:{secret.port}/plain",
            f"http://2130706433:{secret.port}/plain",
            f"http://[::ffff:127.0.0.1]:{secret.port}/plain",
            f"https://127.0.0.1:{secret.port}/plain",
            "http://169.254.169.254/latest/meta-data/",
            "http://169.254.170.2/v2/credentials",
            "http://[fe80::1]/",
            "http://10.0.0.1/",
            "https://metadata.google.internal/",
        ):
            assert await fetched(page, target) == "TypeError", target
        opened = await page.evaluate(
            """url => new Promise(done => {
                const socket = new WebSocket(url);
                socket.onopen = () => done(1);
                socket.onerror = () => done(0);
            })""",
            f"ws://127.0.0.1:{secret.port}/plain",
        )
        assert opened == 0
    assert secret.seen == []


async def test_a_page_sends_no_datagram_past_the_proxy(
    shared_browser: Browser, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(0)
        async with shared_browser.page(profile, rule) as page:
            await page.goto(site.url("/plain"))
            await page.evaluate(
                """async port => {
                    const peer = new RTCPeerConnection({iceServers: [{urls: `stun:127.0.0.1:${port}`}]});
                    peer.createDataChannel('x');
                    await peer.setLocalDescription(await peer.createOffer());
                    await new Promise(done => setTimeout(done, 500));
                }""",
                listener.getsockname()[1],
            )
        with pytest.raises(BlockingIOError):
            listener.recv(2048)


async def test_a_redirect_to_the_credentials_of_the_container_is_refused(
    shared_browser: Browser, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    with pytest.raises(GiveUp, match=r"169\.254\.169\.254:80 is refused") as caught:
        async with shared_browser.page(profile, rule) as page:
            await page.goto(site.url("/to-metadata"))
    assert caught.value.code is ErrorCode.EGRESS_REFUSED


async def test_a_frame_that_is_refused_does_not_fail_the_page(
    shared_browser: Browser, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    url = site.page("/", '<p>page</p><iframe src="http://169.254.169.254/"></iframe><script src="/reset"></script>')
    async with shared_browser.page(profile, rule) as page:
        await page.goto(url)
        assert await page.inner_text("p") == "page"
    assert site.paths == ["/", "/reset"]


@pytest.mark.parametrize("wait_until", ["commit", "load"])
async def test_a_page_that_breaks_off_is_never_taken_for_a_whole_one(
    shared_browser: Browser,
    site: FaultySite,
    rule: EgressRule,
    profile: BrowserProfile,
    wait_until: Literal["commit", "load"],
) -> None:
    with pytest.raises(RetryLater, match="it broke off in the middle") as caught:
        async with asyncio.timeout(5), shared_browser.page(profile, rule) as page:
            await page.goto(site.url("/half"), wait_until=wait_until)
            await asyncio.sleep(60)
    assert caught.value.code is ErrorCode.UPSTREAM_ERROR


async def test_a_rule_that_opens_nothing_refuses_the_page_itself(
    shared_browser: Browser, site: FaultySite, profile: BrowserProfile
) -> None:
    with pytest.raises(GiveUp):
        async with shared_browser.page(profile, EgressRule()) as page:
            await page.goto(site.url("/plain"))
    assert site.seen == []


async def test_visits_under_different_rules_do_not_share_what_is_open(
    shared_browser: Browser, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    async with (
        shared_browser.page(profile, rule) as open_page,
        shared_browser.page(profile, EgressRule()) as closed_page,
    ):
        await open_page.goto(site.url("/plain"))
        assert await fetched(closed_page, site.url("/plain")) == "TypeError"
        assert await fetched(open_page, site.url("/script.js")) == "got"
    assert site.paths == ["/plain", "/script.js"]


async def test_pictures_films_and_fonts_are_not_loaded(
    shared_browser: Browser, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    url = site.page(
        "/",
        """<style>@font-face { font-family: f; src: url(/f.woff2) }
        p { font-family: f; background: url(/b.jpg) }</style>
        <p>text</p><img src="/i.png"><video src="/v.mp4" preload="auto"></video><audio src="/a.mp3?x=1" preload="auto">
        </audio><script>new Image().src = '/beacon.gif'</script><script src="/script.js"></script>""",
    )
    async with shared_browser.page(profile, rule) as page:
        await page.goto(url)
        await page.wait_for_timeout(200)
    assert site.paths == ["/", "/script.js"]


async def test_a_page_that_asks_for_too_much_is_given_up(
    settings: EngineSettings, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    browser = Browser(replace(settings, max_page_requests=5))
    greedy = site.page("/", "<script>for (let i = 0; i < 50; i++) fetch('/script.js?' + i)</script>")
    modest = site.page("/modest", "<script>for (let i = 0; i < 5; i++) fetch('/script.js?' + i)</script>")
    async with browser.page(profile, rule) as page:
        for _ in range(2):
            await page.goto(modest)
            await page.wait_for_timeout(200)
    with pytest.raises(GiveUp, match="more than 5 sub-resources") as caught:
        async with browser.page(profile, rule) as page:
            await page.goto(greedy)
            await asyncio.sleep(10)
    assert caught.value.code is ErrorCode.TOO_LARGE
    await browser.close()


async def test_nothing_of_a_visit_is_left_for_the_next(
    shared_browser: Browser, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    async with shared_browser.page(profile, rule) as page:
        await page.goto(site.url("/cookie"))
        await page.evaluate("localStorage.setItem('seen', '1')")
        assert await page.evaluate("document.cookie") == "visitor=7"
    async with shared_browser.page(profile, rule) as page:
        await page.goto(site.url("/plain"))
        assert await page.evaluate("[document.cookie, localStorage.getItem('seen')]") == ["", None]
    assert "Cookie" not in site.seen[-1].headers


async def test_a_service_worker_cannot_be_installed(
    shared_browser: Browser, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    async with shared_browser.page(profile, rule) as page:
        await page.goto(site.url("/plain"))
        await page.evaluate("navigator.serviceWorker.register('/script.js').catch(() => 0)")
        assert await page.evaluate("navigator.serviceWorker.getRegistrations().then(all => all.length)") == 0


async def test_chromium_has_no_way_out_but_the_proxy(
    shared_browser: Browser, rule: EgressRule, profile: BrowserProfile
) -> None:
    async with shared_browser.page(profile, rule):
        [chromium] = chromium_of(roots=True)
        command = chromium.cmdline()
    assert "--proxy-server=http://127.0.0.1:9" in command, "outside a visit nothing listens"
    assert "--proxy-bypass-list=<-loopback>" in command
    assert "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1" in command
    assert "--disable-quic" in command


async def test_chromium_knows_no_secret_of_the_worker(
    settings: EngineSettings,
    site: FaultySite,
    rule: EgressRule,
    profile: BrowserProfile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "DATABASE_URL", "NAVER_API_KEY"):
        monkeypatch.setenv(name, "a-secret-of-ours")
    browser = Browser(settings)
    async with browser.page(profile, rule) as page:
        await page.goto(site.url("/plain"))
        for process in chromium_of():
            assert "a-secret-of-ours" not in process.environ().values()
    await browser.close()


@pytest.mark.parametrize(
    ("path", "reaction", "code"),
    [
        ("/reset", RetryLater, ErrorCode.UPSTREAM_ERROR),
        ("/garbage", RetryLater, ErrorCode.UPSTREAM_ERROR),
        ("/file.zip", GiveUp, ErrorCode.UPSTREAM_ERROR),
        ("/circle", GiveUp, ErrorCode.UPSTREAM_ERROR),
    ],
)
async def test_a_page_that_does_not_load_is_an_error_of_ours(
    shared_browser: Browser,
    site: FaultySite,
    rule: EgressRule,
    profile: BrowserProfile,
    path: str,
    reaction: type[Exception],
    code: ErrorCode,
) -> None:
    with pytest.raises(reaction) as caught:
        async with shared_browser.page(profile, rule) as page:
            await page.goto(site.url(path))
    assert isinstance(caught.value, RetryLater | GiveUp)
    assert path == "/circle" or site.paths == [path], "Chromium repeats nothing by itself"
    assert caught.value.code is code


async def test_a_name_that_does_not_exist_is_told_as_such(
    shared_browser: Browser, rule: EgressRule, profile: BrowserProfile
) -> None:
    with pytest.raises(RetryLater, match=r"no-such-site\.invalid could not be looked up"):
        async with shared_browser.page(profile, rule) as page:
            await page.goto("https://no-such-site.invalid/")


async def test_errors_of_ours_pass_unchanged(
    shared_browser: Browser, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    with pytest.raises(Blocked, match="captcha"):
        async with shared_browser.page(profile, rule) as page:
            await page.goto(site.url("/plain"))
            raise Blocked("captcha")


async def test_a_time_out_of_the_visit_itself_stays_what_it_is(
    shared_browser: Browser, rule: EgressRule, profile: BrowserProfile
) -> None:
    with pytest.raises(TimeoutError):
        async with shared_browser.page(profile, rule), asyncio.timeout(0.05):
            await asyncio.sleep(5)


@pytest.mark.parametrize("waits_for", ["a page", "something else"])
async def test_a_killed_chromium_ends_the_visit_at_once_and_the_next_one_works(
    browser: Browser, site: FaultySite, rule: EgressRule, profile: BrowserProfile, waits_for: str
) -> None:
    with pytest.raises(RetryLater, match="Chromium ended during the visit") as caught:
        async with asyncio.timeout(5), browser.page(profile, rule) as page:
            await page.goto(site.url("/plain"))
            for process in chromium_of():
                process.send_signal(signal.SIGKILL)
            if waits_for == "a page":
                await page.evaluate("new Promise(() => {})")
            await asyncio.sleep(60)
    assert caught.value.code is ErrorCode.UPSTREAM_ERROR
    async with browser.page(profile, rule) as page:
        await page.goto(site.url("/plain"))
        assert await page.title() == "plain"


async def test_a_crashed_page_ends_its_visit_and_chromium_goes_on(
    browser: Browser, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    with pytest.raises(RetryLater, match="its process crashed"):
        async with asyncio.timeout(5), browser.page(profile, rule) as page:
            await page.goto(site.url("/plain"))
            crash(page)
            await asyncio.sleep(60)
    before = {process.pid for process in chromium_of(roots=True)}
    async with browser.page(profile, rule) as page:
        await page.goto(site.url("/plain"))
    assert {process.pid for process in chromium_of(roots=True)} == before


def crash(page: BrowserPage) -> None:
    """Kill the process that shows the page."""
    asyncio.ensure_future(page.goto("chrome://crash")).add_done_callback(lambda task: task.exception())
