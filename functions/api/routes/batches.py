"""Batches: runs over all active trackings."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse

from functions.api.dependencies import MAX_ID, By, Cursor, IdempotencyKey, Limit
from functions.api.paging import id_behind, page_of
from functions.api.schemas.batches import BatchAnswer
from functions.api.schemas.listing import Page
from functions.api.schemas.requests import StartRequest
from functions.api.starting import order_of, stored
from nightjar.application.rank_run import OpenedBatch, close_batch, open_batch, publish_opened
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.batch import Batch, BatchKind
from nightjar.errors import NotFound
from nightjar.observability import log_batch_completed, log_batch_opened, logger
from nightjar.wiring import Api, run_rules

router = APIRouter(prefix="/api/v1/batches", tags=["batches"])

LISTING = "batches"

log = logger("nightjar.api")


@router.post("", status_code=202, summary="Start a run", response_model=BatchAnswer)
def start_batch(call: By, body: StartRequest | None = None, idempotency_key: IdempotencyKey = None) -> JSONResponse:
    """Check all active trackings now: an owner its own, an operator everybody's."""
    order = order_of(call, body.options if body else None)
    rules = run_rules(call.api.settings.ranks, window=call.api.settings.stores.publish_window)
    if order.timeout_seconds is not None:
        rules = replace(rules, limit=timedelta(seconds=order.timeout_seconds))
    opened: list[OpenedBatch] = []

    def run(uow: UnitOfWork) -> BatchAnswer:
        batch = open_batch(
            uow,
            BatchKind.MANUAL,
            order.checked_on,
            rules=rules,
            owner=call.sees,
            correlation_id=order.correlation_id,
        )
        opened.append(batch)
        return BatchAnswer.of(_batch(uow, batch.batch_id, None), now=call.api.clock())

    answer = stored(call, idempotency_key, run, status=202)
    for batch in opened:
        _follow_up(call.api, batch)
    return JSONResponse(answer.body, status_code=answer.status)


@router.get("", summary="List runs")
def list_batches(call: By, cursor: Cursor = None, limit: Limit = 50) -> Page[BatchAnswer]:
    """Newest first. An owner sees the runs that it started, an operator all, nights included."""
    before = id_behind(LISTING, cursor)
    with call.transaction() as uow:
        found = uow.batches.page(owner=call.sees, before=before, limit=limit + 1)
    batches, following = page_of(found, limit, listing=LISTING, place=lambda batch: (batch.id,))
    return Page(items=[BatchAnswer.of(batch, now=call.api.clock()) for batch in batches], next=following)


@router.get("/{batch_id}", summary="Get a run")
def get_batch(call: By, batch_id: Annotated[int, Path(ge=1, le=MAX_ID)]) -> BatchAnswer:
    """With its figures as of now."""
    with call.transaction() as uow:
        return BatchAnswer.of(_batch(uow, batch_id, call.sees), now=call.api.clock())


def _follow_up(api: Api, batch: OpenedBatch) -> None:
    """After the commit: the line, the messages; a run over nothing is over at once."""
    log_batch_opened(log, batch)
    if batch.checks == 0:
        close_batch(api.database.transaction, batch.batch_id, lambda closed: log_batch_completed(log, closed))
    elif (
        publish_opened(api.database.transaction, api.queue(), batch.batch_id, window=api.settings.stores.publish_window)
        is None
    ):
        log.warning("publish_postponed", batch_id=batch.batch_id, cause="the broker is away; the janitor publishes it")


def _batch(uow: UnitOfWork, batch_id: int, owner: str | None) -> Batch:
    batch = uow.batches.get(batch_id, owner=owner)
    if batch is None:
        raise NotFound(f"there is no batch {batch_id}")
    return batch
