import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from uuid import UUID

import pytest
import redis
from sqlalchemy import text

from functions.janitor.handling import Handler, StepsFailed
from functions.janitor.loop import work_once
from nightjar.adapters.redis.task_queue import RedisTaskQueue
from nightjar.application.janitor import JanitorRules, Round, run_round
from nightjar.application.publishing import publish_batch, publish_task
from nightjar.application.rank_run import publish_opened
from nightjar.database.engine import Database
from nightjar.database.rank_checks import SettledCheck
from nightjar.database.tasks import NewTask
from nightjar.domain.batch import Batch
from nightjar.domain.rank import Outcome
from nightjar.observability import configure_logging, log_round, logger
from nightjar.tasks import Queue, TaskKind
from tests.factories import NIGHT, a_night, a_search, a_task, a_tracking, exposed

LEASE = timedelta(seconds=60)


@pytest.fixture
def queue(redis_url: str) -> Iterator[RedisTaskQueue]:
    queue = RedisTaskQueue(redis_url)
    yield queue
    queue.close()


@pytest.fixture
def broker(redis_url: str) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(redis_url) as client:
        yield client


def janitor_round(
    database: Database, queue: RedisTaskQueue, *, window: int = 20_000, said: list[Batch] | None = None
) -> Round:
    lines = said if said is not None else []
    rules = JanitorRules(window=window, announce_grace=timedelta(0))
    return run_round(database.transaction, queue, rules=rules, announce=lines.append)


def many_checks(database: Database, count: int) -> int:
    """A night of `count` checks, made by one statement; its batch id."""
    with database.transaction() as uow:
        values = {"count": count}
        uow.connection.execute(
            text("INSERT INTO searches (rank_type, keyword, device) "
                 "SELECT 'blog', 'kw ' || n, 'pc' FROM generate_series(1, :count) AS n"), values)  # fmt: skip
        uow.connection.execute(
            text("INSERT INTO trackings (owner, search_id, target_key, target_url) "
                 "SELECT 'shop', id, 'blog:nj/' || id, 'https://blog.naver.com/nj/' || id FROM searches"))  # fmt: skip
    return a_night(database).batch_id


def test_what_could_not_be_published_is_published_by_the_janitor(database: Database, queue: RedisTaskQueue) -> None:
    task_id = a_task(database)
    janitor_round(database, queue)
    assert queue.waiting_ids(Queue.INTERACTIVE) == {task_id}


def test_a_published_task_is_not_published_again(database: Database, queue: RedisTaskQueue) -> None:
    publish_task(database.transaction, queue, a_task(database))
    for _ in range(5):
        janitor_round(database, queue)
    assert queue.depth(Queue.INTERACTIVE) == 1


def test_behind_a_slow_worker_the_janitor_adds_no_message_twice_in_an_hour_of_its_rounds(
    database: Database, queue: RedisTaskQueue, broker: "redis.Redis"
) -> None:
    batch_id = many_checks(database, 100_000)
    publish_opened(database.transaction, queue, batch_id, window=20_000)
    claimed: set[UUID] = set()
    for _minute in range(60):
        move_time(database, timedelta(minutes=1))
        janitor_round(database, queue)
        claimed |= work_slowly(database, broker, checks=30)
    assert len(claimed) == 60 * 30
    messages = broker.lrange(str(Queue.NIGHTLY), 0, -1)
    waiting = queue.waiting_ids(Queue.NIGHTLY)
    assert len(messages) == len(waiting) == 20_000 - 30  # the window, less what was worked since the last round
    assert not waiting & claimed


def move_time(database: Database, by: timedelta) -> None:
    """Everything that happened happened that much longer ago; running checks keep their leases by heartbeats."""
    with database.transaction() as uow:
        uow.connection.execute(
            text("UPDATE batches SET started_at = started_at - CAST(:by AS interval), "
                 "published_at = published_at - CAST(:by AS interval)"), {"by": by})  # fmt: skip
        uow.connection.execute(
            text("UPDATE tasks SET published_at = published_at - CAST(:by AS interval) WHERE published_at IS NOT NULL"),
            {"by": by},
        )


def work_slowly(database: Database, broker: "redis.Redis", *, checks: int) -> set[UUID]:
    """Consume and finish a few checks, as a slow worker does."""
    from nightjar.adapters.redis.envelope import task_id_of

    done = set()
    for _ in range(checks):
        raw = broker.rpop(str(Queue.NIGHTLY))
        assert isinstance(raw, bytes)
        task_id = task_id_of(raw)
        with database.transaction() as uow:
            claim = uow.tasks.claim(task_id, lease=LEASE)
            assert claim is not None
            uow.tasks.complete(claim, {})
        done.add(task_id)
    return done


def test_after_a_flush_every_waiting_check_has_exactly_one_message_again(
    database: Database, queue: RedisTaskQueue, broker: "redis.Redis"
) -> None:
    batch_id = many_checks(database, 300)
    publish_batch(database.transaction, queue, batch_id, room=200)
    janitor_round(database, queue, window=200)
    broker.flushall()
    janitor_round(database, queue)
    assert broker.llen(str(Queue.NIGHTLY)) == len(queue.waiting_ids(Queue.NIGHTLY)) == 300


