"""Whoever writes results locks rows in one order: two that want the same rows wait for each other, never in a ring."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from time import monotonic, sleep
from uuid import UUID

import pytest
from sqlalchemy import text

from nightjar.application import rank_checking
from nightjar.application.janitor import return_expired_leases
from nightjar.application.rank_checking import CheckRules
from nightjar.database.engine import Database
from nightjar.database.tasks import NewTask
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.rank import Reading
from nightjar.domain.task import Claim
from nightjar.domain.tracking import RankType
from nightjar.errors import Blocked
from nightjar.tasks import Queue, TaskKind
from tests.factories import NIGHT, a_search, a_tracking

RULES = CheckRules(retry_delay=timedelta(0), cooldown=timedelta(0))
WAITING = text("""
    SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
""")


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=4) as pool:
        yield pool


def a_claimed_check(database: Database, tracking_id: int, *, lease: timedelta = timedelta(seconds=60)) -> Claim:
    with database.transaction() as uow:
        task_id = uow.tasks.add(
            NewTask(kind=TaskKind.RANK_CHECK, queue=Queue.INTERACTIVE, owner="shop", correlation_id="c-1")
        )
        uow.rank_checks.add(task_id, tracking_id=tracking_id, checked_on=NIGHT)
        claim = uow.tasks.claim(task_id, lease=lease)
    assert claim is not None
    return claim


def a_check_given_up(database: Database, tracking_id: int) -> UUID:
    """A check whose third worker was just lost."""
    claim = a_claimed_check(database, tracking_id, lease=timedelta(seconds=-1))
    with database.transaction() as uow:
        uow.connection.execute(text("UPDATE tasks SET attempt = 3 WHERE id = :id"), {"id": claim.task_id})
    return claim.task_id


def store(database: Database, claim: Claim, reading: Reading) -> None:
    """What a worker does with a reading."""
    with database.transaction() as uow:
        wanted = rank_checking.begin(uow, claim)
        rank_checking.store_reading(uow, claim, wanted, reading, depth=100, source="page")


def block(database: Database, claim: Claim) -> None:
    """What a worker does with a block."""
    with database.transaction() as uow:
        wanted = rank_checking.begin(uow, claim)
        rank_checking.store_fault(uow, claim, wanted, Blocked("refused"), rules=RULES, source="page", jitter=0)


@contextmanager
def holding(database: Database, statement: str, **values: object) -> Iterator[UnitOfWork]:
    """Hold what the statement locks, so that others queue up for it in a known order; then give it back."""
    with database.transaction() as uow:
        uow.connection.execute(text(statement), values)
        yield uow
        uow.connection.rollback()


def until_waiting(database: Database, count: int, *, seconds: float = 5) -> None:
    """Wait until so many transactions wait for locks, or until it is plain that they do not."""
    give_up_at = monotonic() + seconds
    while monotonic() < give_up_at:
        with database.transaction() as uow:
            if uow.connection.execute(WAITING).scalar_one() >= count:
                return
        sleep(0.02)


def queue_up(database: Database, pool: ThreadPoolExecutor, *works: Callable[[], object]) -> list[Future[object]]:
    """Start each when those before it wait."""
    started = []
    for number, work in enumerate(works, start=1):
        started.append(pool.submit(work))
        until_waiting(database, number, seconds=1)
    return started


def test_a_block_and_the_janitor_do_not_wait_for_each_other(database: Database, pool: ThreadPoolExecutor) -> None:
    claim = a_claimed_check(database, a_tracking(database), lease=timedelta(seconds=-1))
    with database.transaction() as uow:
        uow.connection.execute(text("UPDATE tasks SET attempt = 3 WHERE id = :id"), {"id": claim.task_id})
    claim = replace(claim, attempt=3)
    row = "SELECT FROM rank_checks WHERE task_id = :id FOR UPDATE"
    with holding(database, row, id=claim.task_id):
        ends = queue_up(
            database,
            pool,
            lambda: block(database, claim),
            lambda: return_expired_leases(database.transaction),
        )
    for end in ends:
        end.result(timeout=20)


def test_a_check_given_up_and_a_result_of_the_same_tracking_do_not_wait_for_each_other(
    database: Database, pool: ThreadPoolExecutor
) -> None:
    tracking_id = a_tracking(database)
    claim = a_claimed_check(database, tracking_id)
    a_check_given_up(database, tracking_id)
    row = (
        "INSERT INTO rank_history (tracking_id, checked_on, checked_at, outcome, session_number, source, reason) "
        "VALUES (:id, :day, clock_timestamp(), 'unknown', 1, 'none', 'held')"
    )
    with holding(database, row, id=tracking_id, day=NIGHT):
        ends = queue_up(
            database,
            pool,
            lambda: store(database, claim, Reading(rows=())),
            lambda: return_expired_leases(database.transaction),
        )
    for end in ends:
        end.result(timeout=20)


def test_two_readings_that_learn_the_same_cafe_do_not_wait_for_each_other(
    database: Database, pool: ThreadPoolExecutor
) -> None:
    claims = [
        a_claimed_check(
            database, a_tracking(database, a_search(RankType.CAFE, f"낱말 {number}"), key=f"club:10008888/{number}")
        )
        for number in range(2)
    ]
    learnt = Reading(rows=(), same_cafe={"njringcafe": "10008888"})
    row = "INSERT INTO cafes (slug, club_id) VALUES ('njringcafe', '1')"
    with holding(database, row):
        ends = queue_up(database, pool, *(lambda claim=claim: store(database, claim, learnt) for claim in claims))
    for end in ends:
        end.result(timeout=20)
    with database.transaction() as uow:
        keys = uow.connection.execute(text("SELECT target_key FROM trackings ORDER BY id")).scalars().all()
    assert keys == ["cafe:njringcafe/0", "cafe:njringcafe/1"]
