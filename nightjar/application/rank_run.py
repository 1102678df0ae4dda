"""One run over all active trackings: planned in one statement, published up to the window, closed when all is done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from time import monotonic, sleep

from nightjar.application.publishing import publish_batch
from nightjar.database.engine import DatabaseUnavailable, Transactions
from nightjar.database.rank_checks import BatchPlan
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.batch import Batch, BatchKind, batch_timeout
from nightjar.domain.rank_plan import planned_requests
from nightjar.domain.tracking import RankType, Source
from nightjar.ports import QueueUnavailable, TaskQueue
from nightjar.tasks import Queue

CONFIRM_SECONDS = 15
"""How long the confirmation of a line is tried: longer than Postgres takes to restart, shorter than a lease."""

CONFIRM_PAUSE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRules:
    """What a run obeys: depth and source per rank type, the pause between requests, and its own time-out."""

    depths: Mapping[RankType, int]
    sources: Mapping[RankType, Source]
    delay: timedelta
    timeout: timedelta
    window: int
    limit: timedelta | None = None
    """What the one who starts a batch allows it; then neither the time-out nor the estimate counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedBatch:
    """A batch after its plan was committed; `is_new` is false for a second delivery of the same night."""

    batch_id: int
    run_key: date
    kind: BatchKind
    correlation_id: str
    is_new: bool
    total: int = 0
    checks: int = 0
    timeout: timedelta = timedelta(0)
    estimate: timedelta = timedelta(0)
    configured_timeout: timedelta = timedelta(0)

    @property
    def is_extended(self) -> bool:
        """Whether its busiest host needs more than the configured time."""
        return self.timeout > self.configured_timeout


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOutResult:
    """What a fan-out did; `published` is None if the broker was away (the janitor publishes then)."""

    batch_id: int
    run_key: date
    is_new: bool
    total: int
    checks: int
    published: int | None

    def as_json(self) -> dict[str, object]:
        """The answer of the handler."""
        return {
            "batch_id": self.batch_id,
            "run_key": self.run_key.isoformat(),
            "new": self.is_new,
            "total": self.total,
            "checks": self.checks,
            "published": self.published,
        }


def open_batch(
    uow: UnitOfWork, kind: BatchKind, run_key: date, *, rules: RunRules, owner: str | None, correlation_id: str
) -> OpenedBatch:
    """Open and plan a batch in the caller's transaction. A nightly batch that exists already is left as it is."""
    batch_id, is_new = uow.batches.open(kind, run_key, owner=owner, correlation_id=correlation_id)
    if not is_new:
        return OpenedBatch(batch_id=batch_id, run_key=run_key, kind=kind, correlation_id=correlation_id, is_new=False)
    plan = uow.rank_checks.plan_batch(
        batch_id, checked_on=run_key, queue=Queue.NIGHTLY, owner=owner, correlation_id=correlation_id
    )
    requests = requests_per_host(plan, rules)
    timeout = rules.limit or batch_timeout(requests, delay=rules.delay, configured=rules.timeout)
    uow.batches.planned(batch_id, total=plan.trackings, last_seq=plan.checks, timeout=timeout)
    return OpenedBatch(
        batch_id=batch_id,
        run_key=run_key,
        kind=kind,
        correlation_id=correlation_id,
        is_new=True,
        total=plan.trackings,
        checks=plan.checks,
        timeout=timeout,
        estimate=max(requests.values(), default=0) * rules.delay,
        configured_timeout=rules.timeout,
    )


def requests_per_host(plan: BatchPlan, rules: RunRules) -> dict[str, int]:
    """How many requests a plan sends to each host, if every list is read to its depth."""
    requests: dict[str, int] = {}
    for (rank_type, device), checks in plan.searches.items():
        per_check = planned_requests(rank_type, device, depth=rules.depths[rank_type], source=rules.sources[rank_type])
        for host, pages in per_check.items():
            requests[host] = requests.get(host, 0) + checks * pages
    return requests


def publish_opened(transactions: Transactions, queue: TaskQueue, batch_id: int, *, window: int) -> int | None:
    """Publish the batch up to the window; how many, or None if the broker is away (the janitor goes on later)."""
    try:
        return publish_batch(transactions, queue, batch_id, room=window - queue.depth(Queue.NIGHTLY))
    except QueueUnavailable:
        return None


def fan_out_night(
    transactions: Transactions,
    queue: TaskQueue,
    *,
    run_key: date,
    rules: RunRules,
    correlation_id: str,
    opened: Callable[[OpenedBatch], None],
    announce: Callable[[Batch], None],
) -> FanOutResult:
    """The nightly run: plan it once, publish what the window takes. A second delivery goes on where the first stopped.

    `opened` is told once the plan is committed, `announce` if there was nothing to do at all.
    """
    with transactions() as uow:
        batch = open_batch(uow, BatchKind.NIGHTLY, run_key, rules=rules, owner=None, correlation_id=correlation_id)
    opened(batch)
    published = publish_opened(transactions, queue, batch.batch_id, window=rules.window)
    if batch.is_new and batch.checks == 0:
        close_batch(transactions, batch.batch_id, announce)
    return FanOutResult(
        batch_id=batch.batch_id,
        run_key=run_key,
        is_new=batch.is_new,
        total=batch.total,
        checks=batch.checks,
        published=published,
    )


def close_batch(transactions: Transactions, batch_id: int, announce: Callable[[Batch], None]) -> Batch | None:
    """Close the batch if its last check has ended, and announce it; None if it is still open or was closed before."""
    with transactions() as uow:
        batch = uow.batches.close(batch_id)
    if batch is not None:
        announce_batch(transactions, batch, announce)
    return batch


def announce_batch(transactions: Transactions, batch: Batch, announce: Callable[[Batch], None]) -> None:
    """Write the batch's line, then confirm it: a line that was never confirmed is repeated by the janitor.

    So the confirmation alone is tried again while Postgres is away. Raises DatabaseUnavailable if that takes too long.
    """
    announce(batch)
    give_up_at = monotonic() + CONFIRM_SECONDS
    while True:
        try:
            with transactions() as uow:
                return uow.batches.announced(batch.id)
        except DatabaseUnavailable:
            if monotonic() > give_up_at:
                raise
        sleep(CONFIRM_PAUSE)
