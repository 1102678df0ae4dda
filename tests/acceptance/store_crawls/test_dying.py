"""Whatever dies while a crawl stands at a step: it comes to one end, its stores are saved once, no browser is left."""

from collections.abc import Callable

import psutil
import pytest

from tests.acceptance.night import wait_until
from tests.acceptance.store_crawls.chromium import family_of, still_running
from tests.acceptance.store_crawls.standing import Stand, Standing, browser_start, frozen, saving
from tests.acceptance.store_crawls.system import FINAL, WORKER, CrawlSystem

BEFORE_THE_LOGIN: dict[str, Stand] = {
    "the start of the browser": browser_start,
    "the login page": frozen("login_page"),
}
IN_THE_LOGIN: dict[str, Stand] = {
    "the key of the login": frozen("login_init"),
    "the login": frozen("login_submit"),
}
AFTER_THE_LOGIN: dict[str, Stand] = {
    "the navigation": frozen("navigation"),
    "the extraction": frozen("extraction"),
    "a detail": frozen("detail"),
    "saving": saving,
}
STEPS = BEFORE_THE_LOGIN | IN_THE_LOGIN | AFTER_THE_LOGIN

Disaster = Callable[[CrawlSystem], None]


def whole_tree(system: CrawlSystem) -> None:
    """The worker, its children and their browsers."""
    for process in worker_of(system):
        process.kill()


def main_process(system: CrawlSystem) -> None:
    """The worker's main process alone."""
    worker_of(system)[0].kill()


def child_processes(system: CrawlSystem) -> None:
    """The processes that crawl; their drivers and browsers live on for a moment."""
    for process in psutil.Process(worker_of(system)[0].pid).children():
        process.kill()


def worker_of(system: CrawlSystem) -> list[psutil.Process]:
    pid = system.worker_pid
    assert pid is not None
    return family_of(pid)


@pytest.mark.parametrize("victim", [whole_tree, main_process])
@pytest.mark.parametrize("step", STEPS)
def test_a_crawl_whose_worker_is_killed_comes_to_one_end_at(step: str, victim: Disaster, crawls: CrawlSystem) -> None:
    with STEPS[step](crawls) as standing:
        before = worker_of(crawls)
        posts = crawls.login_posts(standing.owner)
        victim(crawls)
    has_ended_well(crawls, standing, step, posts)
    wait_until(lambda: not still_running(before), 10, lambda: still_running(before))
    wait_until(lambda: crawls.stack.process(WORKER).is_alive, 10)


@pytest.mark.parametrize("step", ["the login", "a detail"])
def test_a_crawl_whose_process_is_killed_comes_to_one_end_at(step: str, crawls: CrawlSystem) -> None:
    with STEPS[step](crawls) as standing:
        before = worker_of(crawls)[1:]
        posts = crawls.login_posts(standing.owner)
        child_processes(crawls)
    has_ended_well(crawls, standing, step, posts)
    wait_until(lambda: not still_running(before), 10, lambda: still_running(before))


def has_ended_well(system: CrawlSystem, standing: Standing, step: str, posts: int) -> None:
    """The one end that fits what is known; whoever was in the middle of a login does not log in again by itself."""

    def has_ended() -> bool:
        system.let_holds_run_out()
        return system.state(standing.task_id) in FINAL

    wait_until(has_ended, 60, lambda: system.rows("SELECT * FROM tasks WHERE id = :id", id=standing.task_id))
    task = system.task(standing.task_id)
    if step in IN_THE_LOGIN:
        assert (task["status"], (task["error"] or {}).get("code")) == ("failed", "action_required"), task
        assert system.logins(standing.owner) == [None]
        assert system.login_posts(standing.owner) in (posts, 1)  # what was under way may still have been sent, once
    else:
        assert task["status"] == "completed", task
        saved_once(system, standing)
        assert set(system.logins(standing.owner)) == {"ok"}
        assert system.login_posts(standing.owner) == len(system.logins(standing.owner)) <= 2
    assert system.ends(standing.task_id) == [task["status"]]


def saved_once(system: CrawlSystem, standing: Standing) -> None:
    shown = system.replica.control.account(standing.owner.login_id)["stores"]
    stored = system.stores(standing.owner)
    assert sorted(row["platform_store_id"] for row in stored) == sorted(row["platform_store_id"] for row in shown)
    changes = "SELECT c.id FROM store_changes AS c JOIN stores AS s ON s.id = c.store_id WHERE s.account_id = :id"
    assert system.rows(changes, id=standing.owner.account_id) == []


def redis_is_flushed(system: CrawlSystem) -> None:
    """Queue, streams, everything."""
    system.flush_redis()


def api_is_restarted(system: CrawlSystem) -> None:
    """It was not there for a while."""
    system.stack.process("api").restart()


@pytest.mark.parametrize("disaster", [redis_is_flushed, api_is_restarted])
@pytest.mark.parametrize("step", ["the login", "a detail"])
def test_a_crawl_goes_on_when(disaster: Disaster, step: str, crawls: CrawlSystem) -> None:
    with STEPS[step](crawls) as standing:
        disaster(crawls)
    task = crawls.await_end(standing.task_id)
    assert task["status"] == "completed", task
    assert crawls.states(standing.task_id) == ["pending", "in_progress", "completed"]
    assert crawls.login_posts(standing.owner) == 1
    saved_once(crawls, standing)


def test_a_crawl_can_be_cancelled_after_redis_was_flushed(crawls: CrawlSystem) -> None:
    with frozen("extraction")(crawls) as standing:
        redis_is_flushed(crawls)
        assert crawls.shop.delete(f"/api/v1/tasks/{standing.task_id}").status_code == 202
        wait_until(lambda: crawls.state(standing.task_id) == "cancelled", 2)
        wait_until(lambda: not crawls.browsers.pages(), 2)
    assert crawls.states(standing.task_id) == ["pending", "in_progress", "cancelled"]


def test_a_start_whose_message_is_lost_is_not_lost(crawls: CrawlSystem) -> None:
    owners = [crawls.new_owner() for _ in range(3)]
    crawls.replica.control.freeze("login_page", seconds=60)
    tasks = [crawls.start(owner) for owner in owners]
    crawls.replica.control.wait_frozen("login_page", seconds=40)
    assert "pending" in [crawls.state(task_id) for task_id in tasks], "or else there is no message to lose"
    redis_is_flushed(crawls)
    crawls.replica.control.release()
    assert [crawls.await_end(task_id)["status"] for task_id in tasks] == ["completed"] * 3
    assert [crawls.login_posts(owner) for owner in owners] == [1] * 3