def test_a_part_of_the_messages_that_vanished_is_found_and_only_that_part(
    database: Database, queue: RedisTaskQueue, broker: "redis.Redis"
) -> None:
    publish_batch(database.transaction, queue, many_checks(database, 100), room=100)
    janitor_round(database, queue)
    broker.rpop(str(Queue.NIGHTLY), 7)
    found = janitor_round(database, queue)
    assert sum(figures.lost for figures in found.queues) == 7
    assert broker.llen(str(Queue.NIGHTLY)) == len(queue.waiting_ids(Queue.NIGHTLY)) == 100


def test_no_more_than_the_window_is_out_and_the_rest_follows_as_it_drains(
    database: Database, queue: RedisTaskQueue, broker: "redis.Redis"
) -> None:
    many_checks(database, 50)
    janitor_round(database, queue, window=20)
    assert queue.depth(Queue.NIGHTLY) == 20
    work_slowly(database, broker, checks=15)
    janitor_round(database, queue, window=20)
    assert queue.depth(Queue.NIGHTLY) == 20


def test_a_dead_worker_costs_an_attempt_and_its_check_is_published_again(
    database: Database, queue: RedisTaskQueue, broker: "redis.Redis"
) -> None:
    task_id = a_task(database)
    publish_task(database.transaction, queue, task_id)
    broker.delete(str(Queue.INTERACTIVE))
    with database.transaction() as uow:
        uow.tasks.claim(task_id, lease=timedelta(seconds=-1))
    assert janitor_round(database, queue).returned == 1
    assert queue.waiting_ids(Queue.INTERACTIVE) == {task_id}


def test_a_check_that_lost_its_workers_leaves_unknown_for_each_of_its_trackings(
    database: Database, queue: RedisTaskQueue
) -> None:
    trackings = [a_tracking(database), a_tracking(database, owner="other")]
    night = a_night(database)
    said: list[Batch] = []
    for _ in range(3):
        kill_a_worker(database)
        janitor_round(database, queue, said=said)
    with database.transaction() as uow:
        rows = [uow.rank_history.page(tracking_id, before=None, limit=9)[0] for tracking_id in trackings]
    assert [row.outcome for row in rows] == [Outcome.UNKNOWN] * 2
    assert all("worker_lost" in (row.reason or "") for row in rows)
    assert [(batch.id, batch.success, batch.failed) for batch in said] == [(night.batch_id, 0, 2)]


def kill_a_worker(database: Database) -> None:
    """Some worker claimed all that was waiting and died."""
    with database.transaction() as uow:
        waiting = uow.connection.execute(text("SELECT id FROM tasks WHERE state = 'pending'")).scalars().all()
        assert waiting
        for task_id in waiting:
            assert uow.tasks.claim(task_id, lease=timedelta(seconds=-1)) is not None


def a_check_by_hand(database: Database, tracking_id: int, *, correlation_id: str = "c-1") -> UUID:
    """The task of a check that somebody asked for."""
    with database.transaction() as uow:
        task = NewTask(kind=TaskKind.RANK_CHECK, queue=Queue.INTERACTIVE, owner="shop", correlation_id=correlation_id)
        task_id = uow.tasks.add(task)
        uow.rank_checks.add(task_id, tracking_id=tracking_id, checked_on=NIGHT)
    return task_id


def test_two_checks_of_one_tracking_that_lost_their_workers_leave_one_row(
    database: Database, queue: RedisTaskQueue
) -> None:
    tracking_id = a_tracking(database)
    by_hand = {a_check_by_hand(database, tracking_id) for _ in range(2)}
    night = a_night(database)
    found: list[SettledCheck] = []
    for _ in range(3):
        kill_a_worker(database)
        found += janitor_round(database, queue).given_up
    assert by_hand < {check.task_id for check in found}
    with database.transaction() as uow:
        (row,) = uow.rank_history.page(tracking_id, before=None, limit=9)
        batch_id = uow.connection.execute(text("SELECT batch_id FROM rank_history")).scalar_one()
    assert row.outcome is Outcome.UNKNOWN
    assert batch_id == night.batch_id


def test_a_step_that_fails_does_not_keep_the_others_from_their_work(database: Database, queue: RedisTaskQueue) -> None:
    a_check_by_hand(database, a_tracking(database))
    for _ in range(2):
        kill_a_worker(database)
        janitor_round(database, queue)
    kill_a_worker(database)
    with database.transaction() as uow:
        uow.connection.execute(text("ALTER TABLE rank_history ADD CHECK (outcome <> 'unknown')"))
    ended = a_night(database)
    waiting = a_task(database)
    with database.transaction() as uow:
        uow.connection.execute(text("UPDATE tasks SET state = 'completed' WHERE batch_id IS NOT NULL"))
    found = janitor_round(database, queue)
    assert [failure.step for failure in found.failures] == ["return_expired_leases"]
    assert found.closed == (ended.batch_id,)
    assert waiting in queue.waiting_ids(Queue.INTERACTIVE)


