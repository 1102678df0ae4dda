"""Crawls of an owner's stores at Baemin."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from functions.api.cancelling import cancelled
from functions.api.dependencies import By, IdempotencyKey
from functions.api.schemas.stores import StartCrawlRequest
from functions.api.schemas.tasks import TaskAnswer
from functions.api.starting import started
from nightjar.application import store_crawls
from nightjar.application.rechecking import task_of
from nightjar.database.unit_of_work import UnitOfWork

router = APIRouter(prefix="/api/baemin", tags=["stores"])


@router.post("/start-crawling", status_code=202, summary="Read an account's stores", response_model=TaskAnswer)
def start_crawling(call: By, body: StartCrawlRequest, idempotency_key: IdempotencyKey = None) -> JSONResponse:
    """Logs in if need be, reads the stores and saves them.

    One crawl of an account at a time: a second start is a 409 whose `details` hold the running task.
    """
    order = store_crawls.CrawlOrder(
        now=call.api.clock(),
        correlation_id=call.correlation_id,
        timeout_seconds=body.options.timeout if body.options else None,
    )

    def start(uow: UnitOfWork) -> TaskAnswer:
        task_id = store_crawls.start(uow, body.account_id, order, owner=call.sees)
        return TaskAnswer.of(task_of(uow, task_id, owner=None))

    return started(call, idempotency_key, start, status=202)


@router.get("/task-status/{task_id}", summary="Get a crawl's task")
def get_status(call: By, task_id: UUID) -> TaskAnswer:
    """The same as GET /api/v1/tasks/{task_id}."""
    with call.transaction() as uow:
        return TaskAnswer.of(task_of(uow, task_id, owner=call.sees))


@router.delete(
    "/cancel-task/{task_id}",
    summary="Cancel a crawl",
    response_model=TaskAnswer,
    responses={202: {"model": TaskAnswer, "description": "It runs; its worker was asked to stop"}},
)
def cancel_crawl(call: By, task_id: UUID) -> JSONResponse:
    """The same as DELETE /api/v1/tasks/{task_id}."""
    return cancelled(call, task_id)
