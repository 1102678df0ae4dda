"""The job of a list that goes over many pages: read those that its length calls for, and tell what each one is."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from time import monotonic

from crawl_worker.engine.attempt import Fault
from crawl_worker.engine.reporter import Report
from crawl_worker.engine.store import Store
from crawl_worker.sites.web.polite_pages import PolitePages, ReadPage
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.page_list import PageListOrder
from nightjar.domain.pagination_plan import PaginationPlan, plan_of
from nightjar.domain.site_crawl import Engine
from nightjar.domain.task import MAX_CLAIMS, Claim, retry_delay
from nightjar.errors import Blocked, ErrorCode, GiveUp, HostBusy, RetryLater, TaskFailure
from nightjar.observability import logger

MAX_TEXT = 2_000
"""Characters of a page's text in the result: lists of tasks show results whole."""

SHARE_FOR_READING = 0.8
"""Of the time limit: pages that are left then are told as such, so that what was read is kept."""

log = logger(__name__)


class OutOfTime(RetryLater):
    """The time limit of a task left no time for a page."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.TIMEOUT, "the time limit of the task left no time for it")


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedPage:
    """A page of the list that could not be read."""

    number: int
    url: str
    failure: TaskFailure


@dataclass(slots=True)
class PageList:
    """What was read of a list so far."""

    order: PageListOrder
    plan: PaginationPlan
    read: dict[int, ReadPage] = field(default_factory=dict)
    failed: dict[int, FailedPage] = field(default_factory=dict)

    def result(self) -> dict[str, object]:
        """As it stands in the result of the task."""
        return {
            "strategy": self.plan.strategy,
            "pages_crawled": len(self.read),
            "total_pages": self.plan.total_pages,
            "results": [_shown(number, self.order.url_of(number), self.read[number]) for number in sorted(self.read)],
            "errors": [_told(self.failed[number]) for number in sorted(self.failed)],
        }


class PaginationJob:
    """One attempt at one list. `pages_of` makes a reader of pages for this attempt."""

    def __init__(
        self,
        store: Store,
        pages_of: Callable[[Engine], PolitePages],
        *,
        retry_delay: timedelta,
        time_limit: timedelta,
    ) -> None:
        self._store = store
        self._pages_of = pages_of
        self._retry_delay = retry_delay
        self._time_limit = time_limit

    async def work(self, claim: Claim, report: Report) -> PageList:
        """All pages of the plan that can be read. Raises HostBusy, or the failure of a list without any page."""
        order = PageListOrder.of(claim.payload)
        found = PageList(order, plan_of(order.total_pages))
        until = monotonic() + SHARE_FOR_READING * self._limit(claim)
        await report("working", message=f"reading {len(found.plan.pages)} of {order.total_pages} pages")
        async with self._pages_of(order.engine) as pages:
            await self._read_all(pages, found, found.plan.pages, report, until=until)
            passing = [number for number, one in found.failed.items() if isinstance(one.failure, RetryLater)]
            await self._read_all(pages, found, passing, report, until=until)
        if not found.read:
            raise _failure_of_all(found.failed.values())
        return found

    async def settle(self, claim: Claim, outcome: PageList | Fault) -> None:
        """Complete, put back, or fail. Raises LeaseLost, TaskCancelled."""
        if isinstance(outcome, PageList):
            await self._store.run(lambda uow: uow.tasks.complete(claim, outcome.result()))
            log.info("list_read", pages=len(outcome.read), failed=len(outcome.failed), strategy=outcome.plan.strategy)
            return
        put_back = await self._store.run(partial(_end, claim=claim, fault=outcome, base=self._retry_delay))
        log.warning("list_not_read", cause=outcome.message, comes_back=put_back)

    async def _read_all(
        self, pages: PolitePages, found: PageList, numbers: Sequence[int], report: Report, *, until: float
    ) -> None:
        """Read pages until the time is up or the host wants to be left alone; then the rest fails for that reason."""
        stopped: TaskFailure | None = None
        for number in numbers:
            url = found.order.url_of(number)
            try:
                if stopped is not None:
                    raise stopped
                found.read[number] = await _in_time(pages.read(url), until)
                found.failed.pop(number, None)
            except HostBusy as busy:
                if not found.read:
                    raise
                stopped = Blocked(busy.message)
                found.failed[number] = FailedPage(number=number, url=url, failure=stopped)
            except TaskFailure as failure:
                found.failed[number] = FailedPage(number=number, url=url, failure=failure)
                stopped = failure if isinstance(failure, (Blocked, OutOfTime)) else stopped
            counts = {"pages": len(found.read), "failed": len(found.failed)}
            await report("working", message=f"{len(found.read)} of {len(found.plan.pages)} pages", counts=counts)

    def _limit(self, claim: Claim) -> float:
        limit = self._time_limit.total_seconds()
        return min(limit, claim.timeout_seconds or limit)


async def _in_time(reading: Awaitable[ReadPage], until: float) -> ReadPage:
    """The page, if it is read before the moment `until`. Raises OutOfTime, and what reading raises."""
    limit = asyncio.timeout(max(0.0, until - monotonic()))
    try:
        async with limit:
            return await reading
    except TimeoutError:
        if limit.expired():
            raise OutOfTime from None
        raise


def _failure_of_all(failed: Iterable[FailedPage]) -> TaskFailure:
    """Why not one page could be read: a fault that passes, if any of them had one."""
    failures = [one.failure for one in failed]
    return next((one for one in failures if isinstance(one, RetryLater)), failures[0])


def _end(uow: UnitOfWork, *, claim: Claim, fault: Fault, base: timedelta) -> bool:
    """Whether the task waits for another attempt."""
    if isinstance(fault, HostBusy):
        uow.tasks.release(claim, counted=False, not_before=fault.not_before)
        return True
    if isinstance(fault, RetryLater) and claim.tries < MAX_CLAIMS:
        jitter = random.random()  # noqa: S311  # spreads retries, guards nothing
        uow.tasks.release(claim, counted=True, delay=retry_delay(claim.tries, base=base, jitter=jitter))
        return True
    uow.tasks.fail(claim, fault.code, fault.message, retryable=not isinstance(fault, GiveUp))
    return False


def _shown(number: int, url: str, read: ReadPage) -> dict[str, object]:
    page, document = read.page, read.document
    return {
        "page": number,
        "url": url,
        "final_url": page.final_url,
        "status": page.status,
        "title": document.title,
        "text": document.text[:MAX_TEXT],
        "text_length": len(document.text),
        "links_count": len({link.url for link in document.links}),
        "engine": page.engine,
        "engine_reason": read.engine_reason,
        "content_type": page.content_type,
        "fetched_at": page.started_at.isoformat(),
    }


def _told(failed: FailedPage) -> dict[str, object]:
    return {
        "page": failed.number,
        "url": failed.url,
        "code": failed.failure.code,
        "message": failed.failure.message,
    }