def test_a_round_that_was_not_whole_fails_in_lambda_and_is_told_by_the_loop(
    database_url: str, database: Database, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.transaction() as uow:
        uow.connection.execute(text("ALTER TABLE batches RENAME COLUMN announced_at TO lost"))
    handler = Handler({"DATABASE_URL": database_url, "REDIS_URL": redis_url})
    with pytest.raises(StepsFailed, match="close_ended_batches"):
        handler.handle({}, None)
    work_once(handler)
    handler.parts.database.close()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message"] for line in lines] == ["janitor_step_failed", "janitor_step_failed", "round_incomplete"]
    assert lines[0]["step"] == "close_ended_batches"
    assert "announced_at" in lines[0]["exception"]


def test_a_check_that_no_worker_ended_leaves_the_lines_that_a_worker_writes(
    database: Database, queue: RedisTaskQueue
) -> None:
    known, unknown = a_tracking(database), a_tracking(database)
    with database.transaction() as uow:
        uow.rank_history.save([exposed(known, rank=4)], checked_on=NIGHT, source="page", batch_id=None)
    night = a_night(database)
    with database.transaction() as uow:
        uow.connection.execute(text("UPDATE batches SET deadline_at = clock_timestamp() - interval '1 s'"))
    written = StringIO()
    configure_logging("janitor", stream=written)
    log_round(logger("test"), janitor_round(database, queue))
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    results = {line["tracking_id"]: line for line in lines if line["message"] == "crawl_result"}
    (failed,) = (line for line in lines if line["message"] == "crawl_failed")
    assert {number: (line["outcome"], line["rank"]) for number, line in results.items()} == {
        known: ("exposed", 4),
        unknown: ("unknown", None),
    }
    assert results[unknown]["reason"].startswith("batch_timeout: ")
    assert (failed["code"], failed["tracking_ids"]) == ("batch_timeout", [known, unknown])
    assert not failed["cause"].startswith("batch_timeout")
    for line in (*results.values(), failed):
        assert line["correlation_id"] == night.correlation_id
        assert (line["batch_id"], line["checked_on"]) == (night.batch_id, NIGHT.isoformat())
        assert (line["rank_type"], line["keyword"]) == ("blog", "모형동 맛집")
        assert UUID(line["task_id"])


def test_at_its_deadline_a_batch_is_closed_and_what_was_open_is_unknown(
    database: Database, queue: RedisTaskQueue
) -> None:
    tracking_id = a_tracking(database)
    night = a_night(database)
    with database.transaction() as uow:
        uow.connection.execute(text("UPDATE batches SET deadline_at = clock_timestamp() - interval '1 s'"))
    said: list[Batch] = []
    found = janitor_round(database, queue, said=said)
    with database.transaction() as uow:
        row = uow.rank_history.page(tracking_id, before=None, limit=1)[0]
    assert (row.outcome, (row.reason or "").partition(":")[0]) == (Outcome.UNKNOWN, "batch_timeout")
    assert [(batch.id, batch.failed, batch.failed_items[0].tracking_id) for batch in said] == [
        (night.batch_id, 1, tracking_id)
    ]
    assert [check.tracking_ids for check in found.given_up] == [(tracking_id,)]


def test_a_late_check_changes_no_closed_batch(database: Database, queue: RedisTaskQueue) -> None:
    from nightjar.errors import LeaseLost

    tracking_id = a_tracking(database)
    night = a_night(database)
    with database.transaction() as uow:
        task_id = uow.connection.execute(text("SELECT id FROM tasks")).scalar_one()
        late = uow.tasks.claim(task_id, lease=LEASE)
        uow.connection.execute(text("UPDATE batches SET deadline_at = clock_timestamp() - interval '1 s'"))
    janitor_round(database, queue)
    assert late is not None
    with pytest.raises(LeaseLost), database.transaction() as uow:
        uow.tasks.complete(late, {})
        uow.rank_history.save([exposed(tracking_id)], checked_on=night.run_key, source="page", batch_id=None)
    with database.transaction() as uow:
        assert uow.rank_history.page(tracking_id, before=None, limit=1)[0].outcome is Outcome.UNKNOWN


def test_the_line_of_a_closed_batch_that_was_never_confirmed_is_repeated_once(
    database: Database, queue: RedisTaskQueue
) -> None:
    a_tracking(database, a_search())
    night = a_night(database)
    with database.transaction() as uow:
        uow.connection.execute(text("UPDATE tasks SET state = 'completed'"))
        assert uow.batches.close(night.batch_id) is not None  # and here the worker died, before its line
    said: list[Batch] = []
    for _ in range(3):
        janitor_round(database, queue, said=said)
    assert [batch.id for batch in said] == [night.batch_id]


def test_a_round_without_a_broker_still_closes_batches_and_says_what_is_missing(database: Database) -> None:
    a_tracking(database)
    a_night(database)
    with database.transaction() as uow:
        uow.connection.execute(text("UPDATE tasks SET state = 'completed'"))
    nowhere = RedisTaskQueue("redis://127.0.0.1:1/0")
    found = janitor_round(database, nowhere)
    assert len(found.closed) == 1
    assert "Redis" in (found.broker_error or "")
