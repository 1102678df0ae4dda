"""200 starts at once for 100 accounts: one crawl of each, none twice, none lost."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.acceptance.night import wait_until
from tests.acceptance.store_crawls.system import FINAL, CrawlSystem, Owner

ACCOUNTS = 100


@pytest.fixture
def owners(crawls: CrawlSystem) -> list[Owner]:
    """Accounts with a wrong password: the quickest crawl that sends one."""
    accounts = [account | {"password": "wrong"} for account in crawls.replica.control.create_accounts(ACCOUNTS)]
    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(crawls.give, accounts))


def test_no_account_has_two_active_crawls_and_none_is_lost(owners: list[Owner], crawls: CrawlSystem) -> None:
    def start(owner: Owner) -> httpx.Response:
        return crawls.shop.post("/api/baemin/start-crawling", json={"account_id": owner.account_id})

    crawls.replica.control.freeze("login_page", seconds=120)  # nobody ends before all have started
    with ThreadPoolExecutor(40) as threads:
        answers = list(threads.map(start, [owner for owner in owners for _ in range(2)]))
    assert Counter(answer.status_code for answer in answers) == {202: ACCOUNTS, 409: ACCOUNTS}
    for first, second in zip(answers[::2], answers[1::2], strict=True):
        started, refused = sorted((first, second), key=lambda answer: answer.status_code)
        assert refused.json()["error"]["details"]["task"]["task_id"] == started.json()["task_id"]
    assert len(active(crawls)) == ACCOUNTS
    crawls.replica.control.release()
    wait_until(lambda: not active(crawls), 240, lambda: len(active(crawls)))
    tasks = [answer.json()["task_id"] for answer in answers if answer.status_code == 202]
    states = {task_id: crawls.states(task_id) for task_id in tasks}
    assert {task_id: seen for task_id, seen in states.items() if [s for s in seen if s in FINAL] != ["failed"]} == {}
    assert {crawls.login_posts(owner) for owner in owners} == {1}
    assert {tuple(crawls.logins(owner)) for owner in owners} == {("invalid_credentials",)}


def active(crawls: CrawlSystem) -> list[object]:
    return [row["id"] for row in crawls.rows("SELECT id FROM tasks WHERE state IN ('pending', 'in_progress')")]
