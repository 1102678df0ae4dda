"""Tasks of every kind: added, claimed under a lease, renewed, released, ended exactly once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, text

from nightjar.domain.task import Claim, Task, TaskState
from nightjar.errors import Conflict, ErrorCode, LeaseLost, TaskCancelled
from nightjar.tasks import Queue, TaskKind

# Of several who add an open task under one exclusive key, the first to commit has it; the others wait for that.
INSERT = text("""
    INSERT INTO tasks (id, kind, queue, owner, payload, correlation_id, timeout_seconds, retry_of, exclusive_key)
    VALUES (:id, :kind, :queue, :owner, CAST(:payload AS jsonb), :correlation_id, :timeout_seconds, :retry_of,
            :exclusive_key)
    ON CONFLICT (exclusive_key) WHERE exclusive_key IS NOT NULL AND state IN ('pending', 'in_progress') DO NOTHING
    RETURNING id
""")

HOLDER = text("""
    SELECT id FROM tasks WHERE exclusive_key = :exclusive_key AND state IN ('pending', 'in_progress')
""")

# One UPDATE decides who works: a duplicate message, a cancelled or a finished task finds no row.
CLAIM = text("""
    UPDATE tasks
    SET state = 'in_progress', attempt = attempt + 1, seq = NULL, published_at = NULL,
        lease_until = clock_timestamp() + CAST(:lease AS interval),
        started_at = coalesce(started_at, clock_timestamp())
    WHERE id = :id AND state = 'pending' AND not_before <= clock_timestamp()
    RETURNING id, kind, queue, owner, attempt, attempt - uncounted AS tries, payload, correlation_id, timeout_seconds,
              batch_id
""")

RENEW = text("""
    UPDATE tasks
    SET lease_until = clock_timestamp() + CAST(:lease AS interval),
        step = coalesce(:step, step), progress = coalesce(:progress, progress), message = coalesce(:message, message)
    WHERE id = :id AND attempt = :attempt AND state = 'in_progress'
    RETURNING cancel_requested_at IS NOT NULL AS cancelled
""")

# Who was asked to stop did not finish: such a task ends in no other way than cancelled.
END = text("""
    UPDATE tasks
    SET state = :state, finished_at = clock_timestamp(), lease_until = NULL,
        progress = coalesce(:progress, progress), step = CASE WHEN :state = 'completed' THEN 'completed' ELSE step END,
        message = CASE WHEN :state = 'completed' THEN 'completed' ELSE message END,
        result = CAST(:result AS jsonb), error_code = :code, error_message = :error, error_retryable = :retryable
    WHERE id = :id AND attempt = :attempt AND state = 'in_progress'
      AND (cancel_requested_at IS NULL OR :state = 'cancelled')
    RETURNING id
""")

ASKED_TO_STOP = text("""
    SELECT id FROM tasks
    WHERE id = :id AND attempt = :attempt AND state = 'in_progress' AND cancel_requested_at IS NOT NULL
""")

# Back to waiting: without a message, so that it is published again when `not_before` has come. If its owner asked for
# the end, waiting for another attempt would only put that off.
RELEASE = text("""
    UPDATE tasks
    SET state = CASE WHEN cancel_requested_at IS NULL THEN 'pending' ELSE 'cancelled' END,
        finished_at = CASE WHEN cancel_requested_at IS NOT NULL THEN clock_timestamp() END,
        lease_until = NULL, published_at = NULL, seq = NULL,
        uncounted = uncounted + CASE WHEN :counted THEN 0 ELSE 1 END,
        not_before = coalesce(:not_before, clock_timestamp() + CAST(:delay AS interval))
    WHERE id = :id AND attempt = :attempt AND state = 'in_progress'
    RETURNING not_before
""")

# Leases that ran out: their workers died. Counted attempts are spent; after :limit of them the task is given up.
RETURN_EXPIRED = text("""
    WITH expired AS (
        SELECT id FROM tasks WHERE state = 'in_progress' AND lease_until < clock_timestamp()
        ORDER BY id LIMIT :page FOR UPDATE SKIP LOCKED
    )
    UPDATE tasks AS t
    SET state = CASE WHEN t.cancel_requested_at IS NOT NULL THEN 'cancelled'
                     WHEN t.attempt - t.uncounted >= :limit THEN 'failed' ELSE 'pending' END,
        finished_at = CASE WHEN t.cancel_requested_at IS NOT NULL OR t.attempt - t.uncounted >= :limit
                           THEN clock_timestamp() END,
        error_code = CASE WHEN t.cancel_requested_at IS NULL AND t.attempt - t.uncounted >= :limit THEN :code END,
        error_message = CASE WHEN t.cancel_requested_at IS NULL AND t.attempt - t.uncounted >= :limit THEN
            'its worker was lost ' || (t.attempt - t.uncounted) || ' times; see the worker log of these moments' END,
        error_retryable = CASE WHEN t.cancel_requested_at IS NULL AND t.attempt - t.uncounted >= :limit THEN true END,
        lease_until = NULL, published_at = NULL, seq = NULL, not_before = clock_timestamp()
    FROM expired WHERE t.id = expired.id
    RETURNING t.id, t.kind, t.state, t.correlation_id, t.batch_id
