"""Which tasks need a message, and which have one.

A row of a batch has a `seq` until it is first claimed: it counts as published if the checkpoint of its batch has passed
it, so a million messages cost no mark each. Every other row carries its own mark, `published_at`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text

from nightjar.tasks import Message, Queue, TaskKind

UNPUBLISHED = text("""
    SELECT id, kind FROM tasks
    WHERE queue = :queue AND state = 'pending' AND seq IS NULL AND published_at IS NULL
      AND not_before <= clock_timestamp()
    ORDER BY not_before, id LIMIT :limit
    FOR UPDATE SKIP LOCKED
""")

ONE_UNPUBLISHED = text("""
    SELECT id, kind, queue FROM tasks
    WHERE id = :id AND state = 'pending' AND seq IS NULL AND published_at IS NULL AND not_before <= clock_timestamp()
    FOR UPDATE SKIP LOCKED
""")

MARK_PUBLISHED = text("""
    UPDATE tasks SET published_at = clock_timestamp() WHERE id = ANY(CAST(:ids AS uuid[])) AND state = 'pending'
""")

BATCHES_WITH_BACKLOG = text("""
    SELECT id FROM batches WHERE finished_at IS NULL AND published_through < last_seq ORDER BY id
""")

# The lock on the batch row lets one publisher at a time move its checkpoint.
LOCK_CHECKPOINT = text("""
    SELECT published_through, last_seq FROM batches WHERE id = :batch_id AND finished_at IS NULL FOR UPDATE
""")

# One row whatever the limit: reading thousands of small rows would cost more than sending their messages.
NEXT_OF_BATCH = text("""
    SELECT string_agg(CAST(id AS text), ' ' ORDER BY seq) AS ids, max(seq) AS last_seq
    FROM (SELECT id, seq FROM tasks
          WHERE batch_id = :batch_id AND seq > :after AND state IN ('pending', 'in_progress')
          ORDER BY seq LIMIT :limit) AS following
""")

MOVE_CHECKPOINT = text("""
    UPDATE batches SET published_through = :seq, published_at = clock_timestamp() WHERE id = :batch_id
""")

OUT = """
    SELECT t.id FROM tasks AS t
    WHERE t.queue = :queue AND t.state = 'pending' AND t.seq IS NULL AND t.published_at IS NOT NULL
    UNION ALL
    SELECT t.id FROM batches AS b
    JOIN tasks AS t ON t.batch_id = b.id AND t.state IN ('pending', 'in_progress')
                   AND t.seq <= b.published_through
    WHERE b.finished_at IS NULL AND t.queue = :queue
"""

COUNT_OUT = text(f"SELECT count(*) FROM ({OUT}) AS published")  # noqa: S608  # a constant
IDS_OUT = text(OUT)

# Their messages are gone: from now on they are published one by one, like any returned task.
FORGET = text("""
    UPDATE tasks SET published_at = NULL, seq = NULL
    WHERE id = ANY(CAST(:ids AS uuid[])) AND state = 'pending' AND (published_at IS NOT NULL OR seq IS NOT NULL)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchChunk:
    """The next messages of a batch; `last_seq` is where its checkpoint stands once they are on the queue."""

    messages: tuple[Message, ...]
    last_seq: int


class Outbox:
    """The publishing side of `tasks` and `batches`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def unpublished(self, queue: Queue, *, limit: int) -> list[Message]:
        """Up to `limit` due rows of a queue without a message, longest waiting first; locked for the transaction."""
        rows = self._connection.execute(UNPUBLISHED, {"queue": queue, "limit": limit})
        return [Message(task_id=str(row.id), kind=TaskKind(row.kind)) for row in rows]

    def one_unpublished(self, task_id: UUID) -> tuple[Queue, Message] | None:
        """This row, if it is due and has no message, with its queue; locked until the transaction ends."""
        row = self._connection.execute(ONE_UNPUBLISHED, {"id": task_id}).first()
        if row is None:
            return None
        return Queue(row.queue), Message(task_id=str(row.id), kind=TaskKind(row.kind))

    def mark_published(self, task_ids: Collection[UUID]) -> None:
        """Their messages are on the queue."""
        self._connection.execute(MARK_PUBLISHED, {"ids": list(task_ids)})

    def batches_with_backlog(self) -> list[int]:
        """Open batches whose checkpoint has not reached their last check."""
        return [row.id for row in self._connection.execute(BATCHES_WITH_BACKLOG)]

    def next_of_batch(self, batch_id: int, *, limit: int) -> BatchChunk | None:
        """The next messages after the checkpoint, which stays locked until the transaction ends; None at the end."""
        checkpoint = self._connection.execute(LOCK_CHECKPOINT, {"batch_id": batch_id}).first()
        if checkpoint is None or checkpoint.published_through >= checkpoint.last_seq:
            return None
        values = {"batch_id": batch_id, "after": checkpoint.published_through, "limit": limit}
        row = self._connection.execute(NEXT_OF_BATCH, values).one()
        if row.ids is None:
            return BatchChunk(messages=(), last_seq=checkpoint.last_seq)
        messages = tuple(Message(task_id=task_id, kind=TaskKind.RANK_CHECK) for task_id in row.ids.split(" "))
        return BatchChunk(messages=messages, last_seq=row.last_seq)

    def move_checkpoint(self, batch_id: int, seq: int) -> None:
        """Everything of the batch up to `seq` is on the queue."""
        self._connection.execute(MOVE_CHECKPOINT, {"batch_id": batch_id, "seq": seq})

    def count_out(self, queue: Queue) -> int:
        """Rows that were published and not yet claimed."""
        return int(self._connection.execute(COUNT_OUT, {"queue": queue}).scalar_one())

    def ids_out(self, queue: Queue) -> frozenset[UUID]:
        """The ids of these rows."""
        return frozenset(row.id for row in self._connection.execute(IDS_OUT, {"queue": queue}))

    def forget(self, task_ids: Collection[UUID]) -> int:
        """Their messages are lost; rows that were claimed meanwhile are left alone. How many need a new message."""
        return self._connection.execute(FORGET, {"ids": list(task_ids)}).rowcount
