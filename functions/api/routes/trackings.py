"""Trackings: register, look at, stop, check."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from functions.api.dependencies import MAX_ID, By, Deps, OnceKey, Paged, order_of
from functions.api.paging import day_behind, id_behind, page_of
from functions.api.schemas import (
    ChangeTrackingRequest,
    HistoryAnswer,
    Page,
    RegisteredAnswer,
    RegisterRequest,
    StartRequest,
    TaskAnswer,
    TrackingAnswer,
)
from functions.api.starting import started
from nightjar.application import registering
from nightjar.application.rechecking import check_now, task_of
from nightjar.database.trackings import TrackingView
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.tracking import Location, RankType, TrackingStatus, normalise_keyword
from nightjar.errors import Conflict, NotFound

router = APIRouter(prefix="/api/v1/trackings", tags=["trackings"])

LISTING = "trackings"
HISTORY = "history"

TrackingId = Annotated[int, Path(ge=1, le=MAX_ID)]
Format = Annotated[Literal["json", "csv"], Query(description="csv: the whole list as a file for spreadsheets.")]


@router.post("", status_code=201, summary="Register a tracking", response_model=RegisteredAnswer)
def register_tracking(request: Request, api: Deps, caller: By, body: RegisterRequest, once: OnceKey) -> JSONResponse:
    """It is followed from now on, every night; a first check starts at once."""
    wish = registering.Wish(
        rank_type=body.rank_type,
        keyword=body.keyword,
        target_url=body.target_url,
        location=Location(x=body.location.x, y=body.location.y) if body.location else None,
        device=body.device,
    )
    wanted = registering.read_wish(wish, sources=api.rules.sources, resolve=api.resolve_short_link)
    order = order_of(request, api, body.options)

    def register(uow: UnitOfWork) -> RegisteredAnswer:
        tracking_id = registering.register(uow, wanted, owner=caller.owner)
        task_id = registering.order_check(uow, tracking_id, order, owner=caller.owner)
        shown = TrackingAnswer.of(_view(uow, tracking_id, caller.owner))
        return RegisteredAnswer(**shown.model_dump(), task_id=task_id)

    return started(api, once, register, status=201)


@router.get("", summary="List trackings", response_model=Page[TrackingAnswer])
def list_trackings(
    api: Deps,
    caller: By,
    paging: Paged,
    status: TrackingStatus | None = None,
    rank_type: RankType | None = None,
    keyword: str | None = None,
    format: Format = "json",  # noqa: A002  # the name in the query
) -> Page[TrackingAnswer] | Response:
    """Newest first. An owner sees its own, an operator all."""
    filters = {
        "status": status,
        "rank_type": rank_type,
        "keyword": None if keyword is None else normalise_keyword(keyword),
    }
    before = id_behind(LISTING, paging.cursor)
    if format == "csv":
        from functions.api.exports import trackings_file  # noqa: PLC0415  # csv is loaded by who asks for it

        return trackings_file(api.database, owner=caller.sees, before=before, filters=filters)
    with api.database.transaction() as uow:
        found = uow.trackings.page(owner=caller.sees, before=before, limit=paging.limit + 1, filters=filters)
    views, following = page_of(found, paging.limit, listing=LISTING, place=lambda view: (view.tracking.id,))
    return Page(items=[TrackingAnswer.of(view) for view in views], next=following)


@router.get("/{tracking_id}", summary="Get a tracking")
def get_tracking(api: Deps, caller: By, tracking_id: TrackingId) -> TrackingAnswer:
    """With its newest result."""
    with api.database.transaction() as uow:
        return TrackingAnswer.of(_view(uow, tracking_id, caller.sees))


@router.patch("/{tracking_id}", summary="Stop or resume a tracking")
def change_tracking(api: Deps, caller: By, tracking_id: TrackingId, body: ChangeTrackingRequest) -> TrackingAnswer:
    """A stopped tracking keeps its history and its session."""
    with api.database.transaction() as uow:
        _view(uow, tracking_id, caller.sees)
        if body.status is TrackingStatus.STOPPED:
            uow.trackings.stop(tracking_id, owner=caller.sees)
        elif not uow.trackings.resume(tracking_id, owner=caller.sees):
            raise Conflict(f"tracking {tracking_id} stays stopped: another active one follows the same target")
        return TrackingAnswer.of(_view(uow, tracking_id, caller.sees))


@router.delete("/{tracking_id}", status_code=204, summary="Stop a tracking", response_class=Response)
def stop_tracking(api: Deps, caller: By, tracking_id: TrackingId) -> None:
    """It is no longer checked; it and its history stay."""
    with api.database.transaction() as uow:
        if not uow.trackings.stop(tracking_id, owner=caller.sees):
            raise NotFound(f"there is no tracking {tracking_id}")


@router.get("/{tracking_id}/history", summary="Ranks by day", response_model=Page[HistoryAnswer])
def list_history(
    api: Deps,
    caller: By,
    tracking_id: TrackingId,
    paging: Paged,
    format: Format = "json",  # noqa: A002  # the name in the query
) -> Page[HistoryAnswer] | Response:
    """One row per Korean day, newest first."""
    listing = f"{HISTORY}{tracking_id}"
    before = day_behind(listing, paging.cursor)
    with api.database.transaction() as uow:
        _view(uow, tracking_id, caller.sees)
        found = uow.rank_history.page(tracking_id, before=before, limit=paging.limit + 1)
    if format == "csv":
        from functions.api.exports import history_file  # noqa: PLC0415  # csv is loaded by who asks for it

        return history_file(api.database, tracking_id, before=before)
    rows, following = page_of(found, paging.limit, listing=listing, place=lambda row: (row.checked_on,))
    return Page(items=[HistoryAnswer.of(row) for row in rows], next=following)


@router.post("/{tracking_id}/check", status_code=202, summary="Check now", response_model=TaskAnswer)
def check_tracking(
    request: Request,
    api: Deps,
    caller: By,
    tracking_id: TrackingId,
    once: OnceKey,
    body: StartRequest | None = None,
) -> JSONResponse:
    """The result replaces the row of today."""
    order = order_of(request, api, body.options if body else None)

    def check(uow: UnitOfWork) -> TaskAnswer:
        task_id = check_now(uow, tracking_id, order, owner=caller.sees)
        return TaskAnswer.of(task_of(uow, task_id, owner=None))

    return started(api, once, check, status=202)


def _view(uow: UnitOfWork, tracking_id: int, owner: str | None) -> TrackingView:
    view = uow.trackings.get(tracking_id, owner=owner)
    if view is None:
        raise NotFound(f"there is no tracking {tracking_id}")
    return view
