"""One attempt at a task: claimed, kept alive by heartbeats, and settled exactly once."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol, TypeVar
from uuid import UUID

from crawl_worker.engine.reporter import Report, Reported, Reporter
from crawl_worker.engine.store import Store
from nightjar.application.publishing import publish_task
from nightjar.database.engine import DatabaseUnavailable
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.progress import ProgressEvent
from nightjar.domain.task import FINAL_STATES, Claim
from nightjar.errors import ErrorCode, HostBusy, LeaseLost, RetryLater, TaskCancelled, TaskFailure
from nightjar.observability import bind, clear, logger
from nightjar.ports import ProgressChannel, TaskQueue

T = TypeVar("T")

HEARTBEATS_IN_LEASE = 6
"""A lease survives five lost heartbeats."""

CUT_OFF_SECONDS = 5
"""How long work that was cut off may take to close its pages; then the task ends without waiting for it."""

Fault = TaskFailure | HostBusy


class Job(Protocol[T]):
    """What a kind of task does. `work` may be cut off at any await; `settle` only where it waits for Postgres."""

    async def work(self, claim: Claim, report: Report) -> T:
        """Do what the task is for, without writing its end. Raises Fault."""

    async def settle(self, claim: Claim, outcome: T | Fault) -> None:
        """Write the end, or put the task back, in one fenced transaction. Raises LeaseLost, TaskCancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRules:
    """Limits of an attempt: `lease` without a heartbeat, `soft_limit` in all."""

    lease: timedelta
    soft_limit: timedelta


class StoppedByWorker(Exception):
    """The worker is stopping."""


