"""Tasks: follow, cancel, try again."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from functions.api.dependencies import By, Deps, OnceKey, Paged, order_of
from functions.api.paging import moment_behind, page_of
from functions.api.schemas import Page, StartRequest, TaskAnswer
from functions.api.starting import started
from nightjar.application import rechecking
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.task import ACTIVE_STATES
from nightjar.tasks import TaskKind

router = APIRouter(prefix="/api/v1/tasks", tags=["tasks"])

LISTING = "tasks"

State = Literal["active", "pending", "in_progress", "completed", "failed", "cancelled"]


@router.get("", summary="List tasks")
def list_tasks(
    api: Deps, caller: By, paging: Paged, kind: TaskKind | None = None, state: State | None = None
) -> Page[TaskAnswer]:
    """Newest first; state=active are those that are not over."""
    before = moment_behind(LISTING, paging.cursor)
    states = rechecking.states_of(state)
    with api.database.transaction() as uow:
        found = uow.tasks.page(owner=caller.sees, kind=kind, states=states, before=before, limit=paging.limit + 1)
    tasks, following = page_of(found, paging.limit, listing=LISTING, place=lambda task: (task.created_at, task.id))
    return Page(items=[TaskAnswer.of(task) for task in tasks], next=following)


@router.get("/{task_id}", summary="Get a task")
def get_task(api: Deps, caller: By, task_id: UUID) -> TaskAnswer:
    """As it is now."""
    with api.database.transaction() as uow:
        return TaskAnswer.of(rechecking.task_of(uow, task_id, owner=caller.sees))


@router.get(
    "/{task_id}/result",
    summary="Get a result",
    response_model=TaskAnswer,
    responses={202: {"model": TaskAnswer, "description": "Not over yet"}},
)
def get_result(api: Deps, caller: By, task_id: UUID) -> JSONResponse:
    """200 once the task is over, however it ended: `status` says which. 202 before."""
    with api.database.transaction() as uow:
        task = rechecking.task_of(uow, task_id, owner=caller.sees)
    return JSONResponse(
        TaskAnswer.of(task).model_dump(mode="json"), status_code=202 if task.state in ACTIVE_STATES else 200
    )


@router.delete(
    "/{task_id}",
    summary="Cancel a task",
    response_model=TaskAnswer,
    responses={202: {"model": TaskAnswer, "description": "It runs; its worker was asked to stop"}},
)
def cancel_task(api: Deps, caller: By, task_id: UUID) -> JSONResponse:
    """A waiting task is over at once (200), a running one as soon as its worker sees it (202)."""
    with api.database.transaction() as uow:
        task = rechecking.cancel(uow, task_id, owner=caller.sees)
    return JSONResponse(
        TaskAnswer.of(task).model_dump(mode="json"), status_code=202 if task.state in ACTIVE_STATES else 200
    )


@router.post("/{task_id}/retry", status_code=202, summary="Try again", response_model=TaskAnswer)
def retry_task(
    request: Request, api: Deps, caller: By, task_id: UUID, once: OnceKey, body: StartRequest | None = None
) -> JSONResponse:
    """A new task that does the same again; what it finds belongs to the day on which it runs."""
    order = order_of(request, api, body.options if body else None)

    def retry(uow: UnitOfWork) -> TaskAnswer:
        again = rechecking.retry(uow, task_id, order, owner=caller.sees)
        return TaskAnswer.of(rechecking.task_of(uow, again, owner=None))

    return started(api, once, retry, status=202)
