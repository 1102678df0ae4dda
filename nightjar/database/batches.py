"""Batches: opened once, closed once, announced once."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from nightjar.domain.batch import MAX_FAILED_ITEMS, Batch, BatchKind, FailedItem
from nightjar.errors import ErrorCode

# A second delivery of the same night finds the row and changes nothing.
OPEN = text("""
    INSERT INTO batches (kind, run_key, owner, correlation_id, deadline_at)
    VALUES (:kind, :run_key, :owner, :correlation_id, 'infinity')
    ON CONFLICT (run_key) WHERE kind = 'nightly' DO NOTHING
    RETURNING id
""")

NIGHTLY = text("SELECT id FROM batches WHERE kind = 'nightly' AND run_key = :run_key")

# Trackings that came later were not meant: a system that is set up in the afternoon has not missed its first night.
LACKS_NIGHT = text("""
    SELECT NOT EXISTS (SELECT FROM batches WHERE kind = 'nightly' AND run_key = :run_key)
       AND EXISTS (SELECT FROM trackings WHERE status = 'active' AND created_at < :began_at)
""")

PLANNED = text("""
    UPDATE batches
    SET total = :total, last_seq = :last_seq, deadline_at = started_at + CAST(:timeout AS interval)
    WHERE id = :id
""")

FIGURES = """
    SELECT b.id, b.kind, b.run_key, b.total, b.started_at, b.finished_at, b.correlation_id,
           CASE WHEN b.finished_at IS NULL THEN coalesce(f.success, 0) ELSE b.success END AS success,
           CASE WHEN b.finished_at IS NULL THEN coalesce(f.failed, 0) ELSE b.failed END AS failed,
           CASE WHEN b.finished_at IS NULL THEN coalesce(i.items, '[]') ELSE b.failed_items END AS failed_items
    FROM batches AS b
    LEFT JOIN LATERAL (
        SELECT sum(c.succeeded) AS success, sum(c.failed) AS failed
        FROM rank_checks AS c WHERE c.batch_id = b.id AND b.finished_at IS NULL) AS f ON true
    LEFT JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_object('tracking_id', item.tracking_id, 'reason', item.reason)
                         ORDER BY item.tracking_id) AS items
        FROM (SELECT unnest(c.tracking_ids) AS tracking_id, c.reason
              FROM rank_checks AS c WHERE c.batch_id = b.id AND c.failed > 0 AND b.finished_at IS NULL
              ORDER BY 1 LIMIT :max_items) AS item) AS i ON true
"""

GET = text(FIGURES + " WHERE b.id = :id AND (CAST(:owner AS text) IS NULL OR b.owner = :owner)")

PAGE = text(
    FIGURES
    + """
    WHERE (CAST(:owner AS text) IS NULL OR b.owner = :owner) AND (CAST(:before AS bigint) IS NULL OR b.id < :before)
    ORDER BY b.id DESC LIMIT :limit
"""
)

# Closing is this one UPDATE: of all who try, one gets the row, and only when no check is open any more.
CLOSE = text("""
    UPDATE batches AS b
    SET finished_at = clock_timestamp(),
        success = coalesce((SELECT sum(c.succeeded) FROM rank_checks AS c WHERE c.batch_id = b.id), 0),
        failed = coalesce((SELECT sum(c.failed) FROM rank_checks AS c WHERE c.batch_id = b.id), 0),
        failed_items = coalesce((
            SELECT jsonb_agg(jsonb_build_object('tracking_id', item.tracking_id, 'reason', item.reason)
                             ORDER BY item.tracking_id)
            FROM (SELECT unnest(c.tracking_ids) AS tracking_id, c.reason
                  FROM rank_checks AS c WHERE c.batch_id = b.id AND c.failed > 0
                  ORDER BY 1 LIMIT :max_items) AS item), '[]')
    WHERE b.id = :id AND b.finished_at IS NULL AND b.deadline_at < 'infinity'
      AND NOT EXISTS (SELECT FROM tasks AS t WHERE t.batch_id = b.id AND t.state IN ('pending', 'in_progress'))
    RETURNING id, kind, run_key, total, success, failed, failed_items, started_at, finished_at, correlation_id
""")

OPEN_IDS = text("SELECT id FROM batches WHERE finished_at IS NULL ORDER BY id")

OVERDUE = text("""
    SELECT id, correlation_id FROM batches WHERE finished_at IS NULL AND deadline_at < clock_timestamp() ORDER BY id
