"""Requests that start work: stored once, committed, then published."""

import re
from collections.abc import Callable, Iterable
from uuid import UUID

from fastapi.responses import JSONResponse
from pydantic import BaseModel

from functions.api.dependencies import Call
from functions.api.schemas.requests import Options
from nightjar.application.idempotency import Answer, RequestKey, once
from nightjar.application.publishing import publish_task
from nightjar.application.registering import CheckOrder
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.kst import kst_day
from nightjar.errors import Invalid
from nightjar.observability import logger

IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,200}")

log = logger("nightjar.api")


def order_of(call: Call, options: Options | None = None) -> CheckOrder:
    """A check for today, the Korean day of this moment, under the correlation id of the request."""
    return CheckOrder(
        checked_on=kst_day(call.api.clock()),
        correlation_id=call.correlation_id,
        timeout_seconds=options.timeout if options else None,
    )


def started(
    call: Call, idempotency_key: str | None, work: Callable[[UnitOfWork], BaseModel], *, status: int
) -> JSONResponse:
    """Do the work in one transaction, then publish the task that its answer names.

    If the broker is away the answer is the same: the row waits, the janitor publishes it.
    """
    answer = stored(call, idempotency_key, work, status=status)
    publish(call, [UUID(str(answer.body["task_id"]))])
    return JSONResponse(answer.body, status_code=answer.status)


def stored(call: Call, idempotency_key: str | None, work: Callable[[UnitOfWork], BaseModel], *, status: int) -> Answer:
    """Do the work in one transaction, or take the answer that this key was given before. Raises Invalid, Conflict."""
    request = _request_key(call, idempotency_key)
    with call.transaction() as uow:
        return once(uow, request, lambda: Answer(status=status, body=work(uow).model_dump(mode="json")))


def publish(call: Call, task_ids: Iterable[UUID]) -> None:
    """Put tasks that are committed on their queues. If the broker is away the rows wait, the janitor publishes them."""
    for task_id in task_ids:
        if not publish_task(call.transaction, call.api.queue(), task_id):
            log.warning("publish_postponed", task_id=str(task_id), cause="the broker is away; the janitor publishes it")


def _request_key(call: Call, idempotency_key: str | None) -> RequestKey | None:
    if idempotency_key is None:
        return None
    if not IDEMPOTENCY_KEY.fullmatch(idempotency_key):
        raise Invalid("Idempotency-Key must be 1 to 200 visible ASCII characters without blanks")
    return RequestKey(owner=call.owner, key=idempotency_key, request_hash=call.request_hash)
