"""Site crawls: how far they are, and what they found."""

from functools import partial
from itertools import chain, islice
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from functions.api.crawl_reading import crawl_answer, crawl_of, some_pages, some_sections
from functions.api.dependencies import MAX_ID, By, Call, Cursor, Limit
from functions.api.ndjson import Format, ndjson, wants_ndjson
from functions.api.paging import cursor_at, id_behind, page_of, place_behind
from functions.api.schemas.crawls import CrawlAnswer, FailedUrlAnswer, PageAnswer, SectionAnswer, SkippedUrlAnswer
from functions.api.schemas.listing import Page
from nightjar.database.frontier_lists import SkippedPlace
from nightjar.database.sections import START

router = APIRouter(prefix="/api/v1/crawls", tags=["crawls"])

PAGES = "pages"
ERRORS = "errors"
SKIPPED = "skipped"
SECTIONS = "sections"

STREAMED = 500
"""Small rows that are read in one transaction of a stream."""

MAX_POSITION = 2**31

GRAPH_TYPES = {"json": "application/json", "graphml": "application/graphml+xml", "cypher": "text/x-cypher"}

GraphFormat = Annotated[
    Literal["json", "graphml", "cypher"],
    Query(description="graphml, or openCypher statements that load it into a graph database."),
]
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


@router.get("/{task_id}/sections", summary="Sections of the pages of a crawl", response_model=Page[SectionAnswer])
def list_sections(
    request: Request,
    call: By,
    task_id: UUID,
    format: Format = None,  # noqa: A002  # the name in the query
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[SectionAnswer] | Response:
    """Page by page, in document order; there are some once pages were analysed.

    An answer holds fewer than `limit` where sections are long.
    """
    listing = f"{SECTIONS}{task_id}"
    after = place_behind(listing, cursor, _page_and_position) or START
    with call.transaction() as uow:
        crawl_of(uow, task_id, owner=call.sees)
    if wants_ndjson(request, format):
        return ndjson(
            call.api.database,
            after,
            read=lambda uow, behind: some_sections(uow, task_id, after=behind or START, limit=STREAMED)[0],
            place=lambda section: (section.page_id, section.position),
            shown=SectionAnswer.of,
        )
    with call.transaction() as uow:
        found, more = some_sections(uow, task_id, after=after, limit=limit)
    following = cursor_at(listing, found[-1].page_id, found[-1].position) if more else None
    return Page(items=[SectionAnswer.of(section) for section in found], next=following)


@router.get(
    "/{task_id}/graph",
    summary="Link graph of a crawl",
    response_class=StreamingResponse,
    responses={200: {"content": {kind: {} for kind in GRAPH_TYPES.values()}, "description": "The graph, as a stream"}},
)
def get_graph(
    call: By,
    task_id: UUID,
    format: GraphFormat = "json",  # noqa: A002  # the name in the query
) -> StreamingResponse:
    """Pages and sections, what contains what, and which page leads to which; complete once the crawl has ended.

    json: `{nodes: [{id, kind: page or section, url, title}], edges: [{source, target, kind}]}`.
    """
    from nightjar.application import graph_export, site_graphs  # noqa: PLC0415  # loaded by who asks for a graph

    with call.transaction() as uow:
        crawl_of(uow, task_id, owner=call.sees)
    written = {
        "json": graph_export.json_pieces,
        "graphml": graph_export.graphml_pieces,
        "cypher": graph_export.cypher_pieces,
    }
    nodes = site_graphs.graph_nodes(call.transaction, task_id)
    edges = site_graphs.graph_edges(call.transaction, task_id)
    pieces = written[format](nodes, edges)
    beginning = list(islice(pieces, 2))  # read while a fault can still be answered
    named = {"Content-Disposition": f'attachment; filename="crawl-{task_id}.{format}"'} if format != "json" else None
    return StreamingResponse(chain(beginning, pieces), media_type=GRAPH_TYPES[format], headers=named)


def _page_and_position(page_id: str, position: str) -> tuple[int, int]:
    """Raises ValueError."""
    place = int(page_id), int(position)
    if not (0 < place[0] <= MAX_ID and 0 <= place[1] < MAX_POSITION):
        raise ValueError(page_id)
    return place


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
