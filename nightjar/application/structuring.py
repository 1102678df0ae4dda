"""The analysis of a crawl's pages in the database: object by object, each in one transaction, and the end of it all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from nightjar.application.site_crawls import complete
from nightjar.database.page_links import FoundLink
from nightjar.database.page_structures import AnalysedPage, AnalysisProgress, PageToAnalyse
from nightjar.database.tasks import ExclusiveKeyTaken, NewTask
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.pagination_plan import Pagination, plan_of
from nightjar.domain.task import Claim
from nightjar.errors import LeaseLost
from nightjar.tasks import ROUTES, TaskKind

MAX_HELPERS = 3
OBJECTS_FOR_A_HELPER = 5
"""A crawl with this many objects for each task gets a further one."""

MAX_LISTS = 500
"""Lists of pages that a plan is made for, the largest first."""

MAX_HOPS = 5
"""Redirects and other spellings between a link and its page."""

ANALYSING_FROM, ANALYSING_TO = 60, 99
"""The progress of a crawl, in percent, while its pages are analysed."""


@dataclass(frozen=True, slots=True)
class ObjectToAnalyse:
    """An object in hand."""

    name: str
    pages: tuple[PageToAnalyse, ...]


def take_object(uow: UnitOfWork, claim: Claim, crawl_id: UUID) -> ObjectToAnalyse | None:
    """The next object of a crawl that is being analysed; None if there is none, or the crawl has ended."""
    crawl = uow.crawls.get(crawl_id, owner=None)
    if crawl is None or crawl.state != "analysing":
        return None
    name = uow.page_structures.claim_object(crawl_id, task_id=claim.task_id, attempt=claim.attempt)
    return None if name is None else ObjectToAnalyse(name, tuple(uow.page_structures.pages_of(name)))


def add_helpers(uow: UnitOfWork, claim: Claim, crawl_id: UUID) -> list[UUID]:
    """Further tasks for a crawl with many pages, for workers that have nothing else to do."""
    if claim.payload.get("helps"):
        return []
    left = uow.page_structures.progress(crawl_id).objects_left
    added: list[UUID] = []
    for number in range(min(MAX_HELPERS, left // OBJECTS_FOR_A_HELPER)):
        try:
            added.append(uow.tasks.add(_helper(crawl_id, number, claim.correlation_id)))
        except ExclusiveKeyTaken:
            continue
    return added


def _helper(crawl_id: UUID, number: int, correlation_id: str) -> NewTask:
    return NewTask(
        kind=TaskKind.ANALYSE_STRUCTURE,
        queue=ROUTES[TaskKind.ANALYSE_STRUCTURE],
        payload={"crawl_id": str(crawl_id), "helps": True},
        correlation_id=correlation_id,
        exclusive_key=f"structure:{crawl_id}:{number}",
    )


def keep_object(
    uow: UnitOfWork,
    claim: Claim,
    crawl_id: UUID,
    name: str,
    pages: Sequence[AnalysedPage],
    links: Sequence[FoundLink],
    *,
    hash_of: Callable[[str], UUID],
) -> AnalysisProgress:
    """Store what was understood of an object; how far the crawl is. Raises LeaseLost if it is in other hands."""
    if not uow.page_structures.finish_object(name, task_id=claim.task_id, attempt=claim.attempt):
        raise LeaseLost(f"the object {name} of crawl {crawl_id} is analysed by somebody else")
    uow.page_structures.store(pages)
    uow.page_links.add(crawl_id, _led_to_their_pages(uow, crawl_id, links, hash_of))
    progress = uow.page_structures.progress(crawl_id)
    span = ANALYSING_TO - ANALYSING_FROM
    uow.crawls.report(
        crawl_id,
        step="analysing",
        progress=ANALYSING_FROM + span * progress.analysed // max(1, progress.pages),
        total=progress.pages,
        message=f"{progress.analysed} of {progress.pages} pages analysed",
    )
    return progress


def _led_to_their_pages(
    uow: UnitOfWork, crawl_id: UUID, links: Sequence[FoundLink], hash_of: Callable[[str], UUID]
) -> list[FoundLink]:
    """The links with redirects and other spellings followed."""
    moved: dict[UUID, UUID] = {}
    wanted = {link.target for link in links}
    for _ in range(MAX_HOPS):
        if not wanted:
            break
        found = {source: hash_of(url) for source, url in uow.page_links.moved(crawl_id, sorted(wanted)).items()}
        moved |= found
        wanted = set(found.values()) - set(moved)
    return [replace(link, target=_end_of(link.target, moved)) for link in links]


def _end_of(target: UUID, moved: dict[UUID, UUID]) -> UUID:
    for _ in range(MAX_HOPS):
        if target not in moved:
            break
        target = moved[target]
    return target


def end_analysis(uow: UnitOfWork, claim: Claim, crawl_id: UUID) -> bool:
    """End the task, and the crawl with it if all is analysed. False if there is more to do: the task is not ended."""
    crawl = uow.crawls.lock(crawl_id)
    if crawl is not None and crawl.state == "analysing":
        if uow.page_structures.progress(crawl_id).objects_left:
            return False
        uow.page_structures.keep_plan(crawl_id, [_plan(found) for found in _lists(uow, crawl_id)])
        complete(uow, crawl_id)
    uow.tasks.complete(claim, {"crawl_id": str(crawl_id)})
    return True


def _lists(uow: UnitOfWork, crawl_id: UUID) -> Sequence[Pagination]:
    return uow.page_structures.lists(crawl_id, limit=MAX_LISTS)


def _plan(found: Pagination) -> dict[str, object]:
    plan = plan_of(found.total)
    return {
        "url_pattern": found.url_pattern,
        "kind": found.kind,
        "total_pages": found.total,
        "complete": found.complete,
        "strategy": plan.strategy,
        "pages": list(plan.pages),
        "urls": [found.url_of(page) for page in plan.pages],
    }
