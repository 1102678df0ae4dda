"""What the janitor does for site crawls: whatever a dead worker left undone is done by somebody else."""

from datetime import datetime
from uuid import UUID

from nightjar.application.site_crawls import add_analysis, end_if_done, fail
from nightjar.database.crawls import CountChange, CrawlFault
from nightjar.database.engine import Transactions
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.site_crawl import PageState, SkipReason
from nightjar.domain.task import MAX_CLAIMS
from nightjar.errors import ErrorCode

SLICES_AT_ONCE = 4
"""The janitor opens no more: a slice that cannot cope opens the next one by itself."""


def return_orphaned_urls(transactions: Transactions) -> int:
    """Queue the URLs that dead workers held; how many."""
    with transactions() as uow:
        crawl_ids = uow.frontier.orphaned_crawls()
    returned = 0
    for crawl_id in crawl_ids:
        with transactions() as uow:
            crawl = uow.crawls.lock(crawl_id)
            ends = uow.frontier.return_orphans(crawl_id, limit=MAX_CLAIMS)
            if crawl is None or crawl.state == "closed":  # its counts hold these as skipped already
                continue
            queued = sum(state is PageState.QUEUED for _, state in ends)
            change = CountChange(queued=queued, failed=len(ends) - queued, leased=-len(ends))
            counts = uow.crawls.count(crawl_id, change)
            for host in {host for host, _ in ends}:
                uow.crawls.set_due(crawl_id, host, datetime.now().astimezone())
            end_if_done(uow, crawl, counts)
            returned += queued
    return returned


def end_overdue_crawls(transactions: Transactions) -> int:
    """Fail the crawls that took longer than they may; what they have stays. How many."""
    with transactions() as uow:
        overdue = uow.crawl_repairs.overdue()
    fault = CrawlFault(code=ErrorCode.TIMEOUT, message="the crawl took longer than its options.timeout", retryable=True)
    for crawl_id in overdue:
        with transactions() as uow:
            uow.crawls.lock(crawl_id)
            fail(uow, crawl_id, fault, reason=SkipReason.TIMEOUT)
    return len(overdue)


def end_idle_crawls(transactions: Transactions) -> int:
    """End crawls with nothing left to do, and bring analyses that were lost back to life; how many."""
    with transactions() as uow:
        idle, unanalysed = uow.crawl_repairs.out_of_work(), uow.crawl_repairs.analysed_by_nobody()
    for crawl_id in idle:
        with transactions() as uow:
            crawl = uow.crawls.lock(crawl_id)
            if crawl is not None and crawl.state == "open":
                end_if_done(uow, crawl, crawl.counts)
    for crawl_id in unanalysed:
        with transactions() as uow:
            crawl = uow.crawls.lock(crawl_id)
            if crawl is not None and crawl.state == "analysing":
                _analyse_again(uow, crawl_id)
    return len(idle) + len(unanalysed)


def _analyse_again(uow: UnitOfWork, crawl_id: UUID) -> None:
    """An analysis that failed for good ends the crawl with its pages; one that never was is added."""
    if not uow.crawl_repairs.analysis_failed(crawl_id):
        add_analysis(uow, crawl_id)
        return
    message = "the pages were stored, but analysing them failed; start the crawl again, or with structure=false"
    fail(
        uow,
        crawl_id,
        CrawlFault(code=ErrorCode.STEP_FAILED, message=message, retryable=True),
        reason=SkipReason.LIMIT,
    )


def open_missing_slices(transactions: Transactions) -> int:
    """See to it that somebody works where there is work; how many slices were opened."""
    with transactions() as uow:
        due = uow.crawls.due_hosts(limit=SLICES_AT_ONCE)
        return len(uow.crawl_slices.open(min(len(due), SLICES_AT_ONCE), correlation_id="janitor")) if due else 0
