"""Postgres goes away while an attempt ends, even in the moment of a commit: every line is written, and once."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from uuid import UUID

import pytest
from sqlalchemy import text

from crawl_worker.engine.attempt import Fault
from crawl_worker.engine.store import Store
from crawl_worker.tasks.rank_check import RankCheckJob
from nightjar.adapters.redis.task_queue import RedisTaskQueue
from nightjar.application.janitor import JanitorRules, run_round
from nightjar.application.rank_checking import CheckRules
from nightjar.application.rank_run import announce_batch
from nightjar.database.engine import Database, DatabaseUnavailable
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.batch import Batch
from nightjar.domain.rank import Reading
from nightjar.domain.task import Claim
from nightjar.domain.tracking import RankType
from nightjar.errors import ErrorCode, GiveUp, LeaseLost
from nightjar.observability import configure_logging
from tests.factories import a_night, a_tracking


class LosesAnswers(Database):
    """Postgres, which is away in transaction number `losing`: before it begins, or when it has just been committed."""

    losing = 0
    is_done = True
    begun = 0

    @contextmanager
    def transaction(self) -> Iterator[UnitOfWork]:
        self.begun += 1
        loses = self.begun == self.losing
        if loses and not self.is_done:
            raise DatabaseUnavailable("nobody answers")
        with super().transaction() as uow:
            yield uow
        if loses:
            raise DatabaseUnavailable("the connection broke before the answer came")


@pytest.fixture
def forgetful(database_url: str) -> Iterator[LosesAnswers]:
    database = LosesAnswers(database_url, name="forgetful")
    yield database
    database.close()


@pytest.fixture
def log() -> StringIO:
    stream = StringIO()
    configure_logging("worker", stream=stream)
    return stream


def lines(log: StringIO, message: str) -> list[dict[str, object]]:
    return [line for line in map(json.loads, log.getvalue().splitlines()) if line["message"] == message]


def a_claimed_check(database: Database) -> Claim:
    """The only check of a night, of two trackings."""
    a_tracking(database, owner="mine")
    a_tracking(database, owner="yours")
    a_night(database)
    with database.transaction() as uow:
        task_id: UUID = uow.connection.execute(text("SELECT id FROM tasks")).scalar_one()
        claim = uow.tasks.claim(task_id, lease=timedelta(seconds=60))
    assert claim is not None
    return claim


def settle(database: Database, claim: Claim, outcome: Reading | Fault) -> None:
    """What a worker does at the end of an attempt."""
    store = Store(database, name="store")
    rules = CheckRules(retry_delay=timedelta(0), cooldown=timedelta(0))
    job = RankCheckJob(store, lambda _urgent: {}, depths=dict.fromkeys(RankType, 100), rules=rules)
    asyncio.run(job.settle(claim, outcome))


def janitor_rounds(database: Database, redis_url: str) -> list[int]:
    """The batches that the janitor announces."""
    said: list[Batch] = []
    queue = RedisTaskQueue(redis_url)
    rules = JanitorRules(window=10, announce_grace=timedelta(0))
    for _ in range(2):
        run_round(database.transaction, queue, rules=rules, announce=said.append)
    queue.close()
    return [batch.id for batch in said]


OUTCOMES: list[tuple[Reading | Fault, str]] = [
    (Reading(rows=("a", "b")), "not_exposed"),
    (GiveUp(ErrorCode.UPSTREAM_ERROR, "this will never work"), "unknown"),
]


@pytest.mark.parametrize("is_done", [True, False])
@pytest.mark.parametrize("number", [0, 1, 2, 3, 4])
@pytest.mark.parametrize(("outcome", "stored"), OUTCOMES, ids=["reading", "fault"])
def test_whenever_postgres_is_away_each_line_is_written_once(
    database: Database, forgetful: LosesAnswers, redis_url: str, log: StringIO,
    number: int, is_done: bool, outcome: Reading | Fault, stored: str,
) -> None:  # fmt: skip
    claim = a_claimed_check(database)
    forgetful.losing, forgetful.is_done = number, is_done
    settle(forgetful, claim, outcome)
    assert forgetful.begun >= 4
    assert [line["outcome"] for line in lines(log, "crawl_result")] == [stored] * 2
    assert len(lines(log, "crawl_failed")) == (1 if stored == "unknown" else 0)
    written = [line["batch_id"] for line in lines(log, "batch_completed")]
    assert written + janitor_rounds(database, redis_url) == [claim.batch_id]


@pytest.mark.parametrize(("outcome", "_stored"), OUTCOMES, ids=["reading", "fault"])
def test_an_attempt_that_somebody_else_ended_writes_nothing(
    database: Database, log: StringIO, outcome: Reading | Fault, _stored: str
) -> None:
    claim = a_claimed_check(database)
    with database.transaction() as uow:
        uow.connection.execute(text("UPDATE tasks SET lease_until = '-infinity'"))
        uow.tasks.return_expired(limit=1)
    with pytest.raises(LeaseLost):
        settle(database, claim, outcome)
    with database.transaction() as uow:
        uow.connection.execute(text("UPDATE tasks SET state = 'pending'"))
        other = uow.tasks.claim(claim.task_id, lease=timedelta(seconds=60))
        assert other is not None
        uow.tasks.complete(other, {})
    with pytest.raises(LeaseLost):
        settle(database, claim, outcome)
    assert log.getvalue() == ""


def test_a_line_is_confirmed_as_soon_as_postgres_is_back(database: Database, forgetful: LosesAnswers) -> None:
    a_night(database)
    said: list[Batch] = []
    with database.transaction() as uow:
        (batch_id,) = uow.batches.open_ids()
        batch = uow.batches.close(batch_id)
    assert batch is not None
    forgetful.losing, forgetful.is_done = 1, False
    announce_batch(forgetful.transaction, batch, said.append)
    with database.transaction() as uow:
        assert uow.batches.unannounced(grace=timedelta(0)) == []
    assert said == [batch]