class Attempts:
    """Runs attempts in a child. Heartbeats have a connection of their own: a blocked write does not stop them."""

    def __init__(
        self,
        *,
        store: Store,
        pulse: Store,
        queue: TaskQueue,
        channel: ProgressChannel,
        rules: AttemptRules,
        stopping: asyncio.Event,
    ) -> None:
        self._store = store
        self._pulse = pulse
        self._queue = queue
        self._channel = channel
        self._rules = rules
        self._stopping = stopping
        self._nudges: dict[UUID, asyncio.Event] = {}

    async def listen_for_cancels(self, announced: AsyncIterator[UUID], *, also_tell: Callable[[UUID], None]) -> None:
        """At an announced cancel, do not wait for the next heartbeat to see in the row whether it is true.

        `also_tell` knows tasks that no attempt is about: site crawls, whose work is that of slices.
        """
        async for task_id in announced:
            also_tell(task_id)
            if nudge := self._nudges.get(task_id):
                nudge.set()

    async def run(self, task_id: UUID, job: Job[T]) -> None:
        """Claim the task and work at it. A message whose claim fails is dropped: duplicates are harmless."""
        clear()
        claim = await self._store.run(lambda uow: uow.tasks.claim(task_id, lease=self._rules.lease))
        if claim is None:
            logger(__name__).debug("message_dropped", task_id=str(task_id))
            return
        bind(**claim.log_context())
        try:
            await self._work(claim, job)
        except LeaseLost as error:
            logger(__name__).warning("lease_lost", cause=error.message)
        except DatabaseUnavailable as error:
            logger(__name__).error("attempt_abandoned", cause=error.message)
        finally:
            clear()

    async def _work(self, claim: Claim, job: Job[T]) -> None:
        reporter = Reporter(claim, self._channel)
        self._nudges[claim.task_id] = asyncio.Event()
        heartbeats = asyncio.create_task(self._beat(claim, reporter))
        try:
            await self._finish(claim, job, reporter, heartbeats)
        except TaskCancelled:
            await self._store.run(lambda uow: uow.tasks.cancel(claim))
            logger(__name__).info("task_cancelled")
        finally:
            del self._nudges[claim.task_id]
            heartbeats.cancel()
            with suppress(asyncio.CancelledError, LeaseLost, TaskCancelled, DatabaseUnavailable):
                await heartbeats
        await self._announce_end(claim, reporter)

    async def _finish(self, claim: Claim, job: Job[T], reporter: Reporter, heartbeats: asyncio.Task[None]) -> None:
        """Work and settle, or give the task back if the worker stops. Raises TaskCancelled, LeaseLost."""
        try:
            outcome = await self._first_end(claim, job.work(claim, reporter), heartbeats)
        except StoppedByWorker:
            await self._give_back(claim)
        else:
            await self._write_report(claim, reporter)
            await self._settle(job.settle(claim, outcome), heartbeats)

    async def _first_end(self, claim: Claim, job: Awaitable[T], heartbeats: asyncio.Task[None]) -> T | Fault:
        """Work until it is done, the time is up, the lease is gone, the owner cancels or the worker stops."""
        work = asyncio.create_task(_outcome(job))
        stop = asyncio.create_task(self._stopping.wait())
        limit = min(self._rules.soft_limit.total_seconds(), claim.timeout_seconds or math.inf)
        try:
            done, _ = await asyncio.wait({work, heartbeats, stop}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            if not work.done():
                await _cut_off(work)
        if work in done:
            return work.result()
        if heartbeats in done:
            await heartbeats  # raises why
        if stop in done:
            raise StoppedByWorker
        return RetryLater(ErrorCode.TIMEOUT, f"the task took longer than its limit of {limit:g} s")

    async def _settle(self, settle: Coroutine[Any, Any, None], heartbeats: asyncio.Task[None]) -> None:
        """Write the end; a cancel or a lost lease interrupts a statement that waits in Postgres."""
        settling = asyncio.create_task(settle)
        await asyncio.wait({settling, heartbeats}, return_when=asyncio.FIRST_COMPLETED)
        reason = heartbeats.exception() if heartbeats.done() else None
        if settling.done() or not isinstance(reason, (TaskCancelled, LeaseLost)):
            await settling
            return
        async with self._store.interrupted(by=self._pulse):
            await asyncio.wait({settling})
        if settling.exception() is not None:
            raise reason

    async def _beat(self, claim: Claim, reporter: Reporter) -> None:
        """Renew the lease until cancelled. Raises LeaseLost or TaskCancelled."""
        nudge = self._nudges[claim.task_id]
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(nudge.wait(), self._rules.lease.total_seconds() / HEARTBEATS_IN_LEASE)
            nudge.clear()
            if await self._pulse.run(partial(self._renew, claim, reporter.latest)):
                raise TaskCancelled

    async def _write_report(self, claim: Claim, reporter: Reporter) -> None:
        """Leave in the row how far it came: a quick end would be over before the first heartbeat."""
        if claim.owner is None or reporter.latest is None:
            return
        if await self._pulse.run(partial(self._renew, claim, reporter.latest)):
            raise TaskCancelled

    def _renew(self, claim: Claim, said: Reported | None, uow: UnitOfWork) -> bool:
        if said is None:
            return uow.tasks.renew(claim, lease=self._rules.lease)
        return uow.tasks.renew(
            claim, lease=self._rules.lease, step=said.step, progress=said.progress, message=said.message
        )

    async def _give_back(self, claim: Claim) -> None:
        """Return the task at once, uncounted, and put its message back on the queue."""
        await self._store.run(lambda uow: uow.tasks.release(claim, counted=False))
        await self._store.spanning(lambda transactions: publish_task(transactions, self._queue, claim.task_id))
        logger(__name__).info("task_given_back")

    async def _announce_end(self, claim: Claim, reporter: Reporter) -> None:
        """Tell whoever watches how the task ended; the system's own checks are watched by nobody."""
        if claim.owner is None:
            return
        task = await self._store.run(lambda uow: uow.tasks.get(claim.task_id, owner=None))
        if task is not None and task.state in FINAL_STATES:
            counts = reporter.latest.counts if reporter.latest else None
            await self._channel.publish(ProgressEvent.of(task, at=task.finished_at or datetime.now(UTC), counts=counts))


async def _outcome(work: Awaitable[T]) -> T | Fault:
    """The result or the fault of work; what nobody foresaw is a fault too, and is tried again."""
    try:
        return await work
    except (TaskFailure, HostBusy) as fault:
        return fault
    except (LeaseLost, DatabaseUnavailable):
        raise
    except Exception as error:  # noqa: BLE001  # the last line of defence of a task: logged, told, tried again
        logger(__name__).exception("unforeseen_error")
        return RetryLater(ErrorCode.INTERNAL, f"an unforeseen {type(error).__name__}; the log has its trace")


async def _cut_off(work: asyncio.Task[T | Fault]) -> None:
    """Cancel work and wait until its pages are closed and its host is released, but not for ever."""
    work.cancel()
    await asyncio.wait({work}, timeout=CUT_OFF_SECONDS)
    if not work.done():
        logger(__name__).warning("work_does_not_end", cause=f"cut off, and still running after {CUT_OFF_SECONDS} s")
