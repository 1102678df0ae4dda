"""What a client sees of a site crawl, of which many workers write the row and any of them may have told last."""

from uuid import UUID

import pytest
from sqlalchemy import text

from nightjar.adapters.redis.progress import RedisProgressChannel
from nightjar.application import site_crawls
from nightjar.database.engine import Database
from nightjar.domain.site_crawl import CrawlOrder
from tests.integration.live.conftest import Served, one, rest

pytestmark = pytest.mark.anyio


@pytest.fixture
def crawl_id(database: Database) -> UUID:
    """A crawl of the owner `shop` that is under way."""
    from datetime import timedelta

    start = site_crawls.CrawlStart(
        owner="shop", correlation_id="c", host="shop.example:443", origin="https://shop.example:443", delay=timedelta(0)
    )
    with database.transaction() as uow:
        crawl_id = site_crawls.start(uow, CrawlOrder(url="https://shop.example/"), start).task_id
        uow.crawls.start_task(crawl_id)
    return crawl_id


def counted(database: Database, crawl_id: UUID, *, done: int, queued: int, progress: int, step: str) -> None:
    values = {"id": crawl_id, "done": done, "queued": queued, "all": done + queued}
    with database.transaction() as uow:
        uow.connection.execute(
            text("UPDATE crawls SET discovered = :all, done = :done, queued = :queued WHERE task_id = :id"), values
        )
        uow.crawls.report(crawl_id, step=step, progress=progress, total=100, message=f"{done} pages")


async def test_a_snapshot_has_the_counts_of_the_crawl(served: Served, database: Database, crawl_id: UUID) -> None:
    counted(database, crawl_id, done=30, queued=12, progress=40, step="crawling")
    async with served.watch(crawl_id) as client:
        first = await one(client)
    assert (first["status"], first["step"], first["progress"]) == ("in_progress", "crawling", 40)
    assert first["counts"] == {"discovered": 42, "queued": 12, "leased": 0, "done": 30, "failed": 0, "skipped": 0}


@pytest.mark.usefixtures("worker")
async def test_what_stands_in_the_row_is_told_though_no_worker_told_it(
    served: Served, database: Database, crawl_id: UUID
) -> None:
    async with served.watch(crawl_id) as client:
        first = await one(client)
        counted(database, crawl_id, done=30, queued=0, progress=60, step="analysing")
        second = await one(client, within=10)
        with database.transaction() as uow:
            site_crawls.complete(uow, crawl_id)
        last, code, _ = await rest(client)
    assert (first["progress"], second["step"], second["counts"]["done"]) == (0, "analysing", 30)
    assert [(message["status"], message["progress"], message["counts"]["done"]) for message in last] == [
        ("completed", 100, 30)
    ]
    assert code == 1000
    assert [first["seq"], second["seq"], last[0]["seq"]] == [1, 2, 3]


async def test_what_a_worker_told_is_not_told_again(
    served: Served, worker: RedisProgressChannel, database: Database, crawl_id: UUID
) -> None:
    async with served.watch(crawl_id) as client:
        await one(client)
        counted(database, crawl_id, done=5, queued=5, progress=31, step="crawling")
        with database.transaction() as uow:
            live = uow.live_tasks.current([crawl_id])[crawl_id]
        await worker.publish(live.event())
        told = await one(client)
        with pytest.raises(TimeoutError):
            await one(client, within=5.5)
    assert told["counts"]["done"] == 5
