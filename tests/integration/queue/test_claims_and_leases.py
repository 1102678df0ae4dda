import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from nightjar.database.engine import Database
from nightjar.database.tasks import Tasks
from nightjar.domain.task import Claim, TaskState
from nightjar.errors import ErrorCode, LeaseLost, TaskCancelled
from tests.factories import a_task

LEASE = timedelta(seconds=60)


def claim(database: Database, task_id: UUID, lease: timedelta = LEASE) -> Claim | None:
    with database.transaction() as uow:
        return uow.tasks.claim(task_id, lease=lease)


def claimed(database: Database, task_id: UUID, lease: timedelta = LEASE) -> Claim:
    result = claim(database, task_id, lease)
    assert result is not None
    return result


def state(database: Database, task_id: UUID) -> TaskState:
    with database.transaction() as uow:
        task = uow.tasks.get(task_id, owner=None)
    assert task is not None
    return task.state


def expire(database: Database, limit: int = 3) -> list[TaskState]:
    with database.transaction() as uow:
        uow.connection.execute(text("UPDATE tasks SET lease_until = clock_timestamp() - interval '1 s' "
                                    "WHERE state = 'in_progress'"))  # fmt: skip
        return [task.state for task in uow.tasks.return_expired(limit=limit)]


def test_of_many_who_claim_a_task_at_once_one_gets_it(database: Database) -> None:
    task_id = a_task(database)
    start = threading.Barrier(6)
    results: list[Claim | None] = []

    def try_to_claim() -> None:
        start.wait()
        results.append(claim(database, task_id))

    threads = [threading.Thread(target=try_to_claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(result is not None for result in results) == 1


def test_a_duplicate_message_finds_nothing_to_claim(database: Database) -> None:
    task_id = a_task(database)
    with database.transaction() as uow:
        uow.tasks.complete(claimed(database, task_id), {})
    assert claim(database, task_id) is None


def test_a_heartbeat_keeps_the_lease(database: Database) -> None:
    mine = claimed(database, a_task(database), lease=timedelta(seconds=-1))
    with database.transaction() as uow:
        uow.tasks.renew(mine, lease=LEASE)
        assert uow.tasks.return_expired(limit=3) == []


def test_whoever_lost_the_lease_can_write_nothing(database: Database) -> None:
    task_id = a_task(database)
    stale = claimed(database, task_id)
    assert expire(database) == [TaskState.PENDING]
    fresh = claimed(database, task_id)
    writes: list[Callable[[Tasks], object]] = [
        lambda tasks: tasks.complete(stale, {}),
        lambda tasks: tasks.fail(stale, ErrorCode.TIMEOUT, "late", retryable=True),
        lambda tasks: tasks.release(stale, counted=True),
        lambda tasks: tasks.renew(stale, lease=LEASE),
    ]
    for write in writes:
        with pytest.raises(LeaseLost), database.transaction() as uow:
            write(uow.tasks)
    with database.transaction() as uow:
        uow.tasks.complete(fresh, {})
    assert state(database, task_id) is TaskState.COMPLETED


def test_a_task_that_lost_three_workers_is_given_up_with_the_reason(database: Database) -> None:
    task_id = a_task(database)
    for expected in (TaskState.PENDING, TaskState.PENDING, TaskState.FAILED):
        claimed(database, task_id)
        assert expire(database) == [expected]
    with database.transaction() as uow:
        task = uow.tasks.get(task_id, owner=None)
    assert task is not None
    assert task.error_code == ErrorCode.WORKER_LOST
    assert "3 times" in (task.error_message or "")


def test_waiting_for_a_host_costs_no_attempt(database: Database) -> None:
    task_id = a_task(database)
    for _ in range(9):
        with database.transaction() as uow:
            uow.tasks.release(claimed(database, task_id), counted=False)
    assert claimed(database, task_id).tries == 1


def test_a_released_task_cannot_be_claimed_before_its_time(database: Database) -> None:
    task_id = a_task(database)
    with database.transaction() as uow:
        uow.tasks.release(claimed(database, task_id), counted=True, delay=timedelta(hours=1))
    assert claim(database, task_id) is None
    assert state(database, task_id) is TaskState.PENDING


def test_a_final_state_never_changes(database: Database) -> None:
    task_id = a_task(database)
    mine = claimed(database, task_id)
    with database.transaction() as uow:
        uow.tasks.fail(mine, ErrorCode.TIMEOUT, "slow", retryable=True)
    with pytest.raises(LeaseLost), database.transaction() as uow:
        uow.tasks.complete(mine, {})
    assert state(database, task_id) is TaskState.FAILED


def test_a_task_that_was_asked_to_stop_ends_in_no_other_way_than_cancelled(database: Database) -> None:
    task_id = a_task(database)
    mine = claimed(database, task_id)
    with database.transaction() as uow:
        assert uow.tasks.request_cancel(task_id)
    ends: list[Callable[[Tasks], object]] = [
        lambda tasks: tasks.complete(mine, {}),
        lambda tasks: tasks.fail(mine, ErrorCode.TIMEOUT, "slow", retryable=True),
    ]
    for end in ends:
        with pytest.raises(TaskCancelled), database.transaction() as uow:
            end(uow.tasks)
        assert state(database, task_id) is TaskState.IN_PROGRESS
    with database.transaction() as uow:
        uow.tasks.cancel(mine)
    assert state(database, task_id) is TaskState.CANCELLED
    for end in ends:
        with pytest.raises(LeaseLost), database.transaction() as uow:
            end(uow.tasks)


def test_whoever_lost_a_task_is_not_told_that_it_was_cancelled(database: Database) -> None:
    task_id = a_task(database)
    stale = claimed(database, task_id)
    assert expire(database) == [TaskState.PENDING]
    claimed(database, task_id)
    with database.transaction() as uow:
        assert uow.tasks.request_cancel(task_id)
    with pytest.raises(LeaseLost), database.transaction() as uow:
        uow.tasks.complete(stale, {})


def test_a_cancelled_task_that_is_given_back_does_not_wait_for_another_attempt(database: Database) -> None:
    task_id = a_task(database)
    mine = claimed(database, task_id)
    with database.transaction() as uow:
        assert uow.tasks.request_cancel(task_id)
        uow.tasks.release(mine, counted=False)
        task = uow.tasks.get(task_id, owner=None)
    assert task is not None
    assert (task.state, task.finished_at is not None) == (TaskState.CANCELLED, True)
    assert claim(database, task_id) is None
