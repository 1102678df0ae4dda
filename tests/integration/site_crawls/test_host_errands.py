"""What robots.txt and sitemaps change in the rows of a crawl, whatever became of it while they were asked for."""

from collections.abc import AsyncIterator
from typing import cast

import pytest

from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.settings import EngineSettings
from crawl_worker.engine.store import Store
from crawl_worker.engine.web_client import WebClient
from crawl_worker.sites.web.claiming import Turn
from crawl_worker.sites.web.crawl_desk import RobotsBook, desk_for
from crawl_worker.sites.web.host_errands import HostErrands
from nightjar.application import site_crawls
from nightjar.database.engine import Database
from nightjar.domain.site_crawl import SkipReason
from nightjar.ports import TaskQueue
from tests.doubles.faulty_site import FAULTS, FaultySite, faulty_site
from tests.integration.site_crawls.desk import HOST, RULES, CrawlDesk, a_crawl, answered

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def site() -> AsyncIterator[FaultySite]:
    async with faulty_site() as running:
        yield running


class Errands:
    """The errands of one slice, at a site on loopback that stands in for the host of the crawl."""

    def __init__(self, desk: CrawlDesk, database_url: str, site: FaultySite) -> None:
        self._desk = desk
        self._site = site
        self._store = Store(Database(database_url, name="errands"), name="errands")
        self._web = WebClient(EngineSettings(), EgressRule(allowed_origins=frozenset({site.origin})))
        queue = cast("TaskQueue", None)  # nothing ends here
        self._errands = HostErrands(self._store, queue, self._web, RobotsBook(), RULES)

    async def run(self, *, sitemap: str | None = None, asks_robots: bool = False) -> None:
        """Do one errand, and close everything."""
        crawl = self._desk.crawl
        turn = Turn(crawl=crawl, host=HOST, origin=self._site.origin, sitemap=sitemap, asks_robots=asks_robots)
        await self._errands.run(turn, desk_for({}, crawl, {}))
        await self._web.close()
        self._store.close()


def due_hosts(desk: CrawlDesk) -> list[object]:
    with desk.database.transaction() as uow:
        return list(uow.crawls.due_hosts(limit=10))


async def test_a_sitemap_lets_in_what_lay_too_deep_and_the_counts_say_so(
    database: Database, database_url: str, site: FaultySite
) -> None:
    desk = a_crawl(database)
    desk.keep(answered(desk.open(), "/near"))
    desk.offer("/deep", depth=4, reason=SkipReason.DEPTH)
    listed = "<urlset><url><loc>https://shop.example/deep</loc></url><url><loc>https://shop.example/new</loc></url>"
    sitemap = site.page("/sitemap.xml", f"{listed}</urlset>")
    with database.transaction() as uow:
        uow.crawls.set_sitemaps(desk.crawl_id, [sitemap, "https://shop.example/more.xml"])
    await Errands(desk, database_url, site).run(sitemap=sitemap)
    assert {desk.states()[path][0] for path in ("/near", "/deep", "/new")} == {"queued"}
    desk.adds_up()


@pytest.mark.parametrize("robots", ["found", "missing", "broken"])
async def test_a_crawl_that_ended_while_its_robots_txt_was_asked_for_is_looked_at_no_more(
    robots: str, database: Database, database_url: str, site: FaultySite, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = a_crawl(database)
    desk.open()
    if robots == "found":
        site.page("/robots.txt", "User-agent: *")
    elif robots == "broken":
        monkeypatch.setitem(FAULTS, "/robots.txt", FAULTS["/broken"])
    with database.transaction() as uow:
        site_crawls.cancel(uow, desk.task)
    await Errands(desk, database_url, site).run(asks_robots=True)
    assert site.paths == ["/robots.txt"]
    assert due_hosts(desk) == []


async def test_a_crawl_that_waits_for_its_robots_txt_goes_on_once_it_is_there(
    database: Database, database_url: str, site: FaultySite
) -> None:
    desk = a_crawl(database)
    desk.open()
    with database.transaction() as uow:
        uow.crawls.set_due(desk.crawl_id, HOST, None)
    await Errands(desk, database_url, site).run(asks_robots=True)
    assert due_hosts(desk) == [(desk.crawl_id, HOST)]
