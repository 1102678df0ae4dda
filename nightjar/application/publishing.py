"""Putting tasks on their queues: after the commit, in chunks, never more than the window.

The order is always the same: lock the rows, push the messages, mark the rows, commit. If the process dies between push
and commit a message goes out twice, and the claim drops the second: at least once, never not at all.
"""

from collections.abc import Callable
from uuid import UUID

from nightjar.database.engine import Transactions
from nightjar.ports import QueueUnavailable, TaskQueue
from nightjar.tasks import Queue

CHUNK = 2_000
"""Messages in one short transaction."""

Progress = Callable[[int], None]


def publish_task(transactions: Transactions, queue: TaskQueue, task_id: UUID) -> bool:
    """Publish one task at once. False if the broker is away: the row waits, the janitor publishes it."""
    with transactions() as uow:
        found = uow.outbox.one_unpublished(task_id)
        if found is None:
            return True
        name, message = found
        try:
            queue.publish(name, [message])
        except QueueUnavailable:
            return False
        uow.outbox.mark_published([task_id])
    return True


def publish_due(transactions: Transactions, queue: TaskQueue, name: Queue, *, window: int) -> int:
    """Fill a queue up to `window` messages with what is due, longest waiting first; how many were added.

    Raises:
        QueueUnavailable: the broker is away; what was published so far stays published.
    """
    room = window - queue.depth(name)
    published = _publish_rows(transactions, queue, name, room)
    if name is not Queue.NIGHTLY:
        return published
    with transactions() as uow:
        batch_ids = uow.outbox.batches_with_backlog()
    for batch_id in batch_ids:
        published += publish_batch(transactions, queue, batch_id, room=room - published)
    return published


def publish_batch(
    transactions: Transactions, queue: TaskQueue, batch_id: int, *, room: int, progress: Progress | None = None
) -> int:
    """Publish up to `room` checks of a batch from its checkpoint on; how many. Memory does not grow with the batch."""
    published = 0
    while published < room:
        with transactions() as uow:
            chunk = uow.outbox.next_of_batch(batch_id, limit=min(CHUNK, room - published))
            if chunk is None:
                return published
            queue.publish(Queue.NIGHTLY, chunk.messages)
            uow.outbox.move_checkpoint(batch_id, chunk.last_seq)
        published += len(chunk.messages)
        if progress:
            progress(published)
    return published


def _publish_rows(transactions: Transactions, queue: TaskQueue, name: Queue, room: int) -> int:
    published = 0
    while published < room:
        with transactions() as uow:
            messages = uow.outbox.unpublished(name, limit=min(CHUNK, room - published))
            if not messages:
                return published
            queue.publish(name, messages)
            uow.outbox.mark_published([UUID(message.task_id) for message in messages])
        published += len(messages)
    return published
