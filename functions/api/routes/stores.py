"""Stores that crawls have read."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import StringConstraints

from functions.api.dependencies import By, Cursor, Format, Limit
from functions.api.paging import id_behind, page_of
from functions.api.schemas.listing import Page
from functions.api.schemas.stores import StoreAnswer
from nightjar.domain.account import Platform
from nightjar.errors import Invalid

router = APIRouter(prefix="/api/v1/stores", tags=["stores"])

LISTING = "stores"

Word = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]


@router.get("", summary="List stores", response_model=Page[StoreAnswer])
def list_stores(
    call: By,
    platform: Platform | None = None,
    account_id: UUID | None = None,
    platform_store_id: Word | None = None,
    status: Word | None = None,
    missing: Annotated[bool | None, Query(description="true: those that the site no longer lists.")] = None,
    changed_since: Annotated[datetime | None, Query(description="UTC where it has no offset.")] = None,
    format: Format = "json",  # noqa: A002  # the name in the query
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[StoreAnswer] | Response:
    """Newest first, each with what changed last. An owner sees its own, an operator all."""
    filters: dict[str, object] = {
        "platform": platform,
        "account_id": account_id,
        "platform_store_id": platform_store_id,
        "status": status,
        "missing": missing,
        "changed_since": None if changed_since is None else _utc(changed_since),
    }
    before = id_behind(LISTING, cursor)
    if format == "csv":
        from functions.api.exports import stores_file  # noqa: PLC0415  # csv is loaded by who asks for it

        return stores_file(call.api.database, owner=call.sees, before=before, filters=filters)
    with call.transaction() as uow:
        found = uow.stores.page(owner=call.sees, before=before, limit=limit + 1, filters=filters)
    stores, following = page_of(found, limit, listing=LISTING, place=lambda store: (store.id,))
    return Page(items=[StoreAnswer.of(store) for store in stores], next=following)


def _utc(moment: datetime) -> datetime:
    """The moment in UTC, which it is taken to be in where it has no offset. Raises Invalid."""
    if moment.utcoffset() is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Invalid("changed_since must lie between the years 1 and 9999, in UTC") from None
