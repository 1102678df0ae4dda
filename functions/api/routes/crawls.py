"""Site crawls: how far they are, and what they found."""

from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from functions.api.crawl_reading import crawl_answer, crawl_of, some_pages
from functions.api.dependencies import By, Call, Cursor, Limit
from functions.api.ndjson import Format, ndjson, wants_ndjson
from functions.api.paging import cursor_at, id_behind, page_of, place_behind
from functions.api.schemas.crawls import CrawlAnswer, FailedUrlAnswer, PageAnswer, SkippedUrlAnswer
from functions.api.schemas.listing import Page
from nightjar.database.frontier_lists import SkippedPlace

router = APIRouter(prefix="/api/v1/crawls", tags=["crawls"])

PAGES = "pages"
ERRORS = "errors"
SKIPPED = "skipped"

STREAMED = 500
"""Small rows that are read in one transaction of a stream."""

Headers = Annotated[bool, Query(description="true: with the headers of the response.")]
Kind = Annotated[Literal["failed", "skipped"], Query(description="skipped: what was found and left out, with reasons.")]


@router.get("/{task_id}", summary="Get a crawl")
def get_crawl(call: By, task_id: UUID) -> CrawlAnswer:
    """As it is now."""
    with call.transaction() as uow:
        return crawl_answer(call, uow, task_id)


@router.get("/{task_id}/pages", summary="Pages of a crawl", response_model=Page[PageAnswer])
def list_pages(
    request: Request,
    call: By,
    task_id: UUID,
    headers: Headers = False,
    format: Format = None,  # noqa: A002  # the name in the query
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[PageAnswer] | Response:
    """In the order in which they were stored; complete once the crawl has ended.

    An answer holds fewer than `limit` where pages are long. `format=ndjson` (or `Accept: application/x-ndjson`)
    streams all of them.
    """
    listing = f"{PAGES}{task_id}"
    after = id_behind(listing, cursor)
    shown = partial(PageAnswer.of, headers=headers)
    with call.transaction() as uow:
        crawl_of(uow, task_id, owner=call.sees)
    if wants_ndjson(request, format):
        return ndjson(
            call.api.database,
            after,
            read=lambda uow, behind: some_pages(uow, task_id, after=behind, limit=200),
            place=lambda page: page.id,
            shown=shown,
        )
    with call.transaction() as uow:
        found = some_pages(uow, task_id, after=after, limit=limit)
        more = bool(found) and bool(uow.pages.page(task_id, after=found[-1].id, limit=1))
    following = cursor_at(listing, found[-1].id) if more else None
    return Page(items=[shown(page) for page in found], next=following)


@router.get(
    "/{task_id}/errors", summary="Errors and skips of a crawl", response_model=Page[FailedUrlAnswer | SkippedUrlAnswer]
)
def list_errors(
    request: Request,
    call: By,
    task_id: UUID,
    kind: Kind = "failed",
    format: Format = None,  # noqa: A002  # the name in the query
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[FailedUrlAnswer] | Page[SkippedUrlAnswer] | Response:
    """URLs that gave no page, in the order in which they were found; `kind=skipped` are those that were left out."""
    with call.transaction() as uow:
        crawl_of(uow, task_id, owner=call.sees)
    streamed = wants_ndjson(request, format)
    if kind == "skipped":
        return _skipped(call, task_id, cursor, limit, streamed=streamed)
    return _failed(call, task_id, cursor, limit, streamed=streamed)


def _failed(
    call: Call, task_id: UUID, cursor: str | None, limit: int, *, streamed: bool
) -> Page[FailedUrlAnswer] | Response:
    listing = f"{ERRORS}{task_id}"
    after = id_behind(listing, cursor)
    if streamed:
        return ndjson(
            call.api.database,
            after,
            read=lambda uow, behind: uow.frontier_lists.failed(task_id, after=behind, limit=STREAMED),
            place=lambda failed: failed.seq,
            shown=FailedUrlAnswer.of,
        )
    with call.transaction() as uow:
        found = uow.frontier_lists.failed(task_id, after=after, limit=limit + 1)
    items, following = page_of(found, limit, listing=listing, place=lambda failed: (failed.seq,))
    return Page(items=[FailedUrlAnswer.of(failed) for failed in items], next=following)


def _skipped(
    call: Call, task_id: UUID, cursor: str | None, limit: int, *, streamed: bool
) -> Page[SkippedUrlAnswer] | Response:
    listing = f"{SKIPPED}{task_id}"
    after = place_behind(listing, cursor, SkippedPlace.parse)
    if streamed:
        return ndjson(
            call.api.database,
            after,
            read=lambda uow, behind: uow.frontier_lists.skipped(task_id, after=behind, limit=STREAMED),
            place=lambda skipped: skipped.place,
            shown=SkippedUrlAnswer.of,
        )
    with call.transaction() as uow:
        found = uow.frontier_lists.skipped(task_id, after=after, limit=limit + 1)
    items, following = page_of(found, limit, listing=listing, place=lambda skipped: skipped.place.parts())
    return Page(items=[SkippedUrlAnswer.of(skipped) for skipped in items], next=following)
