"""Site crawls: started, cancelled, ended. The work in between is that of slices (`crawl_slice`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from nightjar.database.crawls import Crawl, CrawlFault
from nightjar.database.tasks import NewTask
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.site_crawl import CrawlCounts, CrawlOrder, Engine, Scope, SkipReason
from nightjar.domain.task import Task, TaskState
from nightjar.errors import ErrorCode
from nightjar.tasks import ROUTES, TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlStart:
    """Who starts a crawl, and how: `host` (host:port) and `origin` are those of the start page."""

    owner: str | None
    correlation_id: str
    host: str
    origin: str
    delay: timedelta
    """Between two requests to a host, where the order names none."""

    urgent: bool = False
    """Somebody waits for the answer: its pages come before those of other crawls."""

    timeout: timedelta | None = None
    retry_of: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedCrawl:
    """The task of a new crawl, and the slices that need a message once this is committed."""

    task_id: UUID
    slices: tuple[UUID, ...]


def start(uow: UnitOfWork, order: CrawlOrder, start: CrawlStart) -> StartedCrawl:
    """Store a new crawl, and see to it that somebody works at it."""
    task_id = uow.tasks.add(
        NewTask(
            kind=TaskKind.CRAWL,
            queue=ROUTES[TaskKind.CRAWL],
            owner=start.owner,
            payload=payload_of(order),
            correlation_id=start.correlation_id,
            timeout_seconds=None if start.timeout is None else int(start.timeout.total_seconds()),
            retry_of=start.retry_of,
        )
    )
    uow.crawls.add(
        task_id,
        order,
        owner=start.owner,
        delay=start.delay if order.delay is None else order.delay,
        urgent=start.urgent,
        timeout=start.timeout,
        host=start.host,
        origin=start.origin,
    )
    return StartedCrawl(task_id=task_id, slices=tuple(uow.crawl_slices.open(1, correlation_id=start.correlation_id)))


def payload_of(order: CrawlOrder) -> dict[str, object]:
    """What the row of the task keeps: enough to start the same crawl again."""
    return {
        "url": order.url,
        "depth": order.depth,
        "limit": order.limit,
        "engine": order.engine,
        "scope": order.scope,
        "include": list(order.include),
        "exclude": list(order.exclude),
        "screenshots": order.screenshots,
        "structure": order.structure,
        "delay": None if order.delay is None else order.delay.total_seconds(),
    }


def order_of(crawl: Crawl) -> CrawlOrder:
    """The order that a crawl was made of."""
    return CrawlOrder(
        url=crawl.start_url,
        depth=crawl.depth,
        limit=crawl.page_limit,
        engine=Engine(crawl.engine),
        scope=Scope(crawl.scope),
        include=crawl.include,
        exclude=crawl.exclude,
        screenshots=crawl.screenshots,
        structure=crawl.structure,
        delay=crawl.delay,
    )


def cancel(uow: UnitOfWork, task: Task) -> bool:
    """End a crawl at once: what its pages are is kept, what was found and not fetched counts as skipped.

    Workers that hold URLs of it notice when they are told, or when they bring them back. Whether it was still open.
    """
    uow.crawls.lock(task.id)
    uow.crawls.close(task.id, reason=SkipReason.CANCELLED)
    return uow.crawls.end_task(task.id, TaskState.CANCELLED)


def end_if_done(uow: UnitOfWork, crawl: Crawl, counts: CrawlCounts) -> list[UUID]:
    """End a locked, open crawl of which nothing is left to do, or have its pages analysed first.

    The tasks that need a message once this is committed.
    """
    is_more = counts.queued or crawl.sitemaps
    if counts.leased or (is_more and counts.done < crawl.page_limit):
        return []
    if not counts.done:
        fail_without_pages(uow, crawl)
        return []
    if not crawl.structure:
        complete(uow, crawl.task_id)
        return []
    uow.crawls.begin_analysing(crawl.task_id)
    uow.crawls.report(crawl.task_id, step="analysing", progress=60, total=counts.done, message=f"{counts.done} pages")
    return [add_analysis(uow, crawl.task_id)]


def add_analysis(uow: UnitOfWork, crawl_id: UUID) -> UUID:
    """The task that analyses the pages of a crawl."""
    return uow.tasks.add(
        NewTask(
            kind=TaskKind.ANALYSE_STRUCTURE,
            queue=ROUTES[TaskKind.ANALYSE_STRUCTURE],
            payload={"crawl_id": str(crawl_id)},
            correlation_id=str(crawl_id),
            exclusive_key=f"structure:{crawl_id}",
        )
    )


def complete(uow: UnitOfWork, crawl_id: UUID) -> bool:
    """Give the crawl its good end and its result. False if it had ended before."""
    uow.crawls.close(crawl_id, reason=SkipReason.LIMIT)
    return uow.crawls.end_task(crawl_id, TaskState.COMPLETED, result=result_of(uow, crawl_id))


def fail(uow: UnitOfWork, crawl_id: UUID, fault: CrawlFault, *, reason: SkipReason) -> bool:
    """Give the crawl a bad end; its pages stay. False if it had ended before."""
    uow.crawls.close(crawl_id, reason=reason)
    return uow.crawls.end_task(crawl_id, TaskState.FAILED, fault=fault, result=result_of(uow, crawl_id))


def fail_without_pages(uow: UnitOfWork, crawl: Crawl) -> None:
    """Not one page could be had: the crawl fails for the reason that its start page failed."""
    fail(uow, crawl.task_id, _reason_of_nothing(uow, crawl), reason=SkipReason.LIMIT)


def result_of(uow: UnitOfWork, crawl_id: UUID) -> Mapping[str, object]:
    """The sums of a crawl, as they stand in the result of its task."""
    crawl = uow.crawls.get(crawl_id, owner=None)
    counts = crawl.counts if crawl else None
    engines = uow.crawls.pages_by_engine(crawl_id)
    pages = sum(engines.values())
    return {
        "pages_crawled": pages,
        "total_nodes": pages + uow.sections.count(crawl_id),
        "discovered": counts.discovered if counts else 0,
        "failed": counts.failed if counts else 0,
        "skipped": counts.skipped if counts else 0,
        "engines": engines,
        "browser_share": round(engines.get("browser", 0) / pages, 4) if pages else 0.0,
        "execution_time": round(uow.crawls.elapsed_seconds(crawl_id), 3),
    }


def _reason_of_nothing(uow: UnitOfWork, crawl: Crawl) -> CrawlFault:
    page = uow.crawls.start_page(crawl.task_id)
    if page is None:
        return CrawlFault(
            code=ErrorCode.INTERNAL, message=f"{crawl.start_url} was never looked at; start again", retryable=True
        )
    if page.error_code:
        retryable = page.error_code in {ErrorCode.TIMEOUT, ErrorCode.UPSTREAM_ERROR, ErrorCode.WORKER_LOST}
        message = f"{crawl.start_url} gives no page: {page.error_message or page.error_code}"
        return CrawlFault(code=page.error_code, message=message, retryable=retryable)
    code, sentence = _SKIPPED_START.get(page.reason or "", (ErrorCode.NOT_FOUND, "it leads to no page of this crawl"))
    sentence = f"{sentence} ({page.error_message})" if page.error_message else sentence
    retryable = page.reason == SkipReason.ROBOTS_UNAVAILABLE
    return CrawlFault(code=code, message=f"{crawl.start_url} gives no page: {sentence}", retryable=retryable)


_SKIPPED_START: Mapping[str, tuple[ErrorCode, str]] = {
    SkipReason.ROBOTS: (ErrorCode.ROBOTS_DISALLOWED, "robots.txt of the site disallows it"),
    SkipReason.ROBOTS_UNAVAILABLE: (
        ErrorCode.UPSTREAM_ERROR,
        "robots.txt of the site could not be read, which means that nobody may crawl now",
    ),
    SkipReason.NOINDEX: (ErrorCode.ROBOTS_DISALLOWED, "it asks not to be kept (noindex)"),
}
