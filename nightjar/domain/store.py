"""A store as its owner's site shows it. What was not read is None; nothing is made up."""

from dataclasses import dataclass, field
from typing import Literal

Field = Literal[
    "store_name", "business_type", "sub_type", "brand", "address", "road_address", "lat", "lng", "phone", "status",
    "business_no",
]  # fmt: skip
"""What the site says of a store, and what may change about it."""

StoreSource = Literal["select", "api", "detail"]
"""Where the most of it was read: the page's select, its list of stores, or the details of this store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """One store of an account.

    `gone` names what the source showed to be empty, as opposed to not having shown it: only this takes a value back
    that was known before.
    """

    platform_store_id: str
    store_name: str
    source: StoreSource
    raw_label: str | None = None
    business_type: str | None = None
    sub_type: str | None = None
    brand: str | None = None
    address: str | None = None
    road_address: str | None = None
    lat: float | None = None
    lng: float | None = None
    phone: str | None = None
    status: str | None = None
    business_no: str | None = None
    gone: frozenset[Field] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreChange:
    """One field of a store that is not what it was. `missing_since` changes when a store leaves the list or returns."""

    platform_store_id: str
    field: str
    old_value: str | None
    new_value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedStores:
    """What saving a crawl's stores did. The first three add up to the stores saved.

    `missing` counts stores of the account that a complete list no longer held and that were not missing before.
    """

    created: int
    updated: int
    unchanged: int
    missing: int
    changes: tuple[StoreChange, ...]
