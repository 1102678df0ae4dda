"""Logins are written down before they are made, and never repeated where it is unknown how one ended."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from nightjar.database.engine import Database
from nightjar.domain.account import AccountStatus, LoginAttempt, LoginOutcome
from nightjar.errors import Blocked, ErrorCode, GiveUp
from tests.integration.stores.records import account_now, an_account, pass_time


def begun(database: Database, account_id: object, task_id: object = None) -> LoginAttempt | None:
    with database.transaction() as uow:
        return uow.accounts.begin_login(account_id, task_id or uuid4())  # type: ignore[arg-type]  # uuids


def ended(database: Database, attempt: LoginAttempt | None, outcome: LoginOutcome, reason: str | None = None) -> None:
    assert attempt is not None
    with database.transaction() as uow:
        uow.accounts.end_login(attempt.id, outcome, reason=reason)


def test_a_login_whose_end_nobody_knows_is_not_followed_by_another_of_its_task(database: Database) -> None:
    account, task_id = an_account(database), uuid4()
    assert begun(database, account.id, task_id) is not None
    assert begun(database, account.id, task_id) is None
    assert begun(database, account.id, uuid4()) is not None, "a person started again"


def test_a_login_that_failed_for_another_reason_can_be_tried_again_by_its_task(database: Database) -> None:
    account, task_id = an_account(database), uuid4()
    ended(database, begun(database, account.id, task_id), LoginOutcome.FAILED)
    assert begun(database, account.id, task_id) is not None
    assert account_now(database, account.id).status is AccountStatus.READY


def test_wrong_credentials_are_not_sent_again_until_their_owner_gives_others(database: Database) -> None:
    account = an_account(database)
    ended(database, begun(database, account.id), LoginOutcome.INVALID_CREDENTIALS, "the site said: wrong password")
    now = account_now(database, account.id)
    assert (now.status, now.status_reason) == (AccountStatus.INVALID_CREDENTIALS, "the site said: wrong password")
    with pytest.raises(GiveUp) as caught:
        begun(database, account.id)
    assert caught.value.code is ErrorCode.INVALID_CREDENTIALS
    again = an_account(database, login_id=account.login_id)
    assert (again.id, again.credentials_version, again.status) == (account.id, 2, AccountStatus.READY)
    assert begun(database, account.id) is not None


def test_a_late_answer_about_old_credentials_does_not_condemn_the_new_ones(database: Database) -> None:
    account = an_account(database)
    late = begun(database, account.id)
    an_account(database, login_id=account.login_id)
    ended(database, late, LoginOutcome.INVALID_CREDENTIALS)
    assert account_now(database, account.id).status is AccountStatus.READY


def test_a_blocked_account_is_left_alone_for_half_an_hour_whatever_credentials_are_given(database: Database) -> None:
    account = an_account(database)
    ended(database, begun(database, account.id), LoginOutcome.BLOCKED)
    an_account(database, login_id=account.login_id)
    until = account_now(database, account.id).blocked_until
    assert until is not None
    assert timedelta(minutes=29) < until - datetime.now(UTC) <= timedelta(minutes=30)
    with pytest.raises(Blocked, match="left alone for another 0:"):
        begun(database, account.id)
    pass_time(database, account.id)
    ended(database, begun(database, account.id), LoginOutcome.OK)
    now = account_now(database, account.id)
    assert (now.status, now.blocked_until) == (AccountStatus.READY, None)


def test_the_first_end_of_a_login_stays(database: Database) -> None:
    account = an_account(database)
    attempt = begun(database, account.id)
    ended(database, attempt, LoginOutcome.ACTION_REQUIRED, "captcha")
    ended(database, attempt, LoginOutcome.OK)
    assert account_now(database, account.id).status is AccountStatus.ACTION_REQUIRED


def test_a_crawl_without_a_login_can_say_what_it_found_too(database: Database) -> None:
    account = an_account(database)
    with database.transaction() as uow:
        uow.accounts.record(account.id, LoginOutcome.BLOCKED, reason="refused on the second page")
    assert account_now(database, account.id).status is AccountStatus.BLOCKED


def test_a_deleted_account_is_not_logged_in_to_and_its_login_is_forgotten(database: Database) -> None:
    account = an_account(database)
    attempt = begun(database, account.id)
    with database.transaction() as uow:
        assert uow.accounts.delete(account.id, owner=account.owner)
        assert uow.accounts.get(account.id, owner=None) is None
    ended(database, attempt, LoginOutcome.OK)
    with pytest.raises(GiveUp):
        begun(database, account.id)
    assert an_account(database, login_id=account.login_id).id != account.id
