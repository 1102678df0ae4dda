"""How Chromium comes and goes: late, once, not for ever, and never left behind."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from crawl_worker.engine.browser import Browser, BrowserProfile
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.settings import EngineSettings
from nightjar.errors import ErrorCode, RetryLater
from tests.doubles.faulty_site import FaultySite
from tests.integration.engine.chromium_processes import chromium_of, engine_processes_of, gone

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
Visit = Callable[[Browser], Awaitable[int]]


@pytest.fixture
def visit(site: FaultySite, rule: EgressRule, profile: BrowserProfile) -> Visit:
    """Read a page, and tell the process of the Chromium that showed it."""

    async def read(browser: Browser) -> int:
        async with browser.page(profile, rule) as page:
            await page.goto(site.url("/plain"))
            [chromium] = chromium_of(roots=True)
            return chromium.pid

    return read


async def test_no_chromium_runs_before_the_first_visit_nor_after_closing(browser: Browser, visit: Visit) -> None:
    assert engine_processes_of() == []
    await visit(browser)
    running = engine_processes_of()
    assert len(chromium_of(roots=True)) == 1
    await browser.close()
    assert await gone(running, within=2)


async def test_visits_at_the_same_time_share_one_chromium(browser: Browser, visit: Visit) -> None:
    pids = await asyncio.gather(*(visit(browser) for _ in range(4)))
    assert len(set(pids)) == 1


async def test_chromium_is_closed_when_it_idles_and_comes_back_when_needed(
    settings: EngineSettings, visit: Visit
) -> None:
    browser = Browser(replace(settings, browser_idle=timedelta(seconds=0.4)))
    first = await visit(browser)
    await asyncio.sleep(0.2)
    assert await visit(browser) == first, "a visit starts the idle time anew"
    running = engine_processes_of()
    assert await gone(running, within=3)
    assert await visit(browser) != first
    await browser.close()


async def test_a_long_visit_is_not_idle(
    settings: EngineSettings, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    browser = Browser(replace(settings, browser_idle=timedelta(seconds=0.1)))
    async with browser.page(profile, rule) as page:
        await page.goto(site.url("/plain"))
        await asyncio.sleep(0.5)
        assert await page.title() == "plain"
    await browser.close()


@pytest.mark.parametrize(
    "limit",
    [{"recycle_pages": 2}, {"recycle_age": timedelta(seconds=1)}, {"recycle_bytes": 1_000_000}],
    ids=["pages", "age", "memory"],
)
async def test_chromium_is_renewed_before_it_grows_old(
    settings: EngineSettings, visit: Visit, limit: dict[str, int | timedelta]
) -> None:
    browser = Browser(replace(settings, **limit))  # type: ignore[arg-type]
    first = await visit(browser)
    await visit(browser)
    await asyncio.sleep(1)
    assert await visit(browser) != first
    assert not psutil.pid_exists(first)
    assert len(chromium_of(roots=True)) == 1
    await browser.close()


async def test_a_renewal_waits_for_the_visits_under_way(
    settings: EngineSettings, site: FaultySite, rule: EgressRule, profile: BrowserProfile, visit: Visit
) -> None:
    browser = Browser(replace(settings, recycle_pages=1))
    async with browser.page(profile, rule) as page:
        await page.goto(site.url("/plain"))
        [first] = chromium_of(roots=True)
        next_visit = asyncio.ensure_future(visit(browser))
        await asyncio.sleep(0.5)
        assert not next_visit.done()
        assert await page.title() == "plain"
    assert await next_visit != first.pid
    await browser.close()


async def test_a_cancelled_visit_is_over_within_a_second_and_its_page_is_gone(
    browser: Browser, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    started = asyncio.Event()

    async def read() -> None:
        async with browser.page(profile, rule) as page:
            await page.goto(site.url("/plain"))
            started.set()
            await page.evaluate("while (true) {}")

    task = asyncio.ensure_future(read())
    await started.wait()
    await asyncio.sleep(0.2)
    before = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - before < 1
    frozen = [process for process in chromium_of() if "--type=renderer" in " ".join(process.cmdline())]
    await asyncio.sleep(0.2)
    assert not any(process.is_running() and process.cpu_percent(0.1) > 50 for process in frozen)


async def test_a_chromium_that_does_not_close_a_page_is_killed(
    browser: Browser, site: FaultySite, rule: EgressRule, profile: BrowserProfile, visit: Visit
) -> None:
    started = asyncio.Event()

    async def read() -> None:
        async with browser.page(profile, rule) as page:
            await page.goto(site.url("/plain"))
            for process in chromium_of():
                process.suspend()
            started.set()
            await asyncio.sleep(60)

    task = asyncio.ensure_future(read())
    await started.wait()
    stopped = chromium_of()
    before = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - before < 2
    assert await gone(stopped, within=1)
    assert await visit(browser) not in [process.pid for process in stopped]


async def test_a_visit_that_is_cancelled_while_chromium_starts_leaves_none_behind(
    settings: EngineSettings, visit: Visit
) -> None:
    browser = Browser(replace(settings, browser_idle=timedelta(seconds=0.3)))
    for patience in (0.05, 0.3, 0.6):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(patience):
                await visit(browser)
                await asyncio.sleep(60)
    await asyncio.sleep(1)
    assert await gone(engine_processes_of(), within=5)
    await browser.close()


@pytest.mark.parametrize("program", ["/no/such/chromium", "/bin/false"])
async def test_a_chromium_that_does_not_start_is_told_with_what_to_do(
    settings: EngineSettings, visit: Visit, program: str
) -> None:
    browser = Browser(replace(settings, chromium_path=Path(program)))
    for _ in range(2):
        with pytest.raises(RetryLater, match=f"{program}.*make setup.*CHROMIUM_PATH") as caught:
            await visit(browser)
        assert caught.value.code is ErrorCode.INTERNAL
    assert engine_processes_of() == []
    await browser.close()


async def test_a_killed_driver_ends_the_visit_and_the_next_one_works(
    browser: Browser, site: FaultySite, rule: EgressRule, profile: BrowserProfile, visit: Visit
) -> None:
    with pytest.raises(RetryLater):
        async with asyncio.timeout(5), browser.page(profile, rule) as page:
            await page.goto(site.url("/plain"))
            running = engine_processes_of()
            chromium = chromium_of()
            for driver in set(running) - set(chromium):
                driver.kill()
            await page.evaluate("new Promise(() => {})")
    assert await gone(running, within=3), "Chromium ends with its driver"
    await visit(browser)


OWNER = """
import asyncio, sys
from crawl_worker.engine.browser import Browser, BrowserProfile
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.settings import EngineSettings

async def main() -> None:
    async with Browser(EngineSettings()).page(BrowserProfile(user_agent="x"), EgressRule()) as page:
        await page.goto("about:blank")
        print("open", flush=True)
        await page.evaluate("while (true) {}")

asyncio.run(main())
"""


async def test_a_killed_worker_leaves_no_chromium_even_with_a_frozen_page() -> None:
    path = os.pathsep.join([str(ROOT), str(ROOT / "worker_container")])
    environment = os.environ | {"PYTHONPATH": path}
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", OWNER, stdout=subprocess.PIPE, env=environment)
    assert owner.stdout is not None
    assert await owner.stdout.readline() == b"open\n"
    await asyncio.sleep(0.3)
    running = engine_processes_of(owner.pid)
    assert len(running) >= 3
    owner.kill()
    await owner.wait()
    assert await gone(running, within=3)
