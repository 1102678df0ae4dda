"""Site crawls: started, and waited for where they are small."""

from collections.abc import Sequence
from datetime import timedelta
from time import monotonic
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from functions.api.crawl_reading import crawl_answer, some_pages
from functions.api.dependencies import By, Call, IdempotencyKey
from functions.api.schemas.crawls import CrawlWithPages, PageAnswer, StartCrawlRequest, StartedCrawlAnswer
from functions.api.start_urls import start_url
from functions.api.starting import publish, stored
from functions.api.waiting import WAIT_SECONDS, WaitingRoom
from nightjar.application import site_crawls
from nightjar.application.idempotency import Answer
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.site_crawl import CrawlOrder
from nightjar.domain.task import TaskState
from nightjar.domain.url_patterns import UrlPatterns
from nightjar.domain.web_address import WebAddress

router = APIRouter(prefix="/api/v1/crawl", tags=["crawls"])

SMALL = 10
"""Pages of a crawl that is waited for."""


@router.post(
    "",
    status_code=202,
    summary="Crawl a site",
    response_model=StartedCrawlAnswer,
    responses={200: {"model": CrawlWithPages, "description": "A small crawl that ended within 20 seconds"}},
)
async def start_crawl(
    request: Request, call: By, body: StartCrawlRequest, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """202 at once where `background` is true or `limit` is above 10; else the pages, if they come within 20 seconds.

    The pages are fetched by workers, politely: robots.txt is obeyed, and hosts are asked one request at a time.
    """
    until = monotonic() + WAIT_SECONDS
    is_waited_for = not body.background and body.limit <= SMALL
    order = await run_in_threadpool(_order, call, body)
    answer = await run_in_threadpool(_start, call, body, order, idempotency_key, urgent=is_waited_for)
    task_id = UUID(str(answer.body["task_id"]))
    if is_waited_for and await _room(request).ended(call, task_id, until=until):
        return JSONResponse(await run_in_threadpool(_result, call, task_id))
    return JSONResponse(answer.body, status_code=answer.status)


def _order(call: Call, body: StartCrawlRequest) -> CrawlOrder:
    """Raises Invalid."""
    UrlPatterns(include=body.include, exclude=body.exclude)
    return CrawlOrder(
        url=start_url(body.url, open_origins=call.api.settings.open_origins),
        depth=body.depth,
        limit=body.limit,
        engine=body.engine,
        scope=body.scope,
        include=body.include,
        exclude=body.exclude,
        screenshots=body.screenshots,
        structure=body.structure,
        delay=None if body.delay is None else timedelta(seconds=body.delay),
    )


def _start(
    call: Call, body: StartCrawlRequest, order: CrawlOrder, idempotency_key: str | None, *, urgent: bool
) -> Answer:
    address = WebAddress.of(order.url)
    timeout = body.options.timeout if body.options else None
    start = site_crawls.CrawlStart(
        owner=call.owner,
        correlation_id=call.correlation_id,
        host=address.host,
        origin=address.origin,
        delay=call.api.settings.ranks.delay,
        urgent=urgent,
        timeout=None if timeout is None else timedelta(seconds=timeout),
    )
    slices: Sequence[UUID] = ()

    def work(uow: UnitOfWork) -> StartedCrawlAnswer:
        nonlocal slices
        started = site_crawls.start(uow, order, start)
        slices = started.slices
        return StartedCrawlAnswer(task_id=started.task_id, status=TaskState.PENDING)

    answer = stored(call, idempotency_key, work, status=202)
    publish(call, slices)
    return answer


def _result(call: Call, task_id: UUID) -> dict[str, object]:
    with call.transaction() as uow:
        answer = crawl_answer(call, uow, task_id)
        pages = some_pages(uow, task_id, after=None, limit=SMALL)
    shown = CrawlWithPages(**answer.model_dump(), pages=[PageAnswer.of(page) for page in pages])
    return shown.model_dump(mode="json")


def _room(request: Request) -> WaitingRoom:
    """The one of this process."""
    state = request.app.state
    if not hasattr(state, "waiting_room"):
        state.waiting_room = WaitingRoom()
    room: WaitingRoom = state.waiting_room
    return room
