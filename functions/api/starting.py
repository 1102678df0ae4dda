"""Requests that start work: stored once, committed, then published."""

from collections.abc import Callable
from uuid import UUID

from fastapi.responses import JSONResponse
from pydantic import BaseModel

from nightjar.application.idempotency import Answer, RequestKey, once
from nightjar.application.publishing import publish_task
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.observability import logger
from nightjar.wiring import Api

log = logger("nightjar.api")


def started(api: Api, key: RequestKey | None, work: Callable[[UnitOfWork], BaseModel], *, status: int) -> JSONResponse:
    """Do the work in one transaction, then publish the task that its answer names.

    If the broker is away the answer is the same: the row waits, the janitor publishes it.
    """
    answer = stored(api, key, work, status=status)
    task_id = UUID(str(answer.body["task_id"]))
    if not publish_task(api.database.transaction, api.queue(), task_id):
        log.warning("publish_postponed", task_id=str(task_id), cause="the broker is away; the janitor publishes it")
    return JSONResponse(answer.body, status_code=answer.status)


def stored(api: Api, key: RequestKey | None, work: Callable[[UnitOfWork], BaseModel], *, status: int) -> Answer:
    """Do the work in one transaction, or take the answer that this key was given before."""
    with api.database.transaction() as uow:
        return once(uow, key, lambda: Answer(status=status, body=work(uow).model_dump(mode="json")))
