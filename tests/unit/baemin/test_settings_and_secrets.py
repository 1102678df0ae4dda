"""Addresses from the environment, and credentials that no repr shows."""

import pytest

from crawl_worker.sites.baemin.settings import BaeminSettings
from crawl_worker.sites.owner_site import Credentials, Outcome, SessionExpired, failure
from nightjar.errors import Blocked, ErrorCode, GiveUp, RetryLater
from nightjar.settings import BadSettings


def test_only_stand_ins_are_opened_to_the_browser() -> None:
    assert BaeminSettings().stand_ins() == frozenset()
    given = BaeminSettings.from_environment({"BAEMIN_SELF_URL": "http://127.0.0.1:7002/"})
    assert given.stand_ins() == {"http://127.0.0.1:7002"}
    config = given.config()
    assert config.home_url == "http://127.0.0.1:7002/"
    assert config.login_url == "https://biz-member.baemin.com/login?returnUrl=http%3A%2F%2F127.0.0.1%3A7002%2F"


@pytest.mark.parametrize("value", ["self.baemin.com", "ftp://x", "https://x/path", "https://x?q=1", "https://"])
def test_what_is_no_origin_is_refused_with_the_name_of_the_setting(value: str) -> None:
    with pytest.raises(BadSettings, match="BAEMIN_API_URL"):
        BaeminSettings.from_environment({"BAEMIN_API_URL": value})


def test_credentials_show_nothing_of_themselves() -> None:
    credentials = Credentials(login_id="owner-login", password="owner-password")
    assert "owner" not in f"{credentials!r} {credentials}"


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.OK])
def test_every_outcome_is_an_error_code_with_its_reaction(outcome: Outcome) -> None:
    error = failure(outcome, "why", surface="here")
    assert (error.code, error.message, error.details) == (ErrorCode(outcome.value), "why", {"surface": "here"})
    passing = {Outcome.TIMEOUT, Outcome.MAINTENANCE, Outcome.UPSTREAM_ERROR}
    special = {Outcome.BLOCKED: Blocked, Outcome.SESSION_EXPIRED: SessionExpired}
    assert type(error) is special.get(outcome, RetryLater if outcome in passing else GiveUp)