""")

COLUMNS = """
    id, kind, queue, owner, state, step, progress, total, message, attempt - uncounted AS attempt,
    created_at, started_at, finished_at, result, error_code, error_message, error_retryable, retry_of,
    batch_id
"""

GET = text(f"SELECT {COLUMNS} FROM tasks WHERE id = :id AND (CAST(:owner AS text) IS NULL OR owner = :owner)")  # noqa: S608  # a constant

PAYLOAD = text("SELECT payload FROM tasks WHERE id = :id")

PAGE = text(f"""
    SELECT {COLUMNS} FROM tasks
    WHERE (CAST(:owner AS text) IS NULL OR owner = :owner)
      AND kind IS DISTINCT FROM CASE WHEN CAST(:kind AS text) IS NULL THEN 'crawl_slice' END
      AND (CAST(:kind AS text) IS NULL OR kind = :kind)
      AND (CAST(:states AS text[]) IS NULL OR state = ANY(CAST(:states AS text[])))
      AND (CAST(:before_at AS timestamptz) IS NULL
           OR (created_at, id) < (CAST(:before_at AS timestamptz), CAST(:before_id AS uuid)))
    ORDER BY created_at DESC, id DESC LIMIT :limit
""")  # noqa: S608  # a constant

# Waiting: over at once. Running: its worker sees the wish at the next heartbeat. The checks of a batch stay.
REQUEST_CANCEL = text("""
    UPDATE tasks
    SET cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp()),
        state = CASE WHEN state = 'pending' THEN 'cancelled' ELSE state END,
        finished_at = CASE WHEN state = 'pending' THEN clock_timestamp() END
    WHERE id = :id AND batch_id IS NULL AND state IN ('pending', 'in_progress')
    RETURNING id
