"""Tasks: follow, cancel, try again."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from functions.api.cancelling import cancelled
from functions.api.dependencies import By, Cursor, IdempotencyKey, Limit
from functions.api.paging import moment_behind, page_of
from functions.api.schemas.listing import Page
from functions.api.schemas.requests import StartRequest
from functions.api.schemas.tasks import TaskAnswer
from functions.api.starting import order_of, publish, stored
from nightjar.application import rechecking
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.task import ACTIVE_STATES
from nightjar.tasks import TaskKind

router = APIRouter(prefix="/api/v1/tasks", tags=["tasks"])

LISTING = "tasks"

State = Literal["active", "pending", "in_progress", "completed", "failed", "cancelled"]


@router.get("", summary="List tasks")
def list_tasks(
    call: By,
    kind: TaskKind | None = None,
    state: State | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[TaskAnswer]:
    """Newest first; state=active are those that are not over.

    The slices in which workers do site crawls are shown to an operator who asks for kind=crawl_slice.
    """
    before = moment_behind(LISTING, cursor)
    states = rechecking.states_of(state)
    with call.transaction() as uow:
        found = uow.tasks.page(owner=call.sees, kind=kind, states=states, before=before, limit=limit + 1)
    tasks, following = page_of(found, limit, listing=LISTING, place=lambda task: (task.created_at, task.id))
    return Page(items=[TaskAnswer.of(task) for task in tasks], next=following)


@router.get("/{task_id}", summary="Get a task")
def get_task(call: By, task_id: UUID) -> TaskAnswer:
    """As it is now."""
    with call.transaction() as uow:
        return TaskAnswer.of(rechecking.task_of(uow, task_id, owner=call.sees))


@router.get(
    "/{task_id}/result",
    summary="Get a result",
    response_model=TaskAnswer,
    responses={202: {"model": TaskAnswer, "description": "Not over yet"}},
)
def get_result(call: By, task_id: UUID) -> JSONResponse:
    """200 once the task is over, however it ended: `status` says which. 202 before."""
    with call.transaction() as uow:
        task = rechecking.task_of(uow, task_id, owner=call.sees)
    return JSONResponse(
        TaskAnswer.of(task).model_dump(mode="json"), status_code=202 if task.state in ACTIVE_STATES else 200
    )


@router.delete(
    "/{task_id}",
    summary="Cancel a task",
    response_model=TaskAnswer,
    responses={202: {"model": TaskAnswer, "description": "It runs; its worker was asked to stop"}},
)
def cancel_task(call: By, task_id: UUID) -> JSONResponse:
    """A waiting task is over at once (200), a running one as soon as its worker sees it (202).

    A site crawl is over at once as well; what it found stays.
    """
    return cancelled(call, task_id)


@router.post("/{task_id}/retry", status_code=202, summary="Try again", response_model=TaskAnswer)
def retry_task(
    call: By, task_id: UUID, body: StartRequest | None = None, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """A new task that does the same again; what it finds belongs to the day on which it runs."""
    order = order_of(call, body.options if body else None)
    to_publish: tuple[UUID, ...] = ()

    def retry(uow: UnitOfWork) -> TaskAnswer:
        nonlocal to_publish
        delay = call.api.settings.ranks.delay
        again = rechecking.retry(uow, task_id, order, owner=call.sees, now=call.api.clock(), delay=delay)
        to_publish = again.to_publish
        return TaskAnswer.of(rechecking.task_of(uow, again.task_id, owner=None))

    answer = stored(call, idempotency_key, retry, status=202)
    publish(call, to_publish)
    return JSONResponse(answer.body, status_code=answer.status)
