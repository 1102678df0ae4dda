"""What is claimed, in which order, and never twice: the frontier as several slices see it at once."""

import hashlib
import json
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic, sleep
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from nightjar.application.crawl_repair import return_orphaned_urls
from nightjar.database.engine import Database
from nightjar.database.frontier import CLAIM_FRESH, CLAIM_RETRIES, LOWER, SETTLE, SUSPECTS, LeasedUrl, SliceLease
from tests.integration.site_crawls.desk import (
    CrawlDesk,
    Order,
    a_crawl,
    a_slice,
    answered,
    die,
    offered,
    path_of,
    tried_later,
)


def test_urls_are_claimed_by_depth_and_then_in_the_order_in_which_they_were_found(database: Database) -> None:
    desk = a_crawl(database)
    desk.offer("/late-but-near", depth=2)
    desk.offer("/z", "/a", "/m", depth=1)
    desk.offer("/sitemap", depth=32_767)
    desk.offer("/deep", depth=3)
    claimed = [path_of(url.url) for url in desk.claim(10)]
    assert claimed == ["/z", "/a", "/m", "/late-but-near", "/deep", "/sitemap"]
    desk.adds_up()


def test_a_claim_takes_no_more_than_it_wants_and_goes_on_where_it_stopped(database: Database) -> None:
    desk = a_crawl(database)
    desk.offer(*(f"/{number}" for number in range(5)))
    assert [path_of(url.url) for url in desk.claim(2)] == ["/0", "/1"]
    assert [path_of(url.url) for url in desk.claim(2)] == ["/2", "/3"]
    assert [path_of(url.url) for url in desk.claim(2)] == ["/4"]
    assert desk.claim(2) == []


def test_retries_that_are_due_come_before_what_is_fresh(database: Database) -> None:
    desk = a_crawl(database)
    desk.offer("/again", "/later", "/fresh")
    again, later = desk.claim(2)
    desk.keep(tried_later(again), tried_later(later, timedelta(hours=1)))
    assert [(path_of(url.url), url.attempts) for url in desk.claim(10)] == [("/again", 2)]
    assert [(path_of(url.url), url.attempts) for url in desk.claim(10)] == [("/fresh", 1)]
    assert desk.claim(10) == []
    with database.transaction() as uow:
        assert uow.frontier.next_retry(desk.crawl_id, again.host) is not None


def test_urls_whose_worker_died_come_in_small_groups(database: Database) -> None:
    desk = a_crawl(database)
    desk.offer(*(f"/{number}" for number in range(12)), "/fresh")
    assert len(desk.claim(12)) == 12
    die(database, desk.lease)
    assert return_orphaned_urls(database.transaction) == 12
    lease = a_slice(database)
    claims = [[(path_of(url.url), url.lost) for url in desk.claim(100, lease)] for _ in range(3)]
    assert [len(claim) for claim in claims] == [SUSPECTS, 2, 1]
    assert claims[2] == [("/fresh", 0)]


def test_a_url_whose_workers_died_twice_comes_alone(database: Database) -> None:
    desk = a_crawl(database)
    desk.offer("/one", "/two", "/fresh")
    for lease in (desk.lease, a_slice(database)):
        assert len(desk.claim(2, lease)) == 2
        die(database, lease)
        assert return_orphaned_urls(database.transaction) == 2
    lease = a_slice(database)
    claims = [[(path_of(url.url), url.lost, url.attempts) for url in desk.claim(10, lease)] for _ in range(3)]
    assert sorted(claims[:2]) == [[("/one", 2, 1)], [("/two", 2, 1)]]
    assert claims[2] == [("/fresh", 0, 1)]


def test_a_claim_that_is_smaller_than_the_frontier_takes_what_is_nearest(database: Database) -> None:
    desk = a_crawl(database)
    desk.offer("/far", depth=3)
    desk.offer("/near", depth=1)
    desk.offer("/nearer", depth=0)
    assert [path_of(url.url) for url in desk.claim(2)] == ["/nearer", "/near"]


def test_what_another_transaction_is_claiming_is_passed_over(database: Database) -> None:
    desk = a_crawl(database)
    desk.offer(*(f"/{number}" for number in range(6)))
    with database.transaction() as first:
        taken = first.frontier.claim(desk.crawl_id, "shop.example:443", desk.lease, limit=4)
        with database.transaction() as second:
            others = second.frontier.claim(desk.crawl_id, "shop.example:443", a_lease(), limit=4)
    assert [path_of(url.url) for url in taken] == ["/0", "/1", "/2", "/3"]
    assert [path_of(url.url) for url in others] == ["/4", "/5"]