""")

EXPIRE_TASKS = text("""
    UPDATE tasks
    SET state = 'failed', finished_at = clock_timestamp(), lease_until = NULL,
        error_code = :code, error_message = 'the batch reached its deadline before this check was done',
        error_retryable = true
    WHERE batch_id = :id AND state IN ('pending', 'in_progress')
    RETURNING id
""")

UNANNOUNCED = text("""
    SELECT id, kind, run_key, total, success, failed, failed_items, started_at, finished_at, correlation_id
    FROM batches
    WHERE announced_at IS NULL AND finished_at < clock_timestamp() - CAST(:grace AS interval)
    ORDER BY id
""")

ANNOUNCED = text("UPDATE batches SET announced_at = clock_timestamp() WHERE id = :id AND announced_at IS NULL")


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueBatch:
    """A batch that ran out of time."""

    id: int
    correlation_id: str


class Batches:
    """Rows of `batches`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(self, kind: BatchKind, run_key: date, *, owner: str | None, correlation_id: str) -> tuple[int, bool]:
        """The id of the batch, and whether it is new. A nightly batch exists once for a run key."""
        values = {"kind": kind, "run_key": run_key, "owner": owner, "correlation_id": correlation_id}
        row = self._connection.execute(OPEN, values).first()
        if row is not None:
            return row.id, True
        return int(self._connection.execute(NIGHTLY, {"run_key": run_key}).scalar_one()), False

    def lacks_night(self, run_key: date, *, began_at: datetime) -> bool:
        """Whether there was something to check when this night began, and there is no batch of it."""
        values = {"run_key": run_key, "began_at": began_at}
        return bool(self._connection.execute(LACKS_NIGHT, values).scalar_one())

    def planned(self, batch_id: int, *, total: int, last_seq: int, timeout: timedelta) -> None:
        """The batch knows its size; from now on it can be published, and closed."""
        values = {"id": batch_id, "total": total, "last_seq": last_seq, "timeout": timeout}
        self._connection.execute(PLANNED, values)

    def get(self, batch_id: int, *, owner: str | None) -> Batch | None:
        """The batch with its figures as of now, if it exists and (for an owner) is theirs."""
        values = {"id": batch_id, "owner": owner, "max_items": MAX_FAILED_ITEMS}
        row = self._connection.execute(GET, values).first()
        return _batch(row) if row else None

    def page(self, *, owner: str | None, before: int | None, limit: int) -> list[Batch]:
        """Up to `limit` batches, newest first, older than `before`."""
        values = {"owner": owner, "before": before, "limit": limit, "max_items": MAX_FAILED_ITEMS}
        return [_batch(row) for row in self._connection.execute(PAGE, values)]

    def close(self, batch_id: int) -> Batch | None:
        """Close the batch if all its checks ended; None if one is open or somebody else closed it."""
        row = self._connection.execute(CLOSE, {"id": batch_id, "max_items": MAX_FAILED_ITEMS}).first()
        return _batch(row) if row else None

    def open_ids(self) -> list[int]:
        """The batches that are not closed."""
        return [row.id for row in self._connection.execute(OPEN_IDS)]

    def overdue(self) -> list[OverdueBatch]:
        """The open batches past their deadline."""
        return [OverdueBatch(id=row.id, correlation_id=row.correlation_id) for row in self._connection.execute(OVERDUE)]

    def expire_tasks(self, batch_id: int) -> list[UUID]:
        """End all open tasks of the batch as failed; their ids. A worker that still holds one loses its lease."""
        rows = self._connection.execute(EXPIRE_TASKS, {"id": batch_id, "code": ErrorCode.BATCH_TIMEOUT})
        return [row.id for row in rows]

    def unannounced(self, *, grace: timedelta) -> list[Batch]:
        """Batches closed longer ago than `grace` whose line was never confirmed."""
        return [_batch(row) for row in self._connection.execute(UNANNOUNCED, {"grace": grace})]

    def announced(self, batch_id: int) -> None:
        """The batch's line was written."""
        self._connection.execute(ANNOUNCED, {"id": batch_id})


def _batch(row: Row[Any]) -> Batch:
    return Batch(
        id=row.id,
        kind=BatchKind(row.kind),
        run_key=row.run_key,
        total=int(row.total),
        success=int(row.success),
        failed=int(row.failed),
        started_at=row.started_at,
        finished_at=row.finished_at,
        failed_items=tuple(FailedItem(**item) for item in row.failed_items),
        correlation_id=row.correlation_id,
    )
