"""Passwords and session cookies are nowhere but where they belong: sealed in one table, and at the site."""

import base64

import pytest

from tests.acceptance.store_crawls.leaks import archive_of, dump, leaks, left_behind
from tests.acceptance.store_crawls.system import CrawlSystem

CANARY = "pw-a password that somebody wrote down!"


@pytest.fixture
def played(crawls: CrawlSystem) -> CrawlSystem:
    """A system in which crawls came to their ends, good and bad, and one wrote a picture."""
    crawls.crawl(crawls.new_owner())
    for way in ("captcha", "locked", "identity_check"):
        assert crawls.crawl(crawls.new_owner(login=way))["error"]["code"] == "action_required"
    assert archive_of(crawls), "or else there is no picture to search"
    return crawls


def test_what_a_run_leaves_behind_holds_no_password_and_no_session(played: CrawlSystem) -> None:
    secrets = played.replica.control.secrets()
    found_in = dict(left_behind(played))
    assert {"database", "answers", "logs/worker-1.log", "logs/api.log", "redis/appendonly.aof"} <= set(found_in)
    assert leaks(secrets, found_in) == []


def test_the_search_finds_what_is_there(played: CrawlSystem) -> None:
    task_id = played.crawl(played.new_owner())["task_id"]
    found = {name for _, name in leaks([task_id], dict(left_behind(played)))}
    assert {"database", "answers", "logs/worker-1.log", "redis/appendonly.aof"} <= found
    everything_is_sealed = "SELECT name FROM secrets"
    assert played.rows(everything_is_sealed), "or else there is nothing that could be open"
    assert f"accounts/{played.new_owner().account_id}/credentials".encode() in dump(played.stack.database_url)


@pytest.mark.parametrize("lead", range(3))
def test_the_search_finds_a_secret_in_its_disguises(lead: int) -> None:
    text = "x" * lead + CANARY
    for content in (text.encode(), text.encode().hex().encode(), base64.b64encode(text.encode())):
        assert leaks([CANARY], {"here": content})
    assert leaks([CANARY], {"here": b"pw-another"}) == []
