"""Tabs whose loads go in circles: reading them must end, and must not become a reading."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from crawl_worker.engine.browser import Browser
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.http import HttpClient
from nightjar.domain.rank import Reading
from nightjar.errors import RetryLater
from tests.integration.naver.desk import ENGINE, Desk, a_search
from tests.unit.naver.pages import cards, page, xload

pytestmark = pytest.mark.anyio


@dataclass
class Tab:
    """A search host: its first page, then one load after the other, each announcing the next."""

    url: str = ""
    loads: Iterator[str] = field(default_factory=lambda: itertools.cycle([cards(30)]))
    asked: int = 0

    async def first(self, _: web.Request) -> web.Response:
        html = page(cards(30) + xload(f"{self.url}/p/review/50/search.naver?page=2"))
        return web.Response(text=html, content_type="text/html")

    async def more(self, _: web.Request) -> web.Response:
        self.asked += 1
        document = {"collection": [{"html": next(self.loads)}], "url": f"{self.url}/p/review/50/search.naver?page=9"}
        return web.Response(text=json.dumps(document), content_type="application/json")


@pytest.fixture
async def tab() -> AsyncIterator[Tab]:
    tab = Tab()
    application = web.Application()
    application.router.add_get("/search.naver", tab.first)
    application.router.add_get("/p/review/50/search.naver", tab.more)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    tab.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield tab
    await runner.cleanup()


@pytest.fixture
async def desk(tab: Tab) -> AsyncIterator[Desk]:
    http = HttpClient(ENGINE, EgressRule(allowed_origins=frozenset({tab.url})))
    yield Desk({"NAVER_SEARCH_URL": tab.url, "NAVER_SEARCH_MORE_URL": tab.url}, http, Browser(ENGINE))
    await http.close()


async def in_time(desk: Desk) -> Reading:
    async with asyncio.timeout(10):
        return await desk.reading(a_search("blog", "국수"))


async def test_a_list_that_repeats_itself_is_no_reading(tab: Tab, desk: Desk) -> None:
    with pytest.raises(RetryLater, match="repeats itself"):
        await in_time(desk)
    assert tab.asked == 1


async def test_a_list_that_goes_round_after_a_while_is_no_reading(tab: Tab, desk: Desk) -> None:
    tab.loads = itertools.cycle([cards(30, first=31), cards(30)])
    with pytest.raises(RetryLater, match="repeats itself"):
        await in_time(desk)
    assert tab.asked == 2


async def test_a_list_without_end_is_read_to_its_depth(tab: Tab, desk: Desk) -> None:
    tab.loads = itertools.cycle(cards(30, first=first) for first in range(31, 900, 30))
    reading = await in_time(desk)
    assert len(reading.rows) == 100
    assert tab.asked == 3
