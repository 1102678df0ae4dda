"""A slice at work, on a real Postgres and a site on loopback: what one crawl cannot do to the others."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import cast
from uuid import UUID

import pytest

from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.page_pool import PagePool
from crawl_worker.engine.settings import EngineSettings
from crawl_worker.engine.store import Store
from crawl_worker.engine.web_client import WebClient
from crawl_worker.sites.web.crawl_slice import CrawlSlice
from crawl_worker.sites.web.slice_parts import SliceRules, SliceTools
from nightjar.adapters.archive.folder import FolderArchive
from nightjar.application import site_crawls
from nightjar.database.engine import Database
from nightjar.domain.site_crawl import CrawlOrder, Engine
from nightjar.domain.task import TaskState
from nightjar.ports import TaskQueue
from tests.doubles.faulty_site import FaultySite, faulty_site
from tests.integration.baemin.desk import Diary
from tests.integration.site_crawls.desk import RULES, a_slice

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def site() -> AsyncIterator[FaultySite]:
    async with faulty_site() as running:
        yield running


def a_crawl_of(database: Database, site: FaultySite) -> UUID:
    order = CrawlOrder(url=site.url(), depth=1, engine=Engine.HTTP, structure=False)
    start = site_crawls.CrawlStart(
        owner="shop", correlation_id="test", host=site.origin[7:], origin=site.origin, delay=timedelta(0)
    )
    with database.transaction() as uow:
        return site_crawls.start(uow, order, start).task_id


async def work(database: Database, database_url: str, site: FaultySite, folder: Path) -> None:
    """One slice, until nothing is due."""
    rule = EgressRule(allowed_origins=frozenset({site.origin}))
    store, claims = (Store(Database(database_url, name=name), name=name) for name in ("store", "claims"))
    web = WebClient(EngineSettings(), rule)
    tools = SliceTools(
        store=store,
        claims=claims,
        queue=cast("TaskQueue", None),  # nothing is analysed
        channel=Diary(),
        archive=FolderArchive(folder),
        web=web,
        pool=cast("PagePool", None),  # nothing is rendered
        rule=rule,
    )
    rules = SliceRules(claims=RULES, retry_delay=timedelta(0), pause=timedelta(0), work_seconds=5, idle_seconds=0)
    await CrawlSlice(tools, rules, a_slice(database)).run()
    await web.close()
    store.close()
    claims.close()


async def test_a_crawl_that_nobody_can_take_a_turn_of_keeps_no_other_from_its_pages(
    database: Database, database_url: str, site: FaultySite, tmp_path: Path
) -> None:
    site.page("/", '<title>home</title><a href="/next">next</a>')
    site.page("/next", "<title>next</title>")
    broken = a_crawl_of(database, site)
    with database.transaction() as uow:
        uow.connection.exec_driver_sql("UPDATE crawls SET start_url = 'http://['")
    sound = a_crawl_of(database, site)
    await work(database, database_url, site, tmp_path)
    with database.transaction() as uow:
        tasks = {one: uow.tasks.get(one, owner=None) for one in (broken, sound)}
    assert {one: task.state for one, task in tasks.items() if task} == {
        broken: TaskState.PENDING,
        sound: TaskState.COMPLETED,
    }
    assert site.paths[-1] == "/next"
