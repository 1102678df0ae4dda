"""What else the site can do to a crawl: before the login, during it, and while the stores are read."""

from dataclasses import replace

import pytest

from tests.integration.baemin.desk import SECONDS, WAITS, Desk, as_read, as_shown

pytestmark = pytest.mark.anyio

LOGIN_PAGES = {
    "changed": ("layout_changed", "layout"),
    "never_renders": ("blocked", "stays empty"),
    "captcha": ("action_required", "captcha"),
    "blocked_403": ("blocked", "HTTP 403"),
    "maintenance": ("pending", "maintenance"),
}
"""Outcome of one attempt, and a word of what the owner or the log is told."""


@pytest.mark.parametrize(("way", "expected"), LOGIN_PAGES.items())
async def test_no_password_is_sent_to_a_login_page_that_is_not_the_known_one(
    desk: Desk, way: str, expected: tuple[str, str]
) -> None:
    desk.waits = replace(WAITS, form=1.5 * SECONDS)
    desk.replica.control.site(login_page=way)
    ended = await desk.crawl("ok-1")
    outcome, words = expected
    assert ended.outcome == outcome
    assert words in (ended.task.error_message or "maintenance")
    assert desk.login_posts("ok-1") == 0
    assert ended.account is not None
    assert desk.logins(ended.account.id) == []


LOGINS = {
    "blocked_403": ("blocked", ["blocked"]),
    "error_500": ("upstream_error", ["failed"]),
    "cut": ("upstream_error", ["failed"]),
}


@pytest.mark.parametrize(("way", "expected"), LOGINS.items())
async def test_a_login_that_ends_badly_is_not_repeated(desk: Desk, way: str, expected: tuple[str, list[str]]) -> None:
    desk.replica.control.mode("ok-1", login=way)
    ended = await desk.crawl("ok-1")
    outcome, ledger = expected
    assert ended.outcome == outcome
    assert ended.task.state == "failed", "the password had been sent: there is no second attempt by itself"
    assert desk.login_posts("ok-1") == 1
    assert ended.account is not None
    assert desk.logins(ended.account.id) == ledger


REFUSALS = {"unauthorised_401": "session_expired", "forbidden_403": "blocked", "limited_429": "blocked"}


@pytest.mark.parametrize(("api", "outcome"), REFUSALS.items())
async def test_calls_of_the_page_that_are_refused_end_the_crawl(desk: Desk, api: str, outcome: str) -> None:
    desk.replica.control.mode("ok-1", api=api, api_path="/v4")
    ended = await desk.crawl("ok-1")
    assert ended.outcome == outcome
    assert desk.login_posts("ok-1") == 1


async def test_slow_calls_with_a_wrong_type_under_returning_popups_and_other_class_names_are_read(desk: Desk) -> None:
    ways = {"select": "other_suffix", "popups": "returning", "api": "wrong_type"}
    shown = as_shown(desk.replica.control.account("ok-1"))
    desk.replica.control.mode("ok-1", **ways)
    ended = await desk.crawl("ok-1")
    assert ended.outcome == "ok"
    assert as_read(ended.stores) == shown


async def test_a_list_that_comes_late_is_waited_for(desk: Desk) -> None:
    desk.replica.control.timing(slow_api=1.5, options_ms=[1200, 1200])
    shown = as_shown(desk.replica.control.account("ok-1"))
    desk.replica.control.mode("ok-1", api="slow", api_path="/v4/store/shops/search")
    assert as_read((await desk.crawl("ok-1")).stores) == shown


async def test_half_a_list_without_a_select_is_no_list(desk: Desk) -> None:
    desk.replica.control.mode("ok-4-brands", select="missing", api="cut", api_path="/v4/store/shops/search")
    ended = await desk.crawl("ok-4-brands")
    assert ended.outcome == "pending", "it is tried again"
    assert ended.stores == []


async def test_the_front_page_for_visitors_is_not_taken_for_a_session(desk: Desk) -> None:
    desk.replica.control.site(logged_out="start")
    ended = await desk.crawl("saved-session-stale")
    assert ended.outcome == "ok"
    assert desk.login_posts("saved-session-stale") == 1


async def test_a_site_that_turns_programs_away_is_a_block_and_not_a_riddle(desk: Desk) -> None:
    desk.replica.control.site(bot_rule="webdriver")
    ended = await desk.crawl("ok-1")
    assert ended.outcome == "blocked"
    assert desk.login_posts("ok-1") == 0
    assert ended.account is not None
    assert ended.account.blocked_until is not None
    assert (ended.account.blocked_until - ended.account.updated_at).total_seconds() == pytest.approx(1800, abs=1)


async def test_a_site_in_maintenance_is_tried_again_without_another_login(desk: Desk) -> None:
    account_id = desk.add_account(desk.replica.control.account("maintenance"))
    task_id = desk.start(account_id)
    states = [(await desk.attempt(account_id, task_id)).task.state for _ in range(3)]
    ended = desk.look(account_id, task_id)
    assert (states, ended.outcome) == (["pending", "pending", "failed"], "maintenance")
    assert ended.task.error_retryable
    assert desk.login_posts("maintenance") == 1, "later attempts use the session of the first"
    assert desk.logins(account_id) == ["ok"]


async def test_an_account_with_120_stores_is_read_whole_also_when_time_for_details_is_up(desk: Desk) -> None:
    desk.details_limit = desk.time_limit / 12
    account = desk.replica.control.account("ok-120")
    ended = await desk.crawl("ok-120")
    assert ended.outcome == "ok"
    shown, read = as_shown(account), as_read(ended.stores)
    detailed = {store.platform_store_id for store in ended.stores if store.source == "detail"}
    assert len(read) == 120
    assert {number: read[number] for number in detailed} == {number: shown[number] for number in detailed}
    listed = ("store_name", "category", "service_type", "raw_label")
    assert [[read[number][name] for name in listed] for number in shown] == [
        [shown[number][name] for name in listed] for number in shown
    ]
    assert ended.task.result is not None
    assert 0 < len(detailed) < 120
    assert ended.task.result["details_failed"] == 120 - len(detailed)
    assert ended.task.result["total"] == ended.task.result["created"] == 120