""")

DELETE_EXPIRED = text("""
    DELETE FROM tasks WHERE id IN (
        SELECT id FROM tasks
        WHERE finished_at < clock_timestamp() - CAST(:age AS interval) AND kind <> 'crawl'
          AND (batch_id IS NULL
               OR EXISTS (SELECT FROM batches AS b WHERE b.id = tasks.batch_id AND b.finished_at IS NOT NULL))
        ORDER BY finished_at LIMIT :page FOR UPDATE SKIP LOCKED)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A task that is to be done."""

    kind: TaskKind
    queue: Queue
    correlation_id: str
    owner: str | None = None
    payload: Mapping[str, object] | None = None
    timeout_seconds: int | None = None
    retry_of: UUID | None = None
    exclusive_key: str | None = None
    """Of all open tasks with this key there is one."""


class ExclusiveKeyTaken(Conflict):
    """There is an open task with this exclusive key."""

    def __init__(self, holder: UUID) -> None:
        super().__init__(f"task {holder} does this already", details={"task_id": str(holder)})
        self.holder = holder


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedTask:
    """A task whose lease ran out, and what became of it."""

    id: UUID
    kind: str
    state: TaskState
    correlation_id: str
    batch_id: int | None


class Tasks:
    """Rows of `tasks`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, task: NewTask) -> UUID:
        """Store a new task and return its id.

        Raises:
            ExclusiveKeyTaken: another open task has its exclusive key. Of several at the same moment one is stored.
        """
        values = {
            "id": uuid4(),
            "kind": task.kind,
            "queue": task.queue,
            "owner": task.owner,
            "payload": json.dumps(task.payload or {}),
            "correlation_id": task.correlation_id,
            "timeout_seconds": task.timeout_seconds,
            "retry_of": task.retry_of,
            "exclusive_key": task.exclusive_key,
        }
        while (added := self._connection.execute(INSERT, values).first()) is None:
            holder = self.holder_of(task.exclusive_key)
            if holder is not None:  # else it ended in between: try to take the key again
                raise ExclusiveKeyTaken(holder)
        return added.id  # type: ignore[no-any-return]  # a uuid

    def holder_of(self, exclusive_key: str | None) -> UUID | None:
        """The open task with this exclusive key."""
        return self._connection.execute(HOLDER, {"exclusive_key": exclusive_key}).scalar_one_or_none()

    def claim(self, task_id: UUID, *, lease: timedelta) -> Claim | None:
        """The right to one attempt, or None: done, cancelled, not due, or in other hands."""
        row = self._connection.execute(CLAIM, {"id": task_id, "lease": lease}).first()
        if row is None:
            return None
        values = row._asdict()
        return Claim(task_id=values.pop("id"), **values)

    def renew(
        self,
        claim: Claim,
        *,
        lease: timedelta,
        step: str | None = None,
        progress: int | None = None,
        message: str | None = None,
    ) -> bool:
        """Keep the lease, and what was reported last. Whether the owner asked to cancel. Raises LeaseLost."""
        values = {"lease": lease, "step": step, "progress": progress, "message": message}
        return bool(self._fenced(RENEW, claim, values).cancelled)

    def complete(self, claim: Claim, result: Mapping[str, object]) -> None:
        """The task did what it was for. Raises LeaseLost, or TaskCancelled if its owner asked to cancel it."""
        self._end(claim, TaskState.COMPLETED, result=json.dumps(result), progress=100)

    def fail(self, claim: Claim, code: ErrorCode, message: str, *, retryable: bool) -> None:
        """The task ends without its result. Raises LeaseLost, or TaskCancelled if its owner asked to cancel it."""
        self._end(claim, TaskState.FAILED, code=code, error=message, retryable=retryable)

    def cancel(self, claim: Claim) -> None:
        """The running task stopped because its owner asked for it. Raises LeaseLost."""
        self._end(claim, TaskState.CANCELLED)

    def release(
        self, claim: Claim, *, counted: bool, delay: timedelta = timedelta(0), not_before: datetime | None = None
    ) -> datetime:
        """Back to waiting, until `not_before` or for `delay`; the moment from which it may run.

        A task whose owner asked to cancel it is cancelled instead. Raises LeaseLost.
        """
        row = self._fenced(RELEASE, claim, {"counted": counted, "delay": delay, "not_before": not_before})
        return row.not_before  # type: ignore[no-any-return]  # a timestamptz

    def return_expired(self, *, limit: int, page: int = 1000) -> list[EndedTask]:
        """Return tasks of dead workers to the queue, or give them up after `limit` counted attempts."""
        rows = self._connection.execute(RETURN_EXPIRED, {"limit": limit, "page": page, "code": ErrorCode.WORKER_LOST})
        return [EndedTask(**(row._asdict() | {"state": TaskState(row.state)})) for row in rows]

    def get(self, task_id: UUID, *, owner: str | None) -> Task | None:
        """The task, if it exists and (for an owner) is theirs."""
        row = self._connection.execute(GET, {"id": task_id, "owner": owner}).first()
        return _task(row) if row else None

    def payload_of(self, task_id: UUID) -> dict[str, object]:
        """What the task was told to do."""
        return dict(self._connection.execute(PAYLOAD, {"id": task_id}).scalar_one())

    def page(
        self,
        *,
        owner: str | None,
        kind: str | None,
        states: list[str] | None,
        before: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[Task]:
        """Up to `limit` tasks, newest first, after the one that `before` names; slices of site crawls by kind only."""
        before_at, before_id = before or (None, None)
        values = {
            "owner": owner,
            "kind": kind,
            "states": states,
            "before_at": before_at,
            "before_id": before_id,
            "limit": limit,
        }
        return [_task(row) for row in self._connection.execute(PAGE, values)]

    def request_cancel(self, task_id: UUID) -> bool:
        """Cancel a waiting task, or ask the worker of a running one to stop; not if it ended or belongs to a batch."""
        return self._connection.execute(REQUEST_CANCEL, {"id": task_id}).first() is not None

    def delete_expired(self, *, age: timedelta, page: int = 5000) -> int:
        """Delete up to `page` tasks, but no site crawls, that ended longer ago than `age`; how many were deleted."""
        return self._connection.execute(DELETE_EXPIRED, {"age": age, "page": page}).rowcount

    def _end(
        self,
        claim: Claim,
        state: TaskState,
        *,
        result: str | None = None,
        progress: int | None = None,
        code: ErrorCode | None = None,
        error: str | None = None,
        retryable: bool | None = None,
    ) -> None:
        values = {
            "state": state,
            "result": result,
            "progress": progress,
            "code": code,
            "error": error,
            "retryable": retryable,
        }
        self._unless_cancelled(END, claim, values)

    def _unless_cancelled(self, statement: Any, claim: Claim, values: Mapping[str, object]) -> Row[Any]:
        """As `_fenced`, for writes that a task which was asked to stop no longer makes. Raises TaskCancelled."""
        try:
            return self._fenced(statement, claim, values)
        except LeaseLost:
            mine = {"id": claim.task_id, "attempt": claim.attempt}
            if self._connection.execute(ASKED_TO_STOP, mine).first() is not None:
                raise TaskCancelled from None
            raise

    def _fenced(self, statement: Any, claim: Claim, values: Mapping[str, object]) -> Row[Any]:
        """Run a write that is only ours to make while the attempt is."""
        row = self._connection.execute(statement, {**values, "id": claim.task_id, "attempt": claim.attempt}).first()
        if row is None:
            raise LeaseLost(f"attempt {claim.attempt} at task {claim.task_id} is no longer ours")
        return row


def _task(row: Row[Any]) -> Task:
    return Task(**(row._asdict() | {"state": TaskState(row.state)}))
