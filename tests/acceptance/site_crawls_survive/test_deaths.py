"""In mid-crawl something dies, each alone. The crawl ends with every page of the site, each stored once."""

import signal
from collections.abc import Callable

import pytest
import redis

from tests.acceptance.night import wait_until
from tests.acceptance.site_crawls_survive.system import WORKER, SiteCrawlSystem

Disaster = Callable[[SiteCrawlSystem], None]


def worker_is_killed(system: SiteCrawlSystem) -> None:
    """With its children, all at once."""
    for process in system.worker_family():
        process.kill()


def child_is_killed(system: SiteCrawlSystem) -> None:
    """The processes that crawl; the worker makes new ones."""
    for process in system.worker_family()[0].children():
        process.kill()


def redis_is_flushed(system: SiteCrawlSystem) -> None:
    """Queue, marks, everything."""
    with redis.Redis.from_url(system.stack.redis_url) as client:
        client.flushall()


def postgres_is_shut_down_at_once(system: SiteCrawlSystem) -> None:
    """An immediate shut-down breaks all connections off in the middle of whatever they do."""
    before = system.stack.postgres.pid
    system.stack.postgres.kill(signal.SIGQUIT)
    wait_until(lambda: system.stack.postgres.pid != before, 20)  # it may answer once more before it hears


@pytest.mark.parametrize(
    "disaster",
    [
        worker_is_killed,
        child_is_killed,
        redis_is_flushed,
        postgres_is_shut_down_at_once,
    ],
)
def test_a_crawl_keeps_every_page_once_when(disaster: Disaster, crawls: SiteCrawlSystem) -> None:
    task_id = crawls.start(crawls.sites.busy.url)
    crawls.await_pages(task_id, 60)
    disaster(crawls)
    wait_until(lambda: _answers(crawls), 20)
    assert crawls.counted(task_id)["done"] < 240, "or else there is no middle of the crawl"
    task = crawls.await_end(task_id)
    assert task["status"] == "completed", task
    has_every_page_once(crawls, task_id)
    assert crawls.states(task_id) == ["pending", "in_progress", "completed"]


def test_a_worker_that_is_asked_to_stop_gives_its_urls_back_uncounted(crawls: SiteCrawlSystem) -> None:
    task_id = crawls.start(crawls.sites.busy.url)
    crawls.await_pages(task_id, 60)
    crawls.stack.process(WORKER).kill(signal.SIGTERM)
    assert crawls.await_end(task_id)["status"] == "completed"
    has_every_page_once(crawls, task_id)
    spent = crawls.rows(
        "SELECT max(attempts) AS tries, max(lost) AS lost FROM frontier WHERE crawl_id = :id", id=task_id
    )
    assert spent == [{"tries": 1, "lost": 0}]
    assert crawls.states(task_id) == ["pending", "in_progress", "completed"]


def _answers(system: SiteCrawlSystem) -> bool:
    try:
        return bool(system.rows("SELECT 1 AS one"))
    except Exception:  # noqa: BLE001  # whatever the driver says while the server is away
        return False


def has_every_page_once(system: SiteCrawlSystem, task_id: str) -> None:
    site = system.sites.busy
    pages = system.pages(task_id)
    assert sorted(page["url"] for page in pages) == sorted(site.all_urls())
    counted = system.counted(task_id)
    assert (counted["done"], counted["discovered"]) == (240, 240)
    assert (counted["queued"], counted["leased"], counted["failed"], counted["skipped"]) == (0, 0, 0, 0)
    assert (counted["done_rows"], counted["rows"]) == (240, 240)
    of_objects = system.rows("SELECT sum(pages) AS pages FROM crawl_objects WHERE crawl_id = :id", id=task_id)
    assert of_objects[0]["pages"] == 240
    for page in pages:
        url, body = system.body_of(page)
        assert (url, body == site.body_at(url)) == (page["final_url"], True)


def test_the_counts_are_those_of_the_rows_at_every_moment(crawls: SiteCrawlSystem) -> None:
    task_id = crawls.start(crawls.sites.beside.url, limit=100)
    seen = 0

    def adds_up() -> bool:
        nonlocal seen
        counted = crawls.counted(task_id)
        seen += 0 < counted["done"] < 100
        is_closed = crawls.state(task_id) == "completed"
        assert counted["done"] == counted["done_rows"] == counted["pages"]
        assert counted["failed"] == counted["failed_rows"]
        assert counted["discovered"] == counted["rows"]
        assert counted["leased"] + counted["done"] <= 100
        if not is_closed and counted["queued"] + counted["leased"]:
            assert (counted["queued"], counted["leased"]) == (counted["queued_rows"], counted["leased_rows"])
        return is_closed

    wait_until(adds_up, 45, lambda: crawls.how_it_stands(task_id))
    assert seen > 3, "the crawl was looked at while it went on"
    counted = crawls.counted(task_id)
    assert (counted["done"], counted["skipped"]) == (100, counted["rows"] - 100)
