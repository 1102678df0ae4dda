"""Crawls as they are shown, and what of their pages fits into one answer."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from uuid import UUID

from functions.api.dependencies import Call
from functions.api.schemas.crawls import CrawlAnswer
from nightjar.database.crawls import Crawl
from nightjar.database.pages import StoredPage
from nightjar.database.sections import StoredSection
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.task import Task
from nightjar.errors import NotFound

ANSWER_CHARACTERS = 2_000_000
"""Of the pages in one answer: Lambda hands out 6 MB, and a character of Korean takes three bytes."""

CHUNK = 25
"""Pages that are read at once."""


def crawl_of(uow: UnitOfWork, task_id: UUID, *, owner: str | None) -> tuple[Crawl, Task]:
    """A crawl and its task, for its owner or (None) for an operator. Raises NotFound."""
    crawl = uow.crawls.get(task_id, owner=owner)
    task = uow.tasks.get(task_id, owner=owner)
    if crawl is None or task is None:
        raise NotFound(f"there is no crawl {task_id}")
    return crawl, task


def crawl_answer(call: Call, uow: UnitOfWork, task_id: UUID) -> CrawlAnswer:
    """A crawl as it is shown now. Raises NotFound."""
    crawl, task = crawl_of(uow, task_id, owner=call.sees)
    return CrawlAnswer.of(crawl, task, now=call.api.clock())


def some_pages(uow: UnitOfWork, crawl_id: UUID, *, after: int | None, limit: int) -> Sequence[StoredPage]:
    """Up to `limit` pages behind the one with the id `after`, fewer where they would not fit into one answer."""
    found: list[StoredPage] = []
    size = 0
    for page in _pages(uow, crawl_id, after, limit):
        size += page.size
        if found and size > ANSWER_CHARACTERS:
            break
        found.append(page)
    return found


def some_sections(
    uow: UnitOfWork, crawl_id: UUID, *, after: tuple[int, int], limit: int
) -> tuple[Sequence[StoredSection], bool]:
    """Up to `limit` sections behind `after` (page, position), as many as fit into an answer; and: are there more."""
    found = uow.sections.page(crawl_id, after=after, limit=limit + 1)
    sizes = accumulate(len(section.text) for section in found)
    fitting = sum(size <= ANSWER_CHARACTERS for size in sizes)
    shown = found[: max(1, min(limit, fitting))]
    return shown, len(found) > len(shown)


def _pages(uow: UnitOfWork, crawl_id: UUID, after: int | None, limit: int) -> Iterator[StoredPage]:
    behind, left = after, limit
    while left > 0:
        chunk = uow.pages.page(crawl_id, after=behind, limit=min(CHUNK, left))
        yield from chunk
        if len(chunk) < min(CHUNK, left):
            return
        behind, left = chunk[-1].id, left - len(chunk)
