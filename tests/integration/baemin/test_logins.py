"""Logins are counted before they are made, and none follows by itself where the outcome of the last is unknown."""

import json

import pytest

from crawl_worker.sites.baemin.traffic import LOGIN_PATH
from nightjar.domain.account import LoginOutcome, Platform
from tests.integration.baemin.desk import Desk

pytestmark = pytest.mark.anyio


async def test_a_session_is_kept_and_the_next_crawl_needs_no_login(desk: Desk) -> None:
    account_id = desk.add_account(desk.replica.control.account("ok-1"))
    first = await desk.attempt(account_id, desk.start(account_id))
    desk.diary.events.clear()
    second = await desk.attempt(account_id, desk.start(account_id))
    assert (first.outcome, second.outcome) == ("ok", "ok")
    assert desk.login_posts("ok-1") == 1
    assert desk.logins(account_id) == [LoginOutcome.OK]
    assert "login_page" not in second.steps
    assert second.task.result is not None
    assert (second.task.result["created"], second.task.result["unchanged"]) == (0, 1)


async def test_the_steps_are_told_in_their_order_with_their_percent(desk: Desk) -> None:
    ended = await desk.crawl("detail-fails-for-one-shop")
    percent = {event.step: event.progress for event in desk.diary.events}
    assert percent == {
        "initialization": 0,
        "authentication": 10,
        "browser_init": 20,
        "login_page": 30,
        "login_submit": 40,
        "navigation": 50,
        "extraction": 60,
        "parsing": 70,
        "saving": 80,
        "completed": 100,
    }
    assert list(percent) == ended.steps + ["completed"] * ("completed" not in ended.steps)
    last_read = [event for event in desk.diary.events if event.step == "extraction"][-1]
    assert last_read.counts == {"stores": 3, "details": 3, "details_failed": 1}
    assert ended.task.result is not None
    assert (ended.task.result["details_failed"], ended.task.result["total"]) == (1, 3)
    types = ended.task.result["business_types"]
    assert isinstance(types, dict)
    assert sum(types.values()) == 3


async def test_a_session_that_ends_on_the_way_is_renewed_by_one_login(desk: Desk) -> None:
    control = desk.replica.control
    account = control.account("session-expires-after-6-calls") | {
        "storage_state": control.open_session("session-expires-after-6-calls")
    }
    control.mode("session-expires-after-6-calls", session_calls=5)
    account_id = desk.add_account(account)
    ended = await desk.attempt(account_id, desk.start(account_id))
    assert ended.outcome == "session_expired", "the second session ends as early"
    assert desk.login_posts("session-expires-after-6-calls") == 1
    assert ended.steps.count("login_submit") == 1
    assert ended.steps.count("extraction") == 2
    assert desk.secrets.get(f"accounts/{account_id}/session") is None, "a dead session is not tried again"


async def test_no_login_follows_one_whose_end_nobody_knows(desk: Desk) -> None:
    account_id = desk.add_account(desk.replica.control.account("ok-1"))
    task_id = desk.start(account_id)
    with desk.database.transaction() as uow:
        assert uow.accounts.begin_login(account_id, task_id) is not None  # its worker died before the end
    ended = await desk.attempt(account_id, task_id)
    assert ended.outcome == "action_required"
    assert "unknown" in (ended.task.error_message or "")
    assert desk.login_posts("ok-1") == 0
    assert ended.account is not None
    assert ended.account.status == "ready", "the owner may start again"
    again = await desk.attempt(account_id, desk.start(account_id))
    assert again.outcome == "ok"


async def test_wrong_credentials_are_sent_once_and_not_again_until_they_change(desk: Desk) -> None:
    account = desk.replica.control.account("bad-password")
    account_id = desk.add_account(account)
    first = await desk.attempt(account_id, desk.start(account_id))
    second = await desk.attempt(account_id, desk.start(account_id))
    assert (first.outcome, second.outcome) == ("invalid_credentials", "invalid_credentials")
    assert desk.login_posts("bad-password") == 1
    with desk.database.transaction() as uow:
        uow.accounts.give_credentials(account_id, owner=desk.owner, platform=Platform.BAEMIN, login_id="bad-password")
    given = {"login_id": "bad-password", "password": account["right_password"]}
    desk.secrets.put(f"accounts/{account_id}/credentials", json.dumps(given))
    third = await desk.attempt(account_id, desk.start(account_id))
    assert third.outcome == "ok"
    assert desk.login_posts("bad-password") == 2


async def test_the_ledger_is_written_before_the_password_is_sent(desk: Desk) -> None:
    seen: list[list[str | None]] = []
    account_id = desk.add_account(desk.replica.control.account("ok-1"))
    original = desk.secrets.get

    def get(name: str) -> str | None:
        if name.endswith("credentials"):
            seen.append(desk.logins(account_id))
        return original(name)

    desk.secrets.get = get  # type: ignore[method-assign]  # a look at the moment when the credentials are opened
    ended = await desk.attempt(account_id, desk.start(account_id))
    assert ended.outcome == "ok"
    assert seen == [[None]], "the login is in the database before the credentials leave the secret store"
    posts = desk.replica.control.requests(path=LOGIN_PATH)
    assert len([post for post in posts if post["method"] == "POST"]) == 1


async def test_an_account_without_credentials_is_told_to_give_them(desk: Desk) -> None:
    account_id = desk.add_account(desk.replica.control.account("ok-1"))
    desk.secrets.delete(f"accounts/{account_id}/credentials")
    ended = await desk.attempt(account_id, desk.start(account_id))
    assert ended.outcome == "action_required"
    assert "credentials" in (ended.task.error_message or "")
    assert desk.logins(account_id) == [LoginOutcome.FAILED]
    assert desk.login_posts("ok-1") == 0


@pytest.mark.parametrize("saved", ["no json", "[]"])
async def test_a_saved_session_that_cannot_be_read_is_none(desk: Desk, saved: str) -> None:
    account_id = desk.add_account(desk.replica.control.account("ok-1"))
    desk.secrets.put(f"accounts/{account_id}/session", saved)
    assert (await desk.attempt(account_id, desk.start(account_id))).outcome == "ok"
