"""Puts what a slice did into the archive, then into the database: never a row without its bytes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID, uuid4

from crawl_worker.engine.store import Store
from crawl_worker.sites.web.crawl_news import CrawlNews
from crawl_worker.sites.web.judging import Outcome, failed
from crawl_worker.sites.web.link_rules import LinkRules
from crawl_worker.sites.web.settling import Batch, Settlement, StoredOutcome, page_rows, settle
from crawl_worker.sites.web.warc import CONTENT_TYPE, WarcObject
from nightjar.application.publishing import publish_task
from nightjar.database.crawls import Crawl
from nightjar.database.frontier import SliceLease
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.site_crawl import StoredBody
from nightjar.errors import ErrorCode, NightjarError
from nightjar.observability import logger
from nightjar.ports import Archive, ProgressChannel, TaskQueue

log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlWriter:
    """Writes for one slice."""

    store: Store
    archive: Archive
    queue: TaskQueue
    channel: ProgressChannel
    lease: SliceLease

    async def write(
        self, crawl: Crawl, outcomes: Sequence[Outcome], rules: LinkRules, lessons: dict[str, dict[str, object]]
    ) -> list[Settlement]:
        """Archive and settle; what cannot be written for reasons that nobody foresaw is not to stop all the rest.

        Raises CrawlEnded, LeaseLost, ArchiveUnavailable, DatabaseUnavailable.
        """
        try:
            return [await self._write(crawl, outcomes, rules, lessons)]
        except NightjarError:
            raise
        except Exception:  # told, then narrowed down to the page that it is about
            log.exception("batch_not_written", crawl_id=str(crawl.task_id), urls=len(outcomes))
        return [await self._write_alone(crawl, outcome, rules) for outcome in outcomes]

    async def _write_alone(self, crawl: Crawl, outcome: Outcome, rules: LinkRules) -> Settlement:
        """One page that cannot be written fails, so that it is not fetched for ever."""
        try:
            return await self._write(crawl, [outcome], rules, {})
        except NightjarError:
            raise
        except Exception as error:  # a page that Postgres or the archive cannot hold
            log.exception("page_not_written", crawl_id=str(crawl.task_id), url=outcome.leased.url)
            message = f"it cannot be stored ({type(error).__name__}); see the worker log"
            return await self._write(crawl, [failed(outcome.leased, ErrorCode.INTERNAL, message)], rules, {})

    async def _write(
        self, crawl: Crawl, outcomes: Sequence[Outcome], rules: LinkRules, lessons: dict[str, dict[str, object]]
    ) -> Settlement:
        batch = await asyncio.to_thread(_prepared, self.archive, crawl, outcomes, rules)
        batch = replace(batch, engine_choices=lessons)
        settlement = await self.store.run(partial(_settle, crawl.task_id, self.lease, batch))
        for task_id in settlement.to_publish:
            await self.store.spanning(partial(publish_task, queue=self.queue, task_id=task_id))
        if crawl.owner is not None:
            await CrawlNews(self.store, self.channel).tell(crawl.task_id)
        return settlement


def _settle(crawl_id: UUID, lease: SliceLease, batch: Batch, uow: UnitOfWork) -> Settlement:
    return settle(uow, crawl_id, lease, batch)


def _prepared(archive: Archive, crawl: Crawl, outcomes: Sequence[Outcome], rules: LinkRules) -> Batch:
    """Archive the pages, and make all that is to be written, before anybody has to wait for a lock."""
    name, pages = _archived(archive, crawl, outcomes)
    offers = rules.offers(link for outcome in outcomes for link in outcome.found)
    return Batch(outcomes=outcomes, pages=pages, archive_object=name, rules=rules, offers=offers)


def _archived(archive: Archive, crawl: Crawl, outcomes: Sequence[Outcome]) -> tuple[str | None, bytes]:
    """Pack the pages into one object and keep it; its name, and the rows of the pages."""
    if not any(outcome.page for outcome in outcomes):
        return None, b""
    name = f"crawls/{crawl.task_id}/{uuid4()}.warc.gz"
    warc = WarcObject(crawl=str(crawl.task_id), user_agent=crawl.user_agent)
    stored = [_added(warc, name, outcome) for outcome in outcomes if outcome.page is not None]
    archive.put(name, warc.close(), CONTENT_TYPE)
    return name, page_rows(crawl.task_id, stored)


def _added(warc: WarcObject, name: str, outcome: Outcome) -> StoredOutcome:
    if outcome.page is None:
        return StoredOutcome(outcome=outcome)
    offset, length = warc.add(outcome.page)
    body = StoredBody(archive_object=name, offset=offset, length=length)
    if outcome.page.screenshot is None:
        return StoredOutcome(outcome=outcome, body=body)
    place = warc.add_screenshot(outcome.page)
    return StoredOutcome(outcome=outcome, body=body, screenshot=f"{name}#{place[0]}+{place[1]}")
