"""Every account of the owner site reaches its state, and what can be read equals what the replica says is there."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.doubles import baemin
from tests.doubles.baemin.replica import Json, Replica
from tests.integration.doubles.baemin_owner import Crawl, as_read, as_shown, owner_page

README = Path(baemin.__file__).with_name("README.md")
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
    "maintenance": "maintenance",
    "detail-fails-for-one-shop": "ok",
    "saved-session-valid": "ok",
    "saved-session-stale": "ok",
}


def crawl(
    browser: Browser, site: Replica, account: Json, *, details_of: set[str] | None = None, patience: float = 3.0
) -> Crawl:
    made = Crawl(site, account, details_of)
    with owner_page(browser, site, state=account["storage_state"]) as page:
        made.run(page, patience)
    return made


@pytest.mark.parametrize(("login_id", "outcome"), OUTCOMES.items())
def test_every_account_reaches_its_state_with_the_logins_that_it_needs(
    site: Replica, browser: Browser, login_id: str, outcome: str
) -> None:
    site.control.timing(form_ms=[0, 20], options_ms=[0, 20], slow_login=0.4, hang=10)
    account = site.control.account(login_id)
    assert account["expected_outcome"] == outcome
    made = crawl(browser, site, account, patience=0.8 if outcome == "timeout" else 3.0)
    assert made.outcome == outcome
    assert site.control.counters(login_id)["login_posts"] == account["expected_login_posts"]
    if outcome == "ok":
        assert as_read(made.rows, account["stores"]) == as_shown(account["stores"], set(made.rows))


def test_the_table_of_outcomes_names_every_account_and_the_readme_says_the_same(site: Replica) -> None:
    accounts = site.control.accounts()
    assert {one["login_id"] for one in accounts} == {*OUTCOMES, "ok-120"}
    told = re.findall(r"^\| `([a-z0-9-]+)` \| ([a-z_]+) \| (\d) \|", README.read_text(), re.MULTILINE)
    assert told == [(one["login_id"], one["expected_outcome"], str(one["expected_login_posts"])) for one in accounts]


def test_an_account_with_120_shops_lists_all_of_them(site: Replica, browser: Browser) -> None:
    account = site.control.account("ok-120")
    rows = account["stores"]
    opened = {rows[index]["platform_store_id"] for index in (0, 3, 4, 7, 20, 30, 40, 119)}
    made = crawl(browser, site, account, details_of=opened)
    assert made.outcome == "ok"
    assert len(made.rows) == len(rows) == 120
    assert as_read(made.rows, rows) == as_shown(rows, opened)
    assert "99999999" in rows[20]["raw_label"], "a text with a number that is not the option's value"
    assert rows[30]["status"] == "CLOSED"
    assert rows[40]["seen_in"] == ["select"], "a deleted shop is still an option"


def test_the_right_password_opens_the_account_with_the_bad_one(site: Replica, browser: Browser) -> None:
    account = site.control.account("bad-password")
    assert account["password"] != account["right_password"]
    made = crawl(browser, site, account | {"password": account["right_password"]})
    assert (made.outcome, len(made.rows)) == ("ok", 2)


def test_a_password_change_can_be_put_off_and_is_counted(site: Replica, browser: Browser) -> None:
    account = site.control.account("password-change")
    with owner_page(browser, site) as page:
        made = Crawl(site, account)
        made.run(page)
        assert made.outcome == "action_required"
        page.get_by_role("button", name="다음에 변경").click()
        page.wait_for_url(site.urls["BAEMIN_SELF_URL"] + "/")
    assert site.control.counters("password-change")["postponed"] == 1


def test_ordinary_accounts_can_be_added_and_log_in(site: Replica, browser: Browser) -> None:
    made = site.control.create_accounts(100, shops=3)
    assert len({one["login_id"] for one in made}) == len({one["owner_number"] for one in made}) == 100
    numbers = [row["platform_store_id"] for one in site.control.accounts() for row in one["stores"]]
    assert len(set(numbers)) == len(numbers)
    last = crawl(browser, site, made[-1])
    assert as_read(last.rows, made[-1]["stores"]) == as_shown(made[-1]["stores"], set(last.rows))
    site.control.reset()
    assert "many-0100" not in {one["login_id"] for one in site.control.accounts()}


def test_the_same_seed_gives_the_same_accounts_and_another_seed_others(site: Replica) -> None:
    def world(of: Replica) -> list[Json]:
        return [one | {"storage_state": None} for one in of.control.accounts()]

    with Replica() as twin, Replica("--seed", "7") as other:
        assert world(twin) == world(site)
        assert world(other) != world(site)
