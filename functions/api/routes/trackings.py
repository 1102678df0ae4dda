"""Trackings: register, look at, stop, check."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse

from functions.api.dependencies import MAX_ID, By, Cursor, Format, IdempotencyKey, Limit
from functions.api.paging import day_behind, id_behind, page_of
from functions.api.schemas.listing import Page
from functions.api.schemas.requests import StartRequest
from functions.api.schemas.tasks import TaskAnswer
from functions.api.schemas.trackings import (
    ChangeTrackingRequest,
    HistoryAnswer,
    RegisteredAnswer,
    RegisterRequest,
    TrackingAnswer,
)
from nightjar.database.trackings import TrackingView
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.tracking import Location, RankType, TrackingStatus, normalise_keyword
from nightjar.errors import Conflict, NotFound

router = APIRouter(prefix="/api/v1/trackings", tags=["trackings"])

LISTING = "trackings"
HISTORY = "history"

TrackingId = Annotated[int, Path(ge=1, le=MAX_ID)]


@router.post("", status_code=201, summary="Register a tracking", response_model=RegisteredAnswer)
def register_tracking(call: By, body: RegisterRequest, idempotency_key: IdempotencyKey = None) -> JSONResponse:
    """It is followed from now on, every night; a first check starts at once."""
    from functions.api.starting import order_of, started  # noqa: PLC0415  # a GET needs neither
    from nightjar.application import registering  # noqa: PLC0415

    wish = registering.Wish(
        rank_type=body.rank_type,
        keyword=body.keyword,
        target_url=body.target_url,
        location=Location(x=body.location.x, y=body.location.y) if body.location else None,
        device=body.device,
    )
    wanted = registering.read_wish(wish, sources=call.api.settings.ranks.sources, resolve=call.api.resolve_short_link)
    order = order_of(call, body.options)

    def register(uow: UnitOfWork) -> RegisteredAnswer:
        tracking_id = registering.register(uow, wanted, owner=call.owner)
        task_id = registering.order_check(uow, tracking_id, order, owner=call.owner)
        shown = TrackingAnswer.of(_view(uow, tracking_id, call.owner))
        return RegisteredAnswer(**shown.model_dump(), task_id=task_id)

    return started(call, idempotency_key, register, status=201)


@router.get("", summary="List trackings", response_model=Page[TrackingAnswer])
def list_trackings(
    call: By,
    status: TrackingStatus | None = None,
    rank_type: RankType | None = None,
    keyword: str | None = None,
    format: Format = "json",  # noqa: A002  # the name in the query
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[TrackingAnswer] | Response:
    """Newest first. An owner sees its own, an operator all."""
    filters = {
        "status": status,
        "rank_type": rank_type,
        "keyword": None if keyword is None else normalise_keyword(keyword),
    }
    before = id_behind(LISTING, cursor)
    if format == "csv":
        from functions.api.exports import trackings_file  # noqa: PLC0415  # csv is loaded by who asks for it

        return trackings_file(call.api.database, owner=call.sees, before=before, filters=filters)
    with call.transaction() as uow:
        found = uow.trackings.page(owner=call.sees, before=before, limit=limit + 1, filters=filters)
    views, following = page_of(found, limit, listing=LISTING, place=lambda view: (view.tracking.id,))
    return Page(items=[TrackingAnswer.of(view) for view in views], next=following)


@router.get("/{tracking_id}", summary="Get a tracking")
def get_tracking(call: By, tracking_id: TrackingId) -> TrackingAnswer:
    """With its newest result."""
    with call.transaction() as uow:
        return TrackingAnswer.of(_view(uow, tracking_id, call.sees))


@router.patch("/{tracking_id}", summary="Stop or resume a tracking")
def change_tracking(call: By, tracking_id: TrackingId, body: ChangeTrackingRequest) -> TrackingAnswer:
    """A stopped tracking keeps its history and its session."""
    with call.transaction() as uow:
        _view(uow, tracking_id, call.sees)
        if body.status is TrackingStatus.STOPPED:
            uow.trackings.stop(tracking_id, owner=call.sees)
        elif not uow.trackings.resume(tracking_id, owner=call.sees):
            raise Conflict(f"tracking {tracking_id} stays stopped: another active one follows the same target")
        return TrackingAnswer.of(_view(uow, tracking_id, call.sees))


@router.delete("/{tracking_id}", status_code=204, summary="Stop a tracking", response_class=Response)
def stop_tracking(call: By, tracking_id: TrackingId) -> None:
    """It is no longer checked; it and its history stay."""
    with call.transaction() as uow:
        if not uow.trackings.stop(tracking_id, owner=call.sees):
            raise NotFound(f"there is no tracking {tracking_id}")


@router.get("/{tracking_id}/history", summary="Ranks by day", response_model=Page[HistoryAnswer])
def list_history(
    call: By,
    tracking_id: TrackingId,
    format: Format = "json",  # noqa: A002  # the name in the query
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[HistoryAnswer] | Response:
    """One row per Korean day, newest first."""
    listing = f"{HISTORY}{tracking_id}"
    before = day_behind(listing, cursor)
    with call.transaction() as uow:
        _view(uow, tracking_id, call.sees)
        found = uow.rank_history.page(tracking_id, before=before, limit=limit + 1)
    if format == "csv":
        from functions.api.exports import history_file  # noqa: PLC0415  # csv is loaded by who asks for it

        return history_file(call.api.database, tracking_id, before=before)
    rows, following = page_of(found, limit, listing=listing, place=lambda row: (row.checked_on,))
    return Page(items=[HistoryAnswer.of(row) for row in rows], next=following)


@router.post("/{tracking_id}/check", status_code=202, summary="Check now", response_model=TaskAnswer)
def check_tracking(
    call: By,
    tracking_id: TrackingId,
    body: StartRequest | None = None,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """The result replaces the row of today."""
    from functions.api.starting import order_of, started  # noqa: PLC0415  # a GET needs neither
    from nightjar.application.rechecking import check_now, task_of  # noqa: PLC0415

    order = order_of(call, body.options if body else None)

    def check(uow: UnitOfWork) -> TaskAnswer:
        task_id = check_now(uow, tracking_id, order, owner=call.sees)
        return TaskAnswer.of(task_of(uow, task_id, owner=None))

    return started(call, idempotency_key, check, status=202)


def _view(uow: UnitOfWork, tracking_id: int, owner: str | None) -> TrackingView:
    view = uow.trackings.get(tracking_id, owner=owner)
    if view is None:
        raise NotFound(f"there is no tracking {tracking_id}")
    return view
