"""How the Chromium of site crawls comes and goes, also in the middle of a crawl, and what its end does to pages."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from crawl_worker.engine.browser import Browser, BrowserProfile
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.page_pool import PagePool
from crawl_worker.engine.settings import EngineSettings
from nightjar.errors import ErrorCode, RetryLater
from tests.doubles.faulty_site import FaultySite
from tests.integration.engine.chromium_processes import chromium_of, engine_processes_of, gone, work_of

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
PoolWith = Callable[..., PagePool]


@pytest.fixture
async def pool_with(browser: Browser, settings: EngineSettings) -> AsyncIterator[PoolWith]:
    """Makes a pool with changed settings; all are closed."""
    pools: list[PagePool] = []

    def make(**changed: object) -> PagePool:
        pools.append(PagePool(browser, replace(settings, **changed)))  # type: ignore[arg-type]
        return pools[-1]

    yield make
    for pool in pools:
        await pool.close()


def chromium() -> int:
    """The one Chromium that runs."""
    [root] = chromium_of(roots=True)
    return root.pid


async def test_no_chromium_runs_before_the_first_page_nor_after_closing(
    pool_with: PoolWith, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    pool = pool_with()
    async with pool.crawl(uuid4(), rule, profile) as pages:
        assert engine_processes_of() == []
        await pages.render(site.url("/plain"))
        assert chromium()
    running = engine_processes_of()
    [folder] = {
        argument for argument in psutil.Process(chromium()).cmdline() if argument.startswith("--user-data-dir=")
    }
    await pool.close()
    assert await gone(running, within=2)
    assert not os.path.exists(folder.partition("=")[2])  # noqa: ASYNC240, PTH110  # a look at a folder does not block


async def test_a_few_pages_at_a_time_and_each_is_used_again(
    pool_with: PoolWith, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    pool = pool_with(crawl_pages=2)
    site.page("/words", "x")
    slow = site.page("/slow-list", "<script>setTimeout(() => fetch('/words'), 100)</script>")
    async with pool.crawl(uuid4(), rule, profile) as pages:
        await asyncio.gather(*(pages.render(slow) for _ in range(8)))
        renderers = [process for process in chromium_of() if "--type=renderer" in " ".join(process.cmdline())]
        assert len(renderers) <= 3  # one may be kept in reserve
    assert site.paths.count("/slow-list") == 8


@pytest.mark.parametrize(
    "limit",
    [{"crawl_recycle_pages": 3}, {"recycle_age": timedelta(seconds=0.6)}, {"recycle_bytes": 1_000_000}],
    ids=["pages", "age", "memory"],
)
async def test_chromium_is_renewed_in_the_middle_of_a_crawl(
    pool_with: PoolWith,
    site: FaultySite,
    rule: EgressRule,
    profile: BrowserProfile,
    limit: dict[str, int | timedelta],
) -> None:
    pool = pool_with(crawl_pages=2, **limit)
    seen = set()
    async with pool.crawl(uuid4(), rule, profile) as pages:
        for _ in range(4):
            read = await asyncio.gather(*(pages.render(site.url("/plain")) for _ in range(3)))
            assert [page.status for page in read] == [200] * 3
            seen.add(chromium())
            await asyncio.sleep(0.3)
    assert len(seen) > 1
    assert sum(map(psutil.pid_exists, seen)) == 1


async def test_a_killed_chromium_fails_the_pages_under_way_and_no_other(
    pool_with: PoolWith, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    pool = pool_with(crawl_pages=2)
    async with pool.crawl(uuid4(), rule, profile) as pages:
        await pages.render(site.url("/plain"))
        under_way = [asyncio.ensure_future(pages.render(site.url(f"/slow?{number}"))) for number in range(2)]
        waiting = asyncio.ensure_future(pages.render(site.url("/plain")))
        async with asyncio.timeout(3):
            while site.paths.count("/slow") < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        psutil.Process(chromium()).kill()
        for page in under_way:
            with pytest.raises(RetryLater, match="Chromium ended") as caught:
                await page
            assert caught.value.code is ErrorCode.UPSTREAM_ERROR
        assert (await waiting).status == 200


async def test_a_crashed_page_fails_alone(
    pool_with: PoolWith, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    pool = pool_with(crawl_pages=2)
    async with pool.crawl(uuid4(), rule, profile) as pages:
        await pages.render(site.url("/plain"))
        before = chromium()
        waits = site.page("/waits", "<p>waits</p><script src='/slow'></script>")
        page = asyncio.ensure_future(pages.render(waits))
        async with asyncio.timeout(3):
            while "/slow" not in site.paths:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        for process in chromium_of():
            if "--type=renderer" in " ".join(process.cmdline()):
                process.kill()
        with pytest.raises(RetryLater, match="its process crashed"):
            await page
        assert (await pages.render(site.url("/plain"))).status == 200
        assert chromium() == before


async def test_a_cancelled_page_is_over_at_once_and_leaves_nothing_working(
    pool_with: PoolWith, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    pool = pool_with(crawl_pages=1)
    stuck = site.page("/stuck", "<script>while (true) {}</script>")
    async with pool.crawl(uuid4(), rule, profile) as pages:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await pages.render(stuck)
        async with asyncio.timeout(3):
            assert (await pages.render(site.url("/plain"))).status == 200
        await asyncio.sleep(0.3)
        assert work_of(chromium_of()) < 50


async def test_a_crawl_that_ends_takes_its_pages_with_it(
    pool_with: PoolWith, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    pool = pool_with()
    poll = site.page("/poll", "<script>setInterval(() => fetch('/plain'), 100)</script>")
    async with pool.crawl(uuid4(), rule, profile) as pages:
        await pages.render(poll)
    asked = len(site.seen)
    await asyncio.sleep(0.5)
    assert len(site.seen) == asked


async def test_chromium_is_closed_when_no_page_is_wanted_for_a_while(
    pool_with: PoolWith, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    pool = pool_with(crawl_browser_idle=timedelta(seconds=0.4))
    async with pool.crawl(uuid4(), rule, profile) as pages:
        await pages.render(site.url("/plain"))
        running = engine_processes_of()
        assert running
        assert await gone(running, within=3)
        assert (await pages.render(site.url("/plain"))).status == 200


async def test_crawls_and_single_visits_have_one_chromium_between_them(
    pool_with: PoolWith, browser: Browser, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    pool = pool_with()
    async with pool.crawl(uuid4(), rule, profile) as pages:
        await pages.render(site.url("/plain"))
        first = chromium()
        async with browser.page(profile, rule) as page:
            await page.goto(site.url("/plain"))
            assert chromium() != first
        assert (await pages.render(site.url("/plain"))).status == 200
        assert chromium()


@pytest.mark.parametrize("program", ["/no/such/chromium", "/bin/false"])
async def test_a_chromium_that_does_not_start_is_told_with_what_to_do(
    pool_with: PoolWith, site: FaultySite, rule: EgressRule, profile: BrowserProfile, program: str
) -> None:
    pool = pool_with(chromium_path=Path(program))
    async with pool.crawl(uuid4(), rule, profile) as pages:
        for _ in range(2):
            with pytest.raises(RetryLater, match=f"{program}.*make setup.*CHROMIUM_PATH") as caught:
                await pages.render(site.url("/plain"))
            assert caught.value.code is ErrorCode.INTERNAL
    assert engine_processes_of() == []


async def test_chromium_knows_no_secret_of_the_worker_and_no_way_out_but_the_proxy(
    pool_with: PoolWith,
    site: FaultySite,
    rule: EgressRule,
    profile: BrowserProfile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "DATABASE_URL"):
        monkeypatch.setenv(name, "a-secret-of-ours")
    async with pool_with().crawl(uuid4(), rule, profile) as pages:
        await pages.render(site.url("/plain"))
        for process in chromium_of():
            assert "a-secret-of-ours" not in process.environ().values()
        command = " ".join(psutil.Process(chromium()).cmdline())
    assert "--proxy-server=http://127.0.0.1:9" in command, "outside a crawl nothing listens"
    assert "--proxy-bypass-list=<-loopback>" in command
    assert "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1" in command
    assert "--disable-quic" in command


async def test_pictures_are_loaded_for_screenshots_and_for_nothing_else(
    pool_with: PoolWith, site: FaultySite, rule: EgressRule, profile: BrowserProfile
) -> None:
    pool = pool_with(crawl_browser_idle=timedelta(seconds=0.3))
    shown = site.page("/shown", "<img src='/picture.png'>")
    async with pool.crawl(uuid4(), rule, profile) as pages:
        for _ in range(2):
            await pages.render(shown)
            assert "/picture.png" not in site.paths
            await pages.render(shown, screenshot=True)
            assert "/picture.png" in site.paths
            running = engine_processes_of()
            assert await gone(running, within=3)
            site.seen.clear()


OWNER = """
import asyncio, sys
from uuid import uuid4
from crawl_worker.engine.browser import Browser, BrowserProfile
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.page_pool import PagePool
from crawl_worker.engine.settings import EngineSettings

async def main(origin: str) -> None:
    settings = EngineSettings()
    pool = PagePool(Browser(settings), settings)
    async with pool.crawl(uuid4(), EgressRule(frozenset({origin})), BrowserProfile(user_agent="x")) as pages:
        await pages.render(origin + "/plain")
        print("open", flush=True)
        await pages.render(origin + "/stuck")

asyncio.run(main(sys.argv[1]))
"""


async def test_a_killed_worker_leaves_no_chromium_even_with_a_frozen_page(site: FaultySite) -> None:
    site.page("/stuck", "<script>while (true) {}</script>")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "worker_container")])}
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, site.origin, stdout=subprocess.PIPE, env=environment
    )
    assert owner.stdout is not None
    assert await owner.stdout.readline() == b"open\n"
    await asyncio.sleep(0.5)
    running = engine_processes_of(owner.pid)
    assert len(running) >= 3
    owner.kill()
    await owner.wait()
    assert await gone(running, within=3)