def test_of_a_host_with_a_long_pause_no_more_is_claimed_than_is_sent(database: Database) -> None:
    desk = a_crawl(database, Order(delay=timedelta(seconds=15)))
    desk.keep(answered(desk.open(), *(f"/{number}" for number in range(9))))
    turns = [desk.turn(100) for _ in range(5) if _is_due(database)]
    assert [len(turn.urls) for turn in turns if turn] == [1]


def _is_due(database: Database) -> bool:
    with database.transaction() as uow:
        return bool(uow.crawls.due_hosts(limit=1))


def test_hosts_and_crawls_are_claimed_apart(database: Database) -> None:
    desk, other = a_crawl(database), a_crawl(database)
    desk.settle_links([offered("/here"), offered("https://other.example/there")])
    other.offer("/elsewhere")
    assert [path_of(url.url) for url in desk.claim(10)] == ["/here"]


def a_lease() -> SliceLease:
    return SliceLease(slice_id=uuid4(), attempt=1)


# --- several at once ----------------------------------------------------------------------------------------------


def test_four_slices_at_once_keep_the_limit_and_the_counts_exactly(database: Database) -> None:
    desk = a_crawl(database, Order(limit=60, depth=5))
    desk.keep(answered(desk.open(), *(f"/{number}" for number in range(40))))
    give_up_at = monotonic() + 60
    fetched: list[str] = []

    def work(number: int) -> None:
        own = CrawlDesk(database, desk.crawl_id, a_slice(database, number))
        while own.crawl.state == "open":
            assert monotonic() < give_up_at, own.crawl
            turn = own.turn(7)
            if turn is None:
                sleep(0.01)
                continue
            links = [[f"{path_of(url.url)}/{child}" for child in range(3)] for url in turn.urls]
            fetched.extend(url.url for url in turn.urls)
            own.keep(*(answered(url, *found) for url, found in zip(turn.urls, links, strict=True)))

    with ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(work, number) for number in range(1, 5)]
        looks = 0
        while not all(worker.done() for worker in workers):
            _is_exact(desk, limit=60)
            looks += 1
            sleep(0.02)
        for worker in workers:
            worker.result()
    assert looks > 3
    assert max(Counter(fetched).values()) == 1
    assert (desk.crawl.counts.done, len(fetched)) == (60, 59)
    assert desk.task.state == "completed"


def test_slices_that_store_pages_of_one_crawl_at_once_do_not_wait_for_each_other(database: Database) -> None:
    desk = a_crawl(database)
    desk.keep(answered(desk.open(), *(f"/{number}" for number in range(80))))
    leases = [desk.lease, a_slice(database, 2)]
    claims = [desk.claim(40, lease) for lease in leases]

    def store(lease: SliceLease, urls: list[LeasedUrl]) -> None:
        for first in range(0, len(urls), 4):
            desk.keep(*map(answered, urls[first : first + 4]), lease=lease)

    with ThreadPoolExecutor(2) as pool:
        for stored in [pool.submit(store, *one) for one in zip(leases, claims, strict=True)]:
            stored.result()  # no deadlock, which Postgres would end by an error
    assert desk.crawl.counts.done == 81


def _is_exact(desk: CrawlDesk, *, limit: int) -> None:
    """In one transaction that holds the row of the crawl: nobody claims or settles meanwhile."""
    with desk.database.transaction() as uow:
        crawl = uow.crawls.lock(desk.crawl_id)
        rows = uow.frontier.count_states(desk.crawl_id)
    assert crawl is not None
    counts = crawl.counts
    assert counts.leased + counts.done <= limit
    assert counts.discovered == sum(rows.values())
    assert (counts.done, counts.leased) == (rows.get("done", 0), rows.get("leased", 0))
    if crawl.state == "open":
        assert (counts.queued, counts.skipped) == (rows.get("queued", 0), rows.get("skipped", 0))
    else:  # what is still queued counts as skipped now
        assert counts.skipped == rows.get("skipped", 0) + rows.get("queued", 0)


# --- plans --------------------------------------------------------------------------------------------------------

