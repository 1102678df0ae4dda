"""A crawl that waits for its host keeps nobody else waiting."""

from tests.acceptance.night import wait_until
from tests.acceptance.site_crawls_survive.system import SiteCrawlSystem


def test_a_host_that_wants_to_be_left_alone_for_long_delays_no_other_crawl(crawls: SiteCrawlSystem) -> None:
    crawls.web.control.trouble("journal", status=429, requests=1000, retry_after="600")
    waiting = crawls.start(crawls.web.url("journal"), depth=0)
    wait_until(lambda: _is_left_alone(crawls, waiting), 30, lambda: crawls.how_it_stands(waiting))
    wait_until(lambda: not _open_slices(crawls), 30, lambda: crawls.how_it_stands(waiting))
    other = crawls.start(crawls.sites.beside.url, depth=1)
    assert crawls.await_end(other, seconds=15)["status"] == "completed"
    assert crawls.state(waiting) in {"pending", "in_progress"}


def _is_left_alone(system: SiteCrawlSystem, task_id: str) -> bool:
    query = "SELECT 1 AS one FROM crawl_hosts WHERE crawl_id = :id AND due_at > now() + interval '60 s'"
    return bool(system.rows(query, id=task_id))


def _open_slices(system: SiteCrawlSystem) -> bool:
    """Whether somebody works at site crawls, or is about to."""
    query = """SELECT 1 AS one FROM tasks WHERE kind = 'crawl_slice'
               AND (state = 'in_progress' OR state = 'pending' AND not_before <= now())"""
    return bool(system.rows(query))
