"""Every account of the replica, over the API: its known outcome, its logins, its stores."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.store_crawls.system import CrawlSystem, Owner
from tests.doubles.baemin.replica import Json

LOGIN_IDS = (
    "ok-120",
    "ok-1",
    "ok-1-no-select",
    "ok-4-brands",
    "ok-none",
    "bad-password",
    "locked",
    "captcha",
    "identity-check",
    "password-change",
    "terms",
    "blocked-at-login",
    "blocked-mid-run",
    "session-expires-after-6-calls",
    "login-slow",
    "never-answers",
    "layout-changed",
    "api-down-but-select-fine",
    "select-missing-but-api-fine",
    "maintenance",
    "detail-fails-for-one-shop",
    "saved-session-valid",
    "saved-session-stale",
)
PATIENCE = {"never-answers": 9}
"""Seconds that the owner gives the crawl, where it would otherwise wait for as long as a login may take."""

ATTEMPTS = {"maintenance": 3}
"""What may be over soon is tried again twice; all else once."""

ACCOUNT_STATUS = {"invalid_credentials", "action_required", "blocked"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One crawl of each account, all started at once."""

    accounts: dict[str, Json]
    owners: dict[str, Owner]
    tasks: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def run(shared_crawls: CrawlSystem) -> Run:
    accounts = {account["login_id"]: account for account in shared_crawls.replica.control.accounts()}
    owners = {login_id: shared_crawls.give(accounts[login_id]) for login_id in LOGIN_IDS}
    started = {
        login_id: shared_crawls.start(owners[login_id], timeout=PATIENCE.get(login_id)) for login_id in LOGIN_IDS
    }
    tasks = {login_id: shared_crawls.await_end(task_id, seconds=240) for login_id, task_id in started.items()}
    return Run(accounts=accounts, owners=owners, tasks=tasks)


def outcome_of(task: dict[str, Any]) -> str:
    """In the words of the replica."""
    return "ok" if task["status"] == "completed" else str((task["error"] or {}).get("code", task["status"]))


@pytest.mark.parametrize("login_id", LOGIN_IDS)
def test_an_account_ends_in_its_known_outcome(login_id: str, run: Run, crawls: CrawlSystem) -> None:
    expected, task, owner = run.accounts[login_id]["expected_outcome"], run.tasks[login_id], run.owners[login_id]
    assert outcome_of(task) == expected, task
    assert crawls.ends(task["task_id"]) == [task["status"]]
    posts, attempts = crawls.login_posts(owner), crawls.claims(task["task_id"])
    assert posts <= attempts
    if attempts == ATTEMPTS.get(login_id, 1):  # more on a machine that is so busy that something else took too long
        assert posts == run.accounts[login_id]["expected_login_posts"] <= 1
    status = crawls.shop.get(f"/api/v1/accounts/{owner.account_id}").json()["status"]
    assert status == (expected if expected in ACCOUNT_STATUS else "ready")
    if expected == "ok":
        assert as_listed(crawls.stores(owner)) == as_shown(run.accounts[login_id])


def test_every_account_of_the_replica_is_among_them(crawls: CrawlSystem) -> None:
    assert set(LOGIN_IDS) == crawls.accounts_at_the_start


def test_an_account_with_120_stores_is_read_whole(run: Run, crawls: CrawlSystem) -> None:
    stores = crawls.stores(run.owners["ok-120"])
    assert len({store["platform_store_id"] for store in stores}) == len(stores) == 120
    assert run.tasks["ok-120"]["result"]["total"] == 120


def test_a_second_crawl_needs_no_password_and_changes_nothing(run: Run, crawls: CrawlSystem) -> None:
    owner = run.owners["ok-1"]
    before = crawls.stores(owner)
    posts = crawls.login_posts(owner)
    again = crawls.crawl(owner)
    assert again["status"] == "completed", again
    assert (again["result"]["created"], again["result"]["updated"]) == (0, 0)
    assert crawls.login_posts(owner) == posts
    assert crawls.logins(owner) == ["ok"]
    assert [without_times(store) for store in crawls.stores(owner)] == [without_times(store) for store in before]


def test_wrong_credentials_are_not_tried_again_before_they_change(run: Run, crawls: CrawlSystem) -> None:
    owner, account = run.owners["bad-password"], run.accounts["bad-password"]
    refused = crawls.shop.post("/api/baemin/start-crawling", json={"account_id": owner.account_id})
    assert refused.status_code == 409, refused.text
    assert crawls.login_posts(owner) == 1
    right = {"platform": "baemin", "login_id": account["login_id"], "password": account["right_password"]}
    assert crawls.shop.post("/api/v1/accounts", json=right).status_code == 200
    assert crawls.crawl(owner)["status"] == "completed"
    assert crawls.login_posts(owner) == 2


def test_a_blocked_account_is_left_alone(run: Run, crawls: CrawlSystem) -> None:
    owner = run.owners["blocked-at-login"]
    refused = crawls.shop.post("/api/baemin/start-crawling", json={"account_id": owner.account_id})
    assert refused.status_code == 409, refused.text
    assert crawls.login_posts(owner) == 1


def as_listed(stores: list[dict[str, Any]]) -> dict[str, tuple[object, ...]]:
    names = ("store_name", "business_type", "sub_type", "raw_label", "road_address", "lat", "lng", "phone", "status",
             "business_no")  # fmt: skip
    return {store["platform_store_id"]: tuple(store[name] for name in names) for store in stores}


def as_shown(account: Json) -> dict[str, tuple[object, ...]]:
    names = ("store_name", "category", "service_type", "raw_label", "road_address", "lat", "lng", "phone", "status",
             "business_no")  # fmt: skip
    return {store["platform_store_id"]: tuple(store[name] for name in names) for store in account["stores"]}


def without_times(store: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in store.items() if name != "last_seen_at"}
