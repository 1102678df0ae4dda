"""The repairs that make every promise of the queue come true, however the rest of the system died.

One round looks at Postgres and at the broker, never at a message: the janitor does not travel through the queue that it
repairs. Rounds may overlap; each step locks what it changes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import ParamSpec, TypeVar
from uuid import UUID, uuid4

from nightjar.application.crawl_repair import (
    end_idle_crawls,
    end_overdue_crawls,
    open_missing_slices,
    return_orphaned_urls,
)
from nightjar.application.publishing import publish_due
from nightjar.application.rank_run import announce_batch, close_batch
from nightjar.application.retention import forget_expired_connections
from nightjar.database.engine import Transactions
from nightjar.database.rank_checks import SettledCheck
from nightjar.domain.batch import Batch
from nightjar.domain.task import MAX_CLAIMS, TaskState
from nightjar.errors import ErrorCode
from nightjar.ports import QueueUnavailable, TaskQueue
from nightjar.tasks import Queue, TaskKind

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFigures:
    """One queue as it is now: messages in the broker, what the round did about it, and its open rows."""

    queue: Queue
    depth: int
    lost: int
    published: int
    in_progress: int
    oldest_waiting_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedStep:
    """A step of a round that ended with an error nobody foresaw, or without an answer of Postgres."""

    step: str
    error: Exception


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round found and did. `queues` is empty if the broker did not answer."""

    returned: int
    given_up: tuple[SettledCheck, ...]
    closed: tuple[int, ...]
    queues: tuple[QueueFigures, ...]
    broker_error: str | None = None
    failures: tuple[FailedStep, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JanitorRules:
    """How many messages of a queue may be out, and how long a closed batch may lack its line."""

    window: int
    announce_grace: timedelta


def run_round(
    transactions: Transactions, queue: TaskQueue, *, rules: JanitorRules, announce: Callable[[Batch], None]
) -> Round:
    """Return or give up expired leases, close batches, repair crawls, find lost messages, publish what is due.

    A step that fails is told in the result. It must not keep the others from their work: what it failed at is still
    there in the next round, and would stop every repair for good.
    """
    steps = _Steps()
    returned, lost_checks = steps.take((0, []), return_expired_leases, transactions)
    late_checks = steps.take([], expire_overdue_batches, transactions)
    closed = steps.take((), close_ended_batches, transactions, rules, announce)
    steps.take(0, return_orphaned_urls, transactions)
    steps.take(0, end_overdue_crawls, transactions)
    steps.take(0, end_idle_crawls, transactions)
    steps.take(0, open_missing_slices, transactions)
    steps.take(0, forget_expired_connections, transactions)
    queues, broker_error = steps.take(((), None), repair_reachable_queues, transactions, queue, window=rules.window)
    return Round(
        returned=returned,
        given_up=(*lost_checks, *late_checks),
        closed=closed,
        queues=queues,
        broker_error=broker_error,
        failures=tuple(steps.failures),
    )


class _Steps:
    """Takes the steps of a round, each alone."""

    def __init__(self) -> None:
        self.failures: list[FailedStep] = []

    def take(self, otherwise: T, step: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """What the step found, or `otherwise` if it fails."""
        try:
            return step(*arguments, **named)
        except Exception as error:  # noqa: BLE001  # kept, and told at the end of the round
            self.failures.append(FailedStep(step=step.__name__, error=error))
            return otherwise


def return_expired_leases(transactions: Transactions) -> tuple[int, list[SettledCheck]]:
    """Give the tasks of dead workers back; those that lost too many workers fail, and their trackings stay unknown."""
    with transactions() as uow:
        ended = uow.tasks.return_expired(limit=MAX_CLAIMS)
        given_up = [task.id for task in ended if task.kind == TaskKind.RANK_CHECK and task.state is TaskState.FAILED]
        reason = f"{ErrorCode.WORKER_LOST}: the worker died {MAX_CLAIMS} times during this check"
        settled = uow.rank_checks.settle_unknown(given_up, reason=reason) if given_up else []
    return sum(task.state is TaskState.PENDING for task in ended), settled


def expire_overdue_batches(transactions: Transactions) -> list[SettledCheck]:
    """End the open checks of batches past their deadline; their trackings stay unknown."""
    with transactions() as uow:
        overdue = uow.batches.overdue()
    settled: list[SettledCheck] = []
    for batch in overdue:
        with transactions() as uow:
            late = uow.batches.expire_tasks(batch.id)
            reason = f"{ErrorCode.BATCH_TIMEOUT}: the batch reached its deadline before this check was done"
            settled += uow.rank_checks.settle_unknown(late, reason=reason)
    return settled


def close_ended_batches(
    transactions: Transactions, rules: JanitorRules, announce: Callable[[Batch], None]
) -> tuple[int, ...]:
    """Close batches whose last worker died before it could, and repeat lines that were never confirmed."""
    with transactions() as uow:
        open_ids = uow.batches.open_ids()
    closed = tuple(batch_id for batch_id in open_ids if close_batch(transactions, batch_id, announce))
    with transactions() as uow:
        unannounced = uow.batches.unannounced(grace=rules.announce_grace)
    for batch in unannounced:
        announce_batch(transactions, batch, announce)
    return closed


def repair_reachable_queues(
    transactions: Transactions, queue: TaskQueue, *, window: int
) -> tuple[tuple[QueueFigures, ...], str | None]:
    """The figures of the repaired queues, or why the broker cannot be asked."""
    try:
        return repair_queues(transactions, queue, window=window), None
    except QueueUnavailable as error:
        return (), error.message


def repair_queues(transactions: Transactions, queue: TaskQueue, *, window: int) -> tuple[QueueFigures, ...]:
    """Republish what the broker lost, then fill every queue up to the window. Raises QueueUnavailable."""
    memory_lost = queue.epoch() is None
    with transactions() as uow:
        open_tasks = uow.figures.open_tasks()
    running = {group.queue: group.tasks for group in open_tasks if group.state == TaskState.IN_PROGRESS}
    oldest = {group.queue: group.oldest_seconds or 0.0 for group in open_tasks if group.state == TaskState.PENDING}
    figures = []
    for name in Queue:
        lost = forget_lost_messages(transactions, queue, name, memory_lost=memory_lost)
        published = publish_due(transactions, queue, name, window=window)
        figures.append(
            QueueFigures(
                queue=name,
                depth=queue.depth(name),
                lost=lost,
                published=published,
                in_progress=running.get(name, 0),
                oldest_waiting_seconds=oldest.get(name, 0.0),
            )
        )
    if memory_lost:
        queue.begin_epoch(str(uuid4()))  # last: a janitor that dies before this looks again
    return tuple(figures)


def forget_lost_messages(transactions: Transactions, queue: TaskQueue, name: Queue, *, memory_lost: bool) -> int:
    """Mark rows whose message is gone as unpublished; how many.

    A row that waits in a long queue is not lost. So nothing is looked at closer unless the broker has fewer messages
    than there are published, unclaimed rows; then the two are compared id by id. The rows are read before the messages:
    a message that is consumed in between belongs to a row that is no longer waiting, and such rows are left alone.
    """
    with transactions() as uow:
        waiting = uow.outbox.count_out(name)
    if not memory_lost and queue.depth(name) >= waiting:
        return 0
    with transactions() as uow:
        published = uow.outbox.ids_out(name)
    lost: frozenset[UUID] = published - queue.waiting_ids(name)
    with transactions() as uow:
        return uow.outbox.forget(lost) if lost else 0
