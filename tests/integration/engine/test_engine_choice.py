"""The choice of engine on a whole site made by scripts in many ways, with the real browser."""

from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

import aiohttp
import pytest

from crawl_worker.engine.browser import Browser, BrowserProfile
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.page_pool import CrawlPages, PagePool
from crawl_worker.engine.settings import EngineSettings
from crawl_worker.sites.web.document import read_document
from crawl_worker.sites.web.engine_choice import Content, EngineChoice
from nightjar.domain.site_crawl import Engine
from tests.doubles.web.replica import WebReplica
from tests.doubles.web.truth import expected, needs_browser

pytestmark = pytest.mark.anyio

MOST_NEEDLESS = 0.12
"""The share of all pages that may be rendered although HTTP would have done: the first ones of each kind."""


@pytest.fixture(scope="module")
def web() -> Iterator[WebReplica]:
    with WebReplica() as replica:
        yield replica


@pytest.fixture
async def pages(web: WebReplica, profile: BrowserProfile) -> AsyncIterator[CrawlPages]:
    settings = EngineSettings(timeout=timedelta(seconds=10))
    browser = Browser(settings)
    pool = PagePool(browser, settings)
    async with pool.crawl(uuid4(), EgressRule(frozenset(web.origins)), profile) as opened:
        yield opened
    await pool.close()
    await browser.close()


@dataclass(slots=True)
class SmallCrawl:
    """Follows every link of one host, each page in the engine that is chosen for it."""

    origin: str
    http: aiohttp.ClientSession
    pages: CrawlPages
    choice: EngineChoice = field(default_factory=EngineChoice)
    rendered: set[str] = field(default_factory=set)
    found: set[str] = field(default_factory=lambda: {"/"})

    async def run(self) -> None:
        waiting = deque(self.found)
        while waiting:
            new = await self._links_of(waiting.popleft()) - self.found
            self.found |= new
            waiting.extend(sorted(new))

    async def _links_of(self, target: str) -> set[str]:
        async with self.http.get(self.origin + target) as answer:
            html = await answer.text()
        content = self._content(html)
        verdict = self.choice.judge(html, content)
        if verdict.engine is Engine.BROWSER:
            self.rendered.add(target)
            before = content
            content = self._content((await self.pages.render(self.origin + target)).body.decode())
            self.choice.learn(verdict, before, content)
        return {url.removeprefix(self.origin) for url in content.links}

    def _content(self, html: str) -> Content:
        document = read_document(html, self.origin + "/")
        return Content(document.text, frozenset(link.url for link in document.links if self._is_ours(link.url)))

    def _is_ours(self, url: str) -> bool:
        return url.startswith(self.origin + "/")


async def test_no_page_that_needs_the_browser_is_missed_and_few_others_take_it(
    web: WebReplica, pages: CrawlPages
) -> None:
    async with aiohttp.ClientSession() as http:
        crawl = SmallCrawl(web.urls["app"], http, pages)
        await crawl.run()
    assert crawl.found == expected("app", depth=20).pages
    needed = needs_browser("app") & crawl.found
    assert needed <= crawl.rendered
    needless = len(crawl.rendered - needed) / len(crawl.found)
    print(f"{len(crawl.found)} pages: {len(needed)} need the browser, {len(crawl.rendered)} took it")
    assert needless <= MOST_NEEDLESS
