"""The task of a slice: it works at all site crawls for a while, and comes back as long as there is work."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from crawl_worker.engine.attempt import Fault
from crawl_worker.engine.reporter import Report
from crawl_worker.sites.web.crawl_slice import CrawlSlice
from crawl_worker.sites.web.slice_parts import SliceRules, SliceTools
from nightjar.application.publishing import publish_task
from nightjar.database.crawls import CountChange
from nightjar.database.frontier import SliceLease
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.task import MAX_CLAIMS, Claim, retry_delay
from nightjar.errors import ErrorCode, HostBusy, RetryLater
from nightjar.observability import logger
from nightjar.ports import ArchiveUnavailable

SOON = timedelta(seconds=15)
"""What is due within this time is worth coming back at once; for the rest the janitor opens slices when it is due."""

log = logger(__name__)


class CrawlSliceJob:
    """Fulfils `engine.attempt.Job` for one attempt at a slice."""

    def __init__(self, tools: SliceTools, rules: SliceRules, *, watch: Callable[["CrawlSlice | None"], None]) -> None:
        self._tools = tools
        self._rules = rules
        self._watch = watch

    async def work(self, claim: Claim, report: Report) -> int:  # noqa: ARG002  # a slice is watched by nobody
        """Work until the time is up; the number of pages that were stored. Raises RetryLater."""
        lease = SliceLease(slice_id=claim.task_id, attempt=claim.attempt)
        crawl_slice = CrawlSlice(self._tools, self._rules, lease)
        self._watch(crawl_slice)
        try:
            return await crawl_slice.run()
        except ArchiveUnavailable as error:
            raise RetryLater(ErrorCode.INTERNAL, error.message) from error
        except asyncio.CancelledError:  # the worker stops: others go on at once with what was in hand
            await asyncio.shield(self._tools.store.run(partial(give_back, lease=lease, pause=self._rules.pause)))
            raise
        finally:
            self._watch(None)

    async def settle(self, claim: Claim, outcome: int | Fault) -> None:
        """Give back what is left in hand, then come back for more, or end. Raises LeaseLost."""
        again = await self._tools.store.run(partial(_settle, claim=claim, outcome=outcome, pause=self._rules.pause))
        if isinstance(outcome, int):
            log.info("slice_ended", pages=outcome, comes_back=again)
        else:
            log.warning("slice_failed", cause=str(outcome))
        task_ids = [claim.task_id] if again else await self._tools.store.run(_open_if_due)
        for task_id in task_ids:
            await self._tools.store.spanning(partial(publish_task, queue=self._tools.queue, task_id=task_id))


def give_back(uow: UnitOfWork, lease: SliceLease, *, pause: timedelta) -> None:
    """Queue what an attempt still has in hand, and let others to its hosts."""
    for crawl_id in uow.frontier.held_crawls(lease):
        crawl = uow.crawls.lock(crawl_id)
        urls = uow.frontier.give_back(crawl_id, lease)
        if crawl is None or crawl.state == "closed":  # its counts hold these as skipped already
            continue
        uow.crawls.count(crawl_id, CountChange(queued=len(urls), leased=-len(urls)))
        for host in set(urls):
            uow.crawls.set_due(crawl_id, host, datetime.now().astimezone())
    uow.host_lanes.release_all(lease.slice_id, pause=pause)


def _settle(uow: UnitOfWork, *, claim: Claim, outcome: int | Fault, pause: timedelta) -> bool:
    """Whether the slice comes back at once."""
    give_back(uow, SliceLease(slice_id=claim.task_id, attempt=claim.attempt), pause=pause)
    if not isinstance(outcome, int):
        _after_a_fault(uow, claim, outcome)
        return False
    seconds = uow.crawls.seconds_to_next_due()
    if seconds is None or seconds > SOON.total_seconds():
        uow.tasks.complete(claim, {"pages": outcome})  # a slice that waited would keep its number from new crawls
        return False
    uow.tasks.release(claim, counted=False)
    return True


def _after_a_fault(uow: UnitOfWork, claim: Claim, fault: Fault) -> None:
    if claim.tries >= MAX_CLAIMS or isinstance(fault, HostBusy):
        code = fault.code if not isinstance(fault, HostBusy) else ErrorCode.INTERNAL
        uow.tasks.fail(claim, code, fault.message, retryable=True)
    else:
        uow.tasks.release(claim, counted=True, delay=retry_delay(claim.tries, base=timedelta(seconds=5), jitter=0))


def _open_if_due(uow: UnitOfWork) -> list[UUID]:
    """Work may have come in while this slice ended, when its number was still taken."""
    due = uow.crawls.due_hosts(limit=1)
    return uow.crawl_slices.open(1, correlation_id="crawl_slice") if due else []
