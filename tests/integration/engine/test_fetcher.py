"""A host is held while an answer is judged."""

import asyncio
import threading
from datetime import timedelta

import pytest

from crawl_worker.engine.browser import Browser, BrowserPage, BrowserProfile
from crawl_worker.engine.fetcher import PoliteFetcher
from crawl_worker.engine.http import HttpClient, Response
from crawl_worker.engine.settings import EngineSettings
from nightjar.errors import Blocked, ErrorCode, GiveUp, HostBusy, RetryLater
from tests.doubles.faulty_site import FaultySite
from tests.doubles.host_gate import MemoryHostGate

pytestmark = pytest.mark.anyio


@pytest.fixture
def gate() -> MemoryHostGate:
    return MemoryHostGate()


@pytest.fixture
def fetcher(gate: MemoryHostGate, http: HttpClient, browser: Browser, profile: BrowserProfile) -> PoliteFetcher:
    return PoliteFetcher(gate, http, browser, profile=profile)


def host(site: FaultySite) -> str:
    return f"127.0.0.1:{site.port}"


async def test_the_answer_is_judged_before_the_host_is_free(
    fetcher: PoliteFetcher, gate: MemoryHostGate, site: FaultySite
) -> None:
    def judge(response: Response) -> int:
        gate.diary.append("judge")
        return response.status

    assert await fetcher.fetch(site.url("/plain"), judge) == 200
    assert gate.diary == [f"hold {host(site)}", "judge", f"release {host(site)}"]
    assert site.seen[0].headers["User-Agent"] == "NightjarTest/1.0"


async def test_headers_of_the_caller_win_over_the_profile(fetcher: PoliteFetcher, site: FaultySite) -> None:
    await fetcher.fetch(site.url("/plain"), lambda _: None, headers={"User-Agent": "Phone/2"})
    assert site.seen[0].headers["User-Agent"] == "Phone/2"


async def test_after_a_block_nobody_sends(fetcher: PoliteFetcher, site: FaultySite) -> None:
    def judge(_: Response) -> None:
        raise Blocked("the site asks whether we are a robot")

    waiting = [asyncio.ensure_future(fetcher.fetch(site.url("/plain"), judge)) for _ in range(3)]
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [Blocked, HostBusy, HostBusy]
    assert site.paths == ["/plain"]


async def test_requests_to_one_host_follow_each_other(
    fetcher: PoliteFetcher, gate: MemoryHostGate, site: FaultySite
) -> None:
    await asyncio.gather(*(fetcher.fetch(site.url("/plain"), lambda _: None) for _ in range(3)))
    assert gate.diary == [f"hold {host(site)}", f"release {host(site)}"] * 3


async def test_judging_does_not_stop_the_loop(fetcher: PoliteFetcher, site: FaultySite) -> None:
    assert await fetcher.fetch(site.url("/plain"), lambda _: threading.current_thread()) is not threading.main_thread()


async def test_a_refused_address_takes_no_slot(fetcher: PoliteFetcher, gate: MemoryHostGate) -> None:
    async def visit(_: BrowserPage) -> None:
        raise AssertionError("no page may open")

    with pytest.raises(GiveUp):
        await fetcher.fetch("http://169.254.169.254/latest/", lambda _: None)
    with pytest.raises(GiveUp):
        await fetcher.browse("http://127.0.0.1/", visit, budget=timedelta(seconds=5))
    assert gate.diary == []


async def test_the_host_is_free_again_after_a_fault(
    fetcher: PoliteFetcher, gate: MemoryHostGate, site: FaultySite
) -> None:
    with pytest.raises(RetryLater):
        await fetcher.fetch(site.url("/reset"), lambda _: None)
    assert gate.diary[-1] == f"release {host(site)}"


async def test_a_hold_outlasts_the_request_and_its_judging(
    fetcher: PoliteFetcher, gate: MemoryHostGate, site: FaultySite, http: HttpClient
) -> None:
    await fetcher.fetch(site.url("/plain"), lambda _: None)
    assert gate.budgets[0] > http.timeout


async def test_a_visit_holds_the_host_from_its_first_request_to_its_verdict(
    fetcher: PoliteFetcher, gate: MemoryHostGate, site: FaultySite
) -> None:
    async def visit(page: BrowserPage) -> str:
        gate.diary.append("visit")
        await page.goto(site.url("/plain"))
        return await page.title()

    assert await fetcher.browse(site.url("/plain"), visit, budget=timedelta(seconds=20)) == "plain"
    assert gate.diary == [f"hold {host(site)}", "visit", f"release {host(site)}"]
    assert site.seen[0].headers["User-Agent"] == "NightjarTest/1.0"


async def test_a_block_that_a_visit_sees_closes_the_host(
    fetcher: PoliteFetcher, gate: MemoryHostGate, site: FaultySite
) -> None:
    async def visit(page: BrowserPage) -> None:
        await page.goto(site.url("/plain"))
        raise Blocked("the page asks for a captcha")

    with pytest.raises(Blocked):
        await fetcher.browse(site.url("/plain"), visit, budget=timedelta(seconds=20))
    assert gate.diary == [f"hold {host(site)}", f"block {host(site)}", f"release {host(site)}"]


async def test_a_visit_ends_with_its_budget_whatever_the_page_does(fetcher: PoliteFetcher, site: FaultySite) -> None:
    async def visit(page: BrowserPage) -> None:
        await page.goto(site.url("/plain"))
        await page.evaluate("while (true) {}")

    with pytest.raises(RetryLater, match="longer than its budget of 2 s") as caught:
        await fetcher.browse(site.url("/plain"), visit, budget=timedelta(seconds=2))
    assert caught.value.code is ErrorCode.TIMEOUT


async def test_a_time_out_that_a_visit_sets_itself_is_tried_later(fetcher: PoliteFetcher, site: FaultySite) -> None:
    async def visit(_: BrowserPage) -> None:
        async with asyncio.timeout(0.05):
            await asyncio.sleep(10)

    with pytest.raises(RetryLater, match="was not ready in time"):
        await fetcher.browse(site.url("/plain"), visit, budget=timedelta(seconds=20))


async def test_a_navigation_ends_before_the_budget_of_its_visit(
    gate: MemoryHostGate, http: HttpClient, profile: BrowserProfile, site: FaultySite
) -> None:
    hasty = Browser(EngineSettings(timeout=timedelta(seconds=1)))

    async def visit(page: BrowserPage) -> None:
        await page.goto(site.url("/slow"))

    with pytest.raises(RetryLater, match="not ready in time"):
        await PoliteFetcher(gate, http, hasty, profile=profile).browse(
            site.url("/slow"), visit, budget=timedelta(seconds=20)
        )
    await hasty.close()
