"""What the replica saw: how far apart requests were, and whether a host that blocks was left alone."""

import itertools
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
import redis
from sqlalchemy import text

from nightjar.domain.tracking import RankType
from tests.acceptance.night import NightSystem, a_stack, wait_until
from tests.doubles.naver.replica import Replica

DELAY = 0.3


@pytest.fixture(scope="module")
def polite_system() -> Iterator[NightSystem]:
    """Two workers with two children each, and a delay that can be measured."""
    settings = {"CRAWL_DELAY_SECONDS": str(DELAY), "CRAWL_COOLDOWN_SECONDS": "3"}
    with Replica() as replica, a_stack(replica, settings, workers=2) as stack:
        system = NightSystem(replica, stack)
        replica.control.put_scenario(
            {"keywords": [a_long_list("blog", f"공손한 낱말 {number}") for number in range(8)]}
        )
        for number in range(8):
            target = f"nj_polite{number:02}/22349000{number:04}"
            system.follow(RankType.BLOG, f"공손한 낱말 {number}", f"https://blog.naver.com/{target}", target)
        yield system
        system.database.close()


@pytest.fixture
def polite(polite_system: NightSystem) -> NightSystem:
    polite_system.replica.control.reset()
    return polite_system


def flush(system: NightSystem) -> None:
    with redis.Redis.from_url(system.stack.redis_url) as client:
        client.flushall()


def a_long_list(rank_type: str, keyword: str) -> dict[str, object]:
    """A list that reaches the depth: its end needs no second attempt."""
    return {"rank_type": rank_type, "keyword": keyword, "rows": 120, "traps": []}


def gaps(requests: list[dict[str, Any]]) -> list[float]:
    """Seconds between the arrivals of consecutive requests at one host."""
    arrivals = sorted(request["monotonic"] for request in requests)
    return [later - earlier for earlier, later in itertools.pairwise(arrivals)]


@pytest.mark.parametrize("flushed", [False, True])
def test_two_workers_never_send_two_requests_to_a_host_closer_than_the_delay(
    polite: NightSystem, flushed: bool, night: date
) -> None:
    batch_id = polite.fan_out(night)
    if flushed:
        wait_until(lambda: len(polite.replica.control.requests(kind="page")) > 3, 30)
        flush(polite)
    polite.await_end(batch_id)
    for site in ("search", "search_more"):
        requests = polite.replica.control.requests(kind="page", site=site)
        assert len(requests) >= 8
        assert min(gaps(requests)) >= DELAY


def test_trackings_that_share_a_search_cost_one_search_in_a_night(polite: NightSystem, night: date) -> None:
    """Three owners follow the same list; the replica is asked for it once."""
    first = polite.followed[0]
    shared = [
        polite.follow(
            RankType.BLOG, first.search.keyword, f"https://blog.naver.com/{first.target}", first.target, owner=owner
        )
        for owner in ("second", "third")
    ]
    polite.await_end(polite.fan_out(night))
    firsts = polite.replica.control.requests(kind="page", site="search", keyword=first.search.keyword)
    assert len(firsts) == 1
    ranks = {polite.rows(night)[item.id]["rank"] for item in [first, *shared]}
    assert len(ranks) == 1
    for item in shared:
        polite.unfollow(item)


@pytest.mark.parametrize("flushed", [False, True])
def test_after_the_first_block_page_a_host_gets_no_request_until_the_cool_down_ends(
    polite: NightSystem, flushed: bool, night: date
) -> None:
    polite.replica.control.fault("S403", site="search", after=3, limit=1)
    batch_id = polite.fan_out(night)
    wait_until(lambda: bool(polite.replica.control.requests(site="search", fault="S403")), 30)
    if flushed:
        flush(polite)
    polite.await_end(batch_id)
    requests = polite.replica.control.requests(kind="page", site="search")
    blocked = next(number for number, request in enumerate(requests) if request["fault"] == "S403")
    pause = requests[blocked + 1]["monotonic"] - requests[blocked]["monotonic"]
    assert pause >= 3
    assert polite.batch(batch_id)["success"] == polite.batch(batch_id)["total"]


def test_checks_that_wait_for_a_blocked_host_lose_no_attempt(polite: NightSystem, night: date) -> None:
    polite.replica.control.fault("S403", site="search", after=2, limit=2)
    batch_id = polite.fan_out(night)
    polite.await_end(batch_id)
    postponed = polite.lines("crawl_postponed", batch_id=batch_id)
    assert postponed
    assert not any(line["costs_an_attempt"] for line in postponed)
    with polite.database.transaction() as uow:
        rows = uow.connection.execute(
            text("SELECT attempt - uncounted AS counted FROM tasks WHERE batch_id = :id"), {"id": batch_id}
        )
        assert {row.counted for row in rows} == {1}


def test_a_check_that_met_three_blocks_stays_unknown_and_says_why(polite: NightSystem, night: date) -> None:
    keyword = polite.followed[0].search.keyword
    polite.replica.control.fault("S403", site="search", keyword=keyword)
    batch_id = polite.fan_out(night)
    batch = polite.await_end(batch_id, seconds=120)
    row = polite.rows(night)[polite.followed[0].id]
    assert (row["outcome"], row["reason"].partition(":")[0]) == ("unknown", "blocked")
    assert [item["tracking_id"] for item in batch["failed_items"]] == [polite.followed[0].id]
    assert len(polite.replica.control.requests(site="search", fault="S403")) == 3
    assert isinstance(batch["finished_at"], datetime)
