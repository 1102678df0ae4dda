"""How site crawls end: by themselves, by their owner, by the clock. An end is final, and its counts add up."""

from datetime import timedelta

import pytest

from crawl_worker.sites.web.judging import skipped
from crawl_worker.sites.web.settling import CrawlEnded
from nightjar.application import site_crawls
from nightjar.application.crawl_repair import end_idle_crawls, end_overdue_crawls, return_orphaned_urls
from nightjar.database.engine import Database
from nightjar.domain.site_crawl import CrawlCounts, SkipReason
from nightjar.domain.task import TaskState
from tests.integration.site_crawls.desk import (
    START,
    CrawlDesk,
    Order,
    a_crawl,
    a_slice,
    answered,
    die,
    failed,
    url_of,
)


def started(database: Database, *links: str, order: Order | None = None) -> CrawlDesk:
    """A crawl whose start page has these links."""
    desk = a_crawl(database, order)
    desk.keep(answered(desk.open(), *links))
    return desk


def closed_with(desk: CrawlDesk, *, done: int, skipped: int, failed: int = 0) -> None:
    """The counts of a closed crawl: nothing is queued or in hand, and the sum is right."""
    total = done + skipped + failed
    assert desk.crawl.counts == CrawlCounts(
        discovered=total, queued=0, leased=0, done=done, failed=failed, skipped=skipped
    )
    assert desk.crawl.state == "closed"


# --- by themselves ------------------------------------------------------------------------------------------------


def test_a_crawl_with_nothing_left_to_do_is_completed_with_its_sums(database: Database) -> None:
    desk = started(database, "/a", "/gone", "https://other.example/")
    a, gone = desk.claim(10)
    desk.keep(answered(a), failed(gone))
    closed_with(desk, done=2, failed=1, skipped=1)
    result = dict(desk.task.result or {})
    sums = {"pages_crawled": 2, "discovered": 4, "failed": 1, "skipped": 1}
    assert sums | {"engines": {"http": 2}, "browser_share": 0.0} == {
        name: result[name] for name in (*sums, "engines", "browser_share")
    }
    assert (desk.task.state, desk.task.progress, desk.task.step) == ("completed", 100, "completed")


def test_a_crawl_ends_at_its_limit_and_what_is_left_counts_as_skipped(database: Database) -> None:
    desk = started(database, *(f"/{number}" for number in range(5)), order=Order(limit=3))
    turn = desk.turn(100)
    assert turn is not None
    assert len(turn.urls) == 2
    desk.keep(*(answered(url) for url in turn.urls))
    closed_with(desk, done=3, skipped=3)
    assert (desk.task.state, desk.crawl.end_reason) == ("completed", "limit")


def test_a_page_that_fails_makes_room_for_another_within_the_limit(database: Database) -> None:
    desk = started(database, "/a", "/b", "/c", order=Order(limit=2))
    for path in ("/a", "/b"):
        turn = desk.turn(100)
        assert turn is not None
        assert [url.url for url in turn.urls] == [url_of(path)]
        desk.keep(failed(turn.urls[0]))
        desk.run("UPDATE crawl_hosts SET due_at = now()")
    (last,) = desk.claim(1)
    desk.keep(answered(last))
    closed_with(desk, done=2, failed=2, skipped=0)


def test_a_crawl_goes_on_while_something_is_in_hand_or_a_sitemap_is_to_be_read(database: Database) -> None:
    desk = started(database, "/a", "/b")
    a, b = desk.claim(2)
    desk.keep(answered(a))
    assert desk.task.state == "in_progress"
    with database.transaction() as uow:
        uow.crawls.set_sitemaps(desk.crawl_id, ["https://shop.example/sitemap.xml"])
    desk.keep(answered(b))
    assert (desk.task.state, desk.crawl.state) == ("in_progress", "open")
    with database.transaction() as uow:
        uow.crawls.set_sitemaps(desk.crawl_id, [])
    assert end_idle_crawls(database.transaction) == 1
    assert desk.task.state == "completed"


