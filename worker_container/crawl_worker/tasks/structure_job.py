"""The job of analysing the stored pages of a crawl: a while at a time, as many workers as there are."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from threading import Event
from uuid import UUID

from crawl_worker.engine.attempt import Fault
from crawl_worker.engine.reporter import Report
from crawl_worker.engine.store import Store
from crawl_worker.sites.web.analysis import AnalysedObject, analysed
from crawl_worker.sites.web.crawl_news import CrawlNews
from crawl_worker.sites.web.urls import hash_of
from nightjar.application.publishing import publish_task
from nightjar.application.structuring import ObjectToAnalyse, add_helpers, end_analysis, keep_object, take_object
from nightjar.database.page_structures import AnalysisProgress
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.task import MAX_CLAIMS, Claim, retry_delay
from nightjar.errors import ErrorCode, HostBusy, RetryLater
from nightjar.observability import logger
from nightjar.ports import Archive, ArchiveUnavailable, TaskQueue

LOOK_AGAIN = timedelta(seconds=2)
"""While others have the last objects in hand."""

log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureTools:
    """What all analyses of a child share."""

    store: Store
    queue: TaskQueue
    archive: Archive
    news: CrawlNews


@dataclass(frozen=True, slots=True)
class Analysed:
    """What an attempt did. `in_other_hands`: it found nothing left to take."""

    pages: int
    in_other_hands: bool


class StructureJob:
    """Fulfils `engine.attempt.Job`. Works for `span`, then its task comes back, which costs it no attempt."""

    def __init__(self, tools: StructureTools, *, span: timedelta = timedelta(seconds=45)) -> None:
        self._tools = tools
        self._span = span

    async def work(self, claim: Claim, report: Report) -> Analysed:  # noqa: ARG002  # the crawl's own task is watched
        """Analyse object after object. Raises RetryLater, LeaseLost."""
        crawl_id = _crawl_of(claim)
        until = asyncio.get_running_loop().time() + self._span.total_seconds()
        await self._publish(await self._tools.store.run(lambda uow: add_helpers(uow, claim, crawl_id)))
        pages = 0
        while asyncio.get_running_loop().time() < until:
            taken = await self._tools.store.run(lambda uow: take_object(uow, claim, crawl_id))
            if taken is None:
                return Analysed(pages, in_other_hands=True)
            found = await self._analyse(taken)
            progress = await self._tools.store.run(partial(_keep, claim, crawl_id, taken, found))
            await self._tools.news.tell(crawl_id)
            pages += len(taken.pages)
            log.debug("object_analysed", pages=len(taken.pages), analysed=progress.analysed, of=progress.pages)
        return Analysed(pages, in_other_hands=False)

    async def settle(self, claim: Claim, outcome: Analysed | Fault) -> None:
        """End with the last object, else come back. Raises LeaseLost, TaskCancelled."""
        if not isinstance(outcome, Analysed):
            await self._tools.store.run(lambda uow: _fail(uow, claim, outcome))
            log.warning("analysis_failed", cause=outcome.message)
            return
        is_over = await self._tools.store.run(partial(_settle, claim, outcome))
        log.info("pages_analysed", pages=outcome.pages, comes_back=not is_over)
        if is_over:
            await self._tools.news.tell(_crawl_of(claim))
        elif not outcome.in_other_hands:
            await self._publish([claim.task_id])

    async def _analyse(self, taken: ObjectToAnalyse) -> AnalysedObject:
        """In a thread: the loop goes on; a cut-off ends the thread with the page that it is at."""
        stop = Event()
        try:
            return await asyncio.to_thread(analysed, self._tools.archive, taken.name, taken.pages, stop)
        except ArchiveUnavailable as error:
            raise RetryLater(ErrorCode.INTERNAL, error.message) from error
        finally:
            stop.set()

    async def _publish(self, task_ids: list[UUID]) -> None:
        for task_id in task_ids:
            await self._tools.store.spanning(partial(publish_task, queue=self._tools.queue, task_id=task_id))


def _crawl_of(claim: Claim) -> UUID:
    return UUID(str(claim.payload["crawl_id"]))


def _keep(
    claim: Claim, crawl_id: UUID, taken: ObjectToAnalyse, found: AnalysedObject, uow: UnitOfWork
) -> AnalysisProgress:
    return keep_object(uow, claim, crawl_id, taken.name, found.pages, found.links, hash_of=hash_of)


def _settle(claim: Claim, outcome: Analysed, uow: UnitOfWork) -> bool:
    """Whether the task has ended."""
    if end_analysis(uow, claim, _crawl_of(claim)):
        return True
    uow.tasks.release(claim, counted=False, delay=LOOK_AGAIN if outcome.in_other_hands else timedelta(0))
    return False


def _fail(uow: UnitOfWork, claim: Claim, fault: Fault) -> None:
    if claim.tries >= MAX_CLAIMS or isinstance(fault, HostBusy):
        code = ErrorCode.INTERNAL if isinstance(fault, HostBusy) else fault.code
        uow.tasks.fail(claim, code, fault.message, retryable=True)
    else:
        uow.tasks.release(claim, counted=True, delay=retry_delay(claim.tries, base=timedelta(seconds=5), jitter=0))
