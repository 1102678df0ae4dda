"""Every account of the replica ends in the outcome that is known of it, with the logins that it needs."""

from dataclasses import replace

import pytest

from tests.integration.baemin.desk import SECONDS, WAITS, Desk, as_read, as_shown

pytestmark = pytest.mark.anyio

OUTCOMES = {
    "ok-1": "ok",
    "ok-1-no-select": "ok",
    "ok-4-brands": "ok",
    "ok-none": "no_stores",
    "bad-password": "invalid_credentials",
    "locked": "action_required",
    "captcha": "action_required",
    "identity-check": "action_required",
    "password-change": "action_required",
    "terms": "action_required",
    "blocked-at-login": "blocked",
    "blocked-mid-run": "blocked",
    "session-expires-after-6-calls": "session_expired",
    "login-slow": "ok",
    "never-answers": "timeout",
    "layout-changed": "layout_changed",
    "api-down-but-select-fine": "ok",
    "select-missing-but-api-fine": "ok",
    "detail-fails-for-one-shop": "ok",
    "saved-session-valid": "ok",
    "saved-session-stale": "ok",
}
"""Without ok-120 and maintenance, which have tests of their own."""

NEVER_READY = {"timeout", "layout_changed"}
"""Of what never comes, the end of a wait is the outcome: a short wait shows it as well."""

STATUS_AFTER = {"invalid_credentials", "action_required", "blocked"}


@pytest.mark.parametrize(("login_id", "outcome"), OUTCOMES.items())
async def test_every_account_ends_in_its_outcome_with_the_logins_that_it_needs(
    desk: Desk, login_id: str, outcome: str
) -> None:
    account = desk.replica.control.account(login_id)
    assert account["expected_outcome"] == outcome
    if outcome in NEVER_READY:
        desk.waits = replace(WAITS, login=1.5 * SECONDS, home=1.5 * SECONDS)
    ended = await desk.crawl(login_id)
    assert ended.outcome == outcome, ended.task
    assert desk.login_posts(login_id) == account["expected_login_posts"]
    assert ended.account is not None
    assert ended.account.status == (outcome if outcome in STATUS_AFTER else "ready")
    if outcome == "ok":
        assert as_read(ended.stores) == as_shown(account)