def test_pages_are_analysed_before_a_crawl_with_structure_ends(database: Database) -> None:
    desk = a_crawl(database, Order(structure=True, limit=1))
    settlement = desk.keep(answered(desk.open(), "/never"))
    (analysis,) = settlement.to_publish
    assert desk.crawl.state == "analysing"
    assert (desk.task.state, desk.task.step) == ("in_progress", "analysing")
    (row,) = desk.rows("SELECT id, kind, state, payload FROM tasks WHERE exclusive_key LIKE 'structure:%'")
    assert row == {
        "id": analysis,
        "kind": "analyse_structure",
        "state": "pending",
        "payload": {"crawl_id": str(desk.crawl_id)},
    }
    with database.transaction() as uow:
        assert site_crawls.complete(uow, desk.crawl_id)
        assert not site_crawls.complete(uow, desk.crawl_id)
    closed_with(desk, done=1, skipped=1)


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (SkipReason.ROBOTS, "robots_disallowed"),
        (SkipReason.ROBOTS_UNAVAILABLE, "upstream_error"),
        (SkipReason.NOINDEX, "robots_disallowed"),
    ],
)
def test_a_crawl_without_a_page_fails_for_the_reason_of_its_start_page(
    reason: SkipReason, code: str, database: Database
) -> None:
    desk = a_crawl(database)
    desk.keep(skipped(desk.open(), reason))
    assert (desk.task.state, desk.task.error_code) == ("failed", code)
    assert START in (desk.task.error_message or "")
    closed_with(desk, done=0, skipped=1)


def test_a_start_page_that_cannot_be_had_fails_the_crawl_with_its_code(database: Database) -> None:
    desk = a_crawl(database)
    desk.keep(failed(desk.open(), "timeout"))
    assert (desk.task.state, desk.task.error_code, desk.task.error_retryable) == ("failed", "timeout", True)
    closed_with(desk, done=0, failed=1, skipped=0)


# --- by its owner -------------------------------------------------------------------------------------------------


def test_a_cancelled_crawl_counts_what_was_not_fetched_as_skipped(database: Database) -> None:
    desk = started(database, "/a", "/b", "/c")
    desk.claim(2)
    cancel(desk)
    closed_with(desk, done=1, skipped=3)
    assert (desk.task.state, desk.crawl.end_reason) == ("cancelled", "cancelled")


def test_what_comes_late_for_a_cancelled_crawl_changes_nothing(database: Database) -> None:
    desk = started(database, "/a", "/b", "/c")
    a, b = desk.claim(2)
    cancel(desk)
    before = (desk.crawl, desk.task)
    with pytest.raises(CrawlEnded):
        desk.keep(answered(a, "/new"), failed(b))
    die(database, desk.lease)
    return_orphaned_urls(database.transaction)
    end_idle_crawls(database.transaction)
    assert desk.turn(10) is None
    with database.transaction() as uow:
        assert not site_crawls.cancel(uow, desk.task)
        assert not site_crawls.complete(uow, desk.crawl_id)
    assert (desk.crawl, desk.task) == before
    assert [row["url"] for row in desk.rows("SELECT url FROM pages")] == [START]
    assert desk.rows("SELECT url FROM frontier WHERE state = 'leased'") == []


def test_a_crawl_that_nobody_began_is_cancelled_at_once(database: Database) -> None:
    desk = a_crawl(database)
    cancel(desk)
    closed_with(desk, done=0, skipped=0)
    assert desk.turn(10) is None
    assert desk.task.state == "cancelled"


def cancel(desk: CrawlDesk) -> None:
    with desk.database.transaction() as uow:
        assert site_crawls.cancel(uow, desk.task)


# --- by the clock and by deaths -----------------------------------------------------------------------------------


