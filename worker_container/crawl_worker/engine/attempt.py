"""One attempt at a task: claimed, kept alive by heartbeats, and settled exactly once."""

import asyncio
import math
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar
from uuid import UUID

from crawl_worker.engine.store import Store
from nightjar.application.publishing import publish_task
from nightjar.database.engine import DatabaseUnavailable
from nightjar.domain.task import Claim
from nightjar.errors import ErrorCode, HostBusy, LeaseLost, RetryLater, TaskCancelled, TaskFailure
from nightjar.observability import bind, clear, logger
from nightjar.ports import TaskQueue

T = TypeVar("T")

HEARTBEATS_IN_LEASE = 6
"""A lease survives five lost heartbeats."""

Fault = TaskFailure | HostBusy


class Job(Protocol[T]):
    """What a kind of task does. `work` may be cut off at any await; `settle` is never cut off by us."""

    async def work(self, claim: Claim) -> T:
        """Do what the task is for, without writing its end. Raises Fault."""

    async def settle(self, claim: Claim, outcome: T | Fault) -> None:
        """Write the end, or put the task back, in one fenced transaction. Raises LeaseLost."""


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
        self, *, store: Store, pulse: Store, queue: TaskQueue, rules: AttemptRules, stopping: asyncio.Event
    ) -> None:
        self._store = store
        self._pulse = pulse
        self._queue = queue
        self._rules = rules
        self._stopping = stopping

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
        heartbeats = asyncio.create_task(self._beat(claim))
        try:
            outcome = await self._first_end(claim, job, heartbeats)
            await job.settle(claim, outcome)
        except StoppedByWorker:
            await self._give_back(claim)
        except TaskCancelled:
            await self._store.run(lambda uow: uow.tasks.cancel(claim))
            logger(__name__).info("task_cancelled")
        finally:
            heartbeats.cancel()
            with suppress(asyncio.CancelledError, LeaseLost, TaskCancelled, DatabaseUnavailable):
                await heartbeats

    async def _first_end(self, claim: Claim, job: Job[T], heartbeats: asyncio.Task[None]) -> T | Fault:
        """Work until it is done, the time is up, the lease is gone, the owner cancels or the worker stops."""
        work = asyncio.create_task(_outcome(job.work(claim)))
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

    async def _beat(self, claim: Claim) -> None:
        """Renew the lease until cancelled. Raises LeaseLost or TaskCancelled."""
        while True:
            await asyncio.sleep(self._rules.lease.total_seconds() / HEARTBEATS_IN_LEASE)
            cancelled = await self._pulse.run(lambda uow: uow.tasks.renew(claim, lease=self._rules.lease))
            if cancelled:
                raise TaskCancelled

    async def _give_back(self, claim: Claim) -> None:
        """Return the task at once, uncounted, and put its message back on the queue."""
        await self._store.run(lambda uow: uow.tasks.release(claim, counted=False))
        await self._store.spanning(lambda transactions: publish_task(transactions, self._queue, claim.task_id))
        logger(__name__).info("task_given_back")


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
    """Cancel work and wait until its pages are closed and its host is released."""
    work.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await work
