"""A cancel is answered at once, and a second later nothing of the crawl is left, wherever it stood."""

import time
from collections.abc import Callable
from uuid import uuid4

import pytest

from tests.acceptance.night import wait_until
from tests.acceptance.store_crawls.standing import Stand, browser_start, endless, frozen, saving
from tests.acceptance.store_crawls.system import CrawlSystem, seconds_until

ANSWER_SECONDS = 0.5
LIMIT_SECONDS = 2.0
"""One second is wanted, and seen on a quiet machine; the second one is for a busy one."""

WITHOUT_PAGE = {"the start of the browser", "saving"}
"""Where a crawl stands that has no page open yet, or none any more."""

STEPS: dict[str, Stand] = {
    "the login page": frozen("login_page"),
    "the key of the login": frozen("login_init"),
    "the login": frozen("login_submit"),
    "the navigation": frozen("navigation"),
    "the extraction": frozen("extraction"),
    "a detail": frozen("detail"),
    "the start of the browser": browser_start,
    "saving": saving,
    "an endless script of the login page": endless("login", "/login"),
    "an endless script of the home page": endless("home", "/"),
    "an endless script of a store's page": endless("manage", "/shops/"),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_crawl_that_is_cancelled_is_gone_within_a_second_at(
    step: str, crawls: CrawlSystem, record_property: Callable[[str, object], None]
) -> None:
    with STEPS[step](crawls) as standing:
        assert bool(crawls.browsers.pages()) is (step not in WITHOUT_PAGE), "or else their end would prove nothing"
        began = time.monotonic()
        answer = crawls.shop.delete(f"/api/baemin/cancel-task/{standing.task_id}")
        answered = time.monotonic() - began
        ended = answered + seconds_until(lambda: crawls.state(standing.task_id) == "cancelled", limit=LIMIT_SECONDS)
        wait_until(lambda: not crawls.browsers.pages(), LIMIT_SECONDS - ended, crawls.browsers.pages)
        gone = time.monotonic() - began
    for name, seconds in {"answered": answered, "ended": ended, "gone": gone}.items():
        record_property(f"{name}_seconds", round(seconds, 3))
    print(f"MEASURED {step}: answered {answered:.3f} ended {ended:.3f} gone {gone:.3f}")
    assert answer.status_code == 202, answer.text
    assert answered < ANSWER_SECONDS
    assert gone < LIMIT_SECONDS
    assert crawls.states(standing.task_id) == ["pending", "in_progress", "cancelled"]
    assert crawls.stores(standing.owner) == []
    assert crawls.shop.delete(f"/api/v1/tasks/{standing.task_id}").status_code == 409


def test_what_was_cancelled_can_be_started_again_and_comes_to_its_end(crawls: CrawlSystem) -> None:
    with frozen("detail")(crawls) as standing:
        crawls.shop.delete(f"/api/v1/tasks/{standing.task_id}")
        wait_until(lambda: crawls.state(standing.task_id) == "cancelled", 10)
    again = crawls.crawl(standing.owner)
    assert again["status"] == "completed", again
    assert len(crawls.stores(standing.owner)) == 2
    assert crawls.states(standing.task_id) == ["pending", "in_progress", "cancelled"]


def test_nobody_else_can_cancel_a_crawl(crawls: CrawlSystem) -> None:
    with frozen("navigation")(crawls) as standing:
        for path in ("/api/baemin/cancel-task", "/api/v1/tasks"):
            assert crawls.stranger.delete(f"{path}/{standing.task_id}").status_code == 404
            assert crawls.shop.delete(f"{path}/{uuid4()}").status_code == 404
        assert crawls.state(standing.task_id) == "in_progress"
    assert crawls.await_end(standing.task_id)["status"] == "completed"


def test_a_crawl_that_has_ended_cannot_be_cancelled(crawls: CrawlSystem) -> None:
    ended = crawls.crawl(crawls.new_owner())
    answer = crawls.shop.delete(f"/api/baemin/cancel-task/{ended['task_id']}")
    assert answer.status_code == 409
    assert crawls.ends(ended["task_id"]) == ["completed"]