def test_a_crawl_that_takes_too_long_fails_and_keeps_its_pages(database: Database) -> None:
    desk = started(database, "/a", "/b", order=Order(timeout=timedelta(hours=1)))
    other = started(database, "/a")
    desk.claim(1)
    assert end_overdue_crawls(database.transaction) == 0
    desk.run("UPDATE crawls SET deadline = now() - interval '1 s' WHERE task_id = :id", id=desk.crawl_id)
    assert end_overdue_crawls(database.transaction) == 1
    assert (desk.task.state, desk.task.error_code, desk.crawl.end_reason) == ("failed", "timeout", "timeout")
    closed_with(desk, done=1, skipped=2)
    assert (desk.task.result or {})["pages_crawled"] == 1
    assert other.task.state == TaskState.IN_PROGRESS
    assert end_overdue_crawls(database.transaction) == 0


def test_a_page_that_took_three_workers_with_it_is_given_up(database: Database) -> None:
    desk = started(database, "/deadly", "/other")
    lease = desk.lease
    for death in range(3):
        deadly = next(url for url in desk.claim(10, lease) if url.url == url_of("/deadly"))
        assert deadly.lost == death
        die(database, lease)
        return_orphaned_urls(database.transaction)
        desk.run("UPDATE frontier SET not_before = now() + interval '1 h' WHERE url LIKE '%/other'")
        desk.adds_up()
        lease = a_slice(database)
    assert desk.states()["/deadly"] == ("failed", None, 1)
    (row,) = desk.rows("SELECT error_code, error_message FROM frontier WHERE state = 'failed'")
    assert row["error_code"] == "worker_lost"
    assert "3 times" in str(row["error_message"])


def test_a_crawl_whose_last_url_is_given_up_ends(database: Database) -> None:
    desk = started(database, "/deadly")
    lease = desk.lease
    for _ in range(3):
        assert len(desk.claim(10, lease)) == 1
        die(database, lease)
        return_orphaned_urls(database.transaction)
        lease = a_slice(database)
    assert desk.task.state == "completed"
    closed_with(desk, done=1, failed=1, skipped=0)


def test_the_sitemaps_of_a_start_page_that_was_given_up_are_read_all_the_same(database: Database) -> None:
    desk = a_crawl(database)
    desk.turn(1)
    lease = desk.lease
    for _ in range(3):
        assert len(desk.claim(10, lease)) == 1
        desk.run("UPDATE crawl_hosts SET due_at = 'infinity'")
        die(database, lease)
        return_orphaned_urls(database.transaction)
        lease = a_slice(database)
    assert desk.crawl.state == "open"
    with database.transaction() as uow:
        assert len(uow.crawls.due_hosts(limit=5)) == 1
    following = desk.turn(10, lease)
    assert following is not None
    assert following.sitemap


def test_urls_in_living_hands_are_left_there(database: Database) -> None:
    desk = started(database, "/a")
    desk.claim(1)
    assert return_orphaned_urls(database.transaction) == 0
    assert desk.states()["/a"][0] == "leased"


def test_returned_urls_are_looked_at_again_at_once(database: Database) -> None:
    desk = started(database, "/a")
    turn = desk.turn(1)
    assert turn is not None
    desk.run("UPDATE crawl_hosts SET due_at = 'infinity'")
    die(database, desk.lease)
    assert return_orphaned_urls(database.transaction) == 1
    with database.transaction() as uow:
        assert uow.crawls.due_hosts(limit=5) == [(desk.crawl_id, turn.host)]


def test_an_analysis_that_was_lost_is_begun_again_and_one_that_failed_ends_the_crawl(database: Database) -> None:
    desk = a_crawl(database, Order(structure=True, limit=1))
    desk.keep(answered(desk.open()))
    desk.run("DELETE FROM tasks WHERE exclusive_key LIKE 'structure:%'")
    assert end_idle_crawls(database.transaction) == 1
    assert len(desk.rows("SELECT id FROM tasks WHERE exclusive_key LIKE 'structure:%' AND state = 'pending'")) == 1
    assert end_idle_crawls(database.transaction) == 0
    desk.run("UPDATE tasks SET state = 'failed', finished_at = now() WHERE exclusive_key LIKE 'structure:%'")
    assert end_idle_crawls(database.transaction) == 1
    assert (desk.task.state, desk.task.error_code) == ("failed", "step_failed")
    closed_with(desk, done=1, skipped=0)
