"""Lists that go over many pages."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from functions.api.dependencies import By, IdempotencyKey
from functions.api.schemas.pagination import ReadPagesRequest
from functions.api.schemas.tasks import TaskAnswer
from functions.api.start_urls import url_pattern
from functions.api.starting import started
from nightjar.application.rechecking import task_of
from nightjar.database.tasks import NewTask
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.page_list import PageListOrder
from nightjar.tasks import ROUTES, TaskKind

router = APIRouter(prefix="/api/v1/pagination", tags=["crawls"])


@router.post("", status_code=202, summary="Read a list of many pages", response_model=TaskAnswer)
def read_pages(call: By, body: ReadPagesRequest, idempotency_key: IdempotencyKey = None) -> JSONResponse:
    """The result of the task: `{strategy, pages_crawled, total_pages, results, errors}`.

    A page that cannot be read is told in `errors` and does not end the rest; the task fails if none could be read.
    """
    order = PageListOrder(
        url_pattern=url_pattern(body.url_pattern, last=body.total_pages, open_origins=call.api.settings.open_origins),
        total_pages=body.total_pages,
        engine=body.engine,
    )

    def start(uow: UnitOfWork) -> TaskAnswer:
        task_id = uow.tasks.add(
            NewTask(
                kind=TaskKind.PROCESS_PAGINATION,
                queue=ROUTES[TaskKind.PROCESS_PAGINATION],
                owner=call.owner,
                payload=order.payload(),
                correlation_id=call.correlation_id,
                timeout_seconds=body.options.timeout if body.options else None,
            )
        )
        return TaskAnswer.of(task_of(uow, task_id, owner=None))

    return started(call, idempotency_key, start, status=202)
