"""Cancelling: written first, then told to the worker at once."""

from uuid import UUID

from fastapi.responses import JSONResponse

from functions.api.dependencies import Call
from functions.api.schemas.tasks import TaskAnswer
from nightjar.application import rechecking
from nightjar.domain.task import ACTIVE_STATES
from nightjar.tasks import TaskKind


def cancelled(call: Call, task_id: UUID) -> JSONResponse:
    """A waiting task is over at once (200), a running one was asked to stop (202). Raises NotFound, Conflict."""
    with call.transaction() as uow:
        task = rechecking.cancel(uow, task_id, owner=call.sees)
    is_running = task.state in ACTIVE_STATES
    if is_running or task.kind == TaskKind.CRAWL:
        announce(call, task_id)
    return JSONResponse(TaskAnswer.of(task).model_dump(mode="json"), status_code=202 if is_running else 200)


def announce(call: Call, task_id: UUID) -> None:
    """Tell the worker now. If nobody hears it the worker sees the same in the row, at its next heartbeat."""
    call.api.cancels().announce(task_id)
