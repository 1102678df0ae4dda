"""Who cancels a crawl is answered at once, and its site is left alone at once."""

from time import monotonic, sleep

import pytest

from tests.acceptance.night import wait_until
from tests.acceptance.site_crawls_survive.system import SiteCrawlSystem

NOTICE_SECONDS = 1.0


def cancel(system: SiteCrawlSystem, task_id: str) -> float:
    """Cancel a crawl; the moment when the answer was there."""
    began = monotonic()
    answer = system.api.delete(f"/api/v1/tasks/{task_id}")
    ended = monotonic()
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert ended - began < 1
    return ended


def never_changes_any_more(system: SiteCrawlSystem, task_id: str) -> None:
    """Its counts add up and stay as they are, and so does its state."""
    before = system.counts(task_id)
    sleep(2.5)  # longer than a lease: whatever a worker or the janitor would still do is done by now
    assert system.counts(task_id) == before
    counted = system.counted(task_id)
    assert (counted["queued"], counted["leased"]) == (0, 0)
    assert counted["done"] + counted["failed"] + counted["skipped"] == counted["discovered"] == counted["rows"]
    assert counted["done"] == counted["done_rows"] == counted["pages"]
    assert counted["leased_rows"] == 0
    assert system.states(task_id) == ["pending", "in_progress", "cancelled"]


def test_a_cancelled_crawl_sends_no_request_a_second_later_and_the_other_goes_on(crawls: SiteCrawlSystem) -> None:
    cancelled, other = crawls.start(crawls.sites.busy.url), crawls.start(crawls.sites.beside.url)
    crawls.await_pages(cancelled, 20)
    ended = cancel(crawls, cancelled)
    assert crawls.state(other) in {"pending", "in_progress"}
    crawls.await_end(other)
    never_changes_any_more(crawls, cancelled)
    assert crawls.sites.busy.pages_asked_for(since=ended + NOTICE_SECONDS) == []
    assert crawls.state(other) == "completed"
    assert sorted(page["url"] for page in crawls.pages(other)) == sorted(crawls.sites.beside.all_urls())


def test_a_crawl_is_cancelled_before_anybody_worked_at_it(crawls: SiteCrawlSystem) -> None:
    task_id = crawls.start(crawls.sites.busy.url, delay=60)
    cancel(crawls, task_id)
    sleep(1)
    asked = len(crawls.sites.busy.requests)
    sleep(1)
    assert len(crawls.sites.busy.requests) == asked
    assert crawls.states(task_id)[-1] == "cancelled"


@pytest.mark.parametrize("path", ["/hang/loop", "/hang/alert", "/hang/requests"])
def test_a_page_whose_script_never_yields_is_left_when_its_crawl_is_cancelled(
    path: str, crawls: SiteCrawlSystem
) -> None:
    task_id = crawls.start(crawls.web.url("hostile", path), engine="browser", depth=0)
    wait_until(lambda: _requests(crawls, path) > 0, 20, lambda: crawls.how_it_stands(task_id))
    sleep(0.5)  # the script runs
    cancel(crawls, task_id)
    sleep(NOTICE_SECONDS)
    asked = _requests(crawls)
    never_changes_any_more(crawls, task_id)
    assert _requests(crawls) == asked


def test_a_worker_is_free_for_other_crawls_after_a_page_that_never_yields(crawls: SiteCrawlSystem) -> None:
    hanging = [crawls.start(crawls.web.url("hostile", "/hang/loop"), engine="browser", depth=0) for _ in range(3)]
    wait_until(lambda: _requests(crawls, "/hang/loop") > 0, 20)
    for task_id in hanging:
        cancel(crawls, task_id)
    after = crawls.start(crawls.web.url("hostile", "/harmless"), engine="browser", depth=0)
    assert crawls.await_end(after, seconds=20)["status"] == "completed"


def _requests(system: SiteCrawlSystem, path: str | None = None) -> int:
    logged = system.web.control.requests(site="hostile")
    return len([entry for entry in logged if path is None or entry["path"] == path])
