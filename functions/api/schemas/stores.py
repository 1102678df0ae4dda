"""Stores on the wire."""

from dataclasses import asdict
from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel

from functions.api.schemas.requests import StartRequest
from nightjar.database.stores import StoreRow


class StartCrawlRequest(StartRequest):
    """Whose stores are to be read."""

    account_id: UUID


class StoreChangeAnswer(BaseModel):
    """A field that is not what it was."""

    field: str
    old_value: str | None
    new_value: str | None


class StoreAnswer(BaseModel):
    """A store. What was not read is null. `last_changes` are those of the last crawl that found any, `changed_by`."""

    id: int
    platform: str
    account_id: UUID
    platform_store_id: str
    store_name: str
    business_type: str | None
    sub_type: str | None
    brand: str | None
    address: str | None
    road_address: str | None
    lat: float | None
    lng: float | None
    phone: str | None
    status: str | None
    business_no: str | None
    raw_label: str | None
    source: str
    first_seen_at: datetime
    last_seen_at: datetime
    changed_at: datetime
    missing_since: datetime | None
    changed_by: UUID | None
    last_changes: list[StoreChangeAnswer]

    @classmethod
    def of(cls, store: StoreRow) -> Self:
        """As it is shown."""
        return cls.model_validate(asdict(store))