MANY = text("""
    INSERT INTO frontier (crawl_id, url_hash, url, host, depth, state, not_before)
    SELECT :crawl_id, CAST(md5(:state || n) AS uuid), 'https://shop.example/' || :state || n,
           CASE WHEN mod(n, 10) = 0 THEN 'other.example:443' ELSE 'shop.example:443' END, mod(n, 4), :state,
           CASE WHEN :state = 'queued' AND mod(n, 2) = 0 THEN now() - n * interval '1 ms' END
    FROM generate_series(1, CAST(:number AS integer)) AS n
""")


def _fill(database: Database) -> CrawlDesk:
    """100,000 URLs: most are done, as in a crawl that goes on for long; of those that wait half were tried before."""
    desk = a_crawl(database)
    with database.transaction() as uow:
        for state, number in (("done", 60_000), ("queued", 30_000), ("failed", 10_000)):
            values = {"crawl_id": desk.crawl_id, "state": state, "number": number}
            uow.connection.execute(MANY, values)
    return desk


def _plan(desk: CrawlDesk, statement: str) -> str:
    values = {
        "crawl_id": desk.crawl_id,
        "host": "shop.example:443",
        "limit": 100,
        "slice_id": desk.lease.slice_id,
        "attempt": desk.lease.attempt,
    }
    with desk.database.transaction() as uow:
        rows = uow.connection.execute(text(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, BUFFERS) {statement}"), values)
        return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("analysed", [False, True])
def test_a_claim_reads_the_front_of_an_index_and_never_the_frontier(analysed: bool, database: Database) -> None:
    desk = _fill(database)
    if analysed:
        desk.run("ANALYZE frontier")
    for statement, index in ((CLAIM_FRESH, "frontier_fresh"), (CLAIM_RETRIES, "frontier_retries")):
        plan = _plan(desk, statement.text)
        assert f"Index Scan using {index}" in plan
        _is_no_scan(plan)


@pytest.mark.parametrize("analysed", [False, True])
def test_links_that_are_known_are_found_by_their_keys_and_never_by_a_scan(analysed: bool, database: Database) -> None:
    desk = _fill(database)
    if analysed:
        desk.run("ANALYZE frontier")
    hashes = [str(UUID(bytes=hashlib.md5(f"done{number}".encode()).digest())) for number in range(1, 101)]
    links = [{"url_hash": one, "depth": 0, "state": "queued", "reason": None} for one in hashes]
    values = {"crawl_id": desk.crawl_id, "links": json.dumps(links), "hashes": hashes}
    with database.transaction() as uow:
        rows = uow.connection.execute(text(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, BUFFERS) {LOWER.text}"), values)
        plan = "\n".join(row[0] for row in rows)
    assert "Seq Scan" not in plan, plan
    (first,) = re.findall(r"Buffers: shared hit=(\d+)(?: read=(\d+))?", plan)[:1]
    assert int(first[0]) + int(first[1] or 0) < 5_000, plan


@pytest.mark.parametrize("analysed", [False, True])
def test_urls_in_hand_are_settled_by_their_keys_and_never_by_a_scan(analysed: bool, database: Database) -> None:
    desk = _fill(database)
    if analysed:
        desk.run("ANALYZE frontier")
    with database.transaction() as uow:
        claimed = uow.frontier.claim(desk.crawl_id, "shop.example:443", desk.lease, limit=100)
    ends = [{"url_hash": str(url.url_hash), "state": "done", "uncounted": False} for url in claimed]
    values = {
        "crawl_id": desk.crawl_id,
        "ends": json.dumps(ends),
        "slice_id": desk.lease.slice_id,
        "attempt": desk.lease.attempt,
    }
    with database.transaction() as uow:
        rows = uow.connection.execute(text(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, BUFFERS) {SETTLE.text}"), values)
        plan = "\n".join(row[0] for row in rows)
    assert "Seq Scan" not in plan, plan
    (first,) = re.findall(r"Buffers: shared hit=(\d+)(?: read=(\d+))?", plan)[:1]
    assert int(first[0]) + int(first[1] or 0) < 5_000, plan


def _is_no_scan(plan: str) -> None:
    """100 rows from the front of the index, each found again by its key: some hundred pages, whatever the frontier."""
    assert "Seq Scan" not in plan, plan
    assert "Bitmap" not in plan, plan
    assert "Sort" not in plan, plan
    (first,) = re.findall(r"Buffers: shared hit=(\d+)(?: read=(\d+))?", plan)[:1]
    assert int(first[0]) + int(first[1] or 0) < 3_000, plan
