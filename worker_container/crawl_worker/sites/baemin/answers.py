"""What the JSON service says. Envelopes differ from call to call; fields that nobody has seen are not guessed.

Known: `shopNo`, `name`/`shopName`, `contents`/`content`, `categories[].name`, `address.road.address`, `latitude`,
`longitude`, `businessNo`. Not known for certain: `telephone` and `operationStatus`; they are taken where they occur.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from crawl_worker.sites.owner_site import RawStore
from nightjar.domain.store import Field

Json: TypeAlias = object

SEARCH_PATH = "/v4/store/shops/search"
DETAIL_PATH = re.compile(r"/v\d+/store/shops/(?P<number>\d{4,12})")
OWNER_PATH = re.compile(r"/v\d+/store/shop-owners/[^/]+")
PROFILE_PATHS = frozenset({"/v1/session/profile", "/v1/session/user-profile"})

USUAL_PAGE_SIZE = 50
"""What the site's own pages ask for, where a call does not say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer of the JSON service to a call of the page; status 0 where none came.

    `document` is None where the body broke off, is gone, or is no JSON.
    """

    path: str
    query: tuple[tuple[str, str], ...]
    status: int
    document: Json

    @property
    def is_ok(self) -> bool:
        """Whether it brings what was asked for."""
        return self.status < 300 and self.document is not None  # noqa: PLR2004  # the border of success

    @property
    def page_size(self) -> int:
        """How many rows were asked for."""
        size = dict(self.query).get("pageSize", "")
        return int(size) if size.isdecimal() and int(size) else USUAL_PAGE_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchList:
    """What the search calls of a page said together: `is_whole` once the last, shorter page has come."""

    stores: tuple[RawStore, ...] = ()
    is_whole: bool = False
    has_failed: bool = False


def read_search(answers: Iterable[Answer]) -> SearchList:
    """The stores of the search calls, each once, in the order of the answers."""
    stores: dict[str, RawStore] = {}
    is_whole = has_failed = False
    for answer in answers:
        if answer.path != SEARCH_PATH:
            continue
        rows = rows_of(answer.document) if answer.is_ok else None
        has_failed |= not answer.is_ok
        if rows is not None:
            found = [store for row in rows if (store := _row(row)) is not None]
            stores |= {store.store_id: store for store in found}
            is_whole |= len(rows) < answer.page_size and len(found) == len(rows)
    return SearchList(stores=tuple(stores.values()), is_whole=is_whole, has_failed=has_failed)


def rows_of(document: Json) -> Sequence[Json] | None:
    """The list in an answer, under any of its known names; None where there is none: that is not an empty list."""
    if not isinstance(document, dict):
        return None
    for name in ("contents", "content"):
        if isinstance(document.get(name), list):
            return document[name]  # type: ignore[no-any-return]  # JSON
    return rows_of(document.get("data"))


def with_detail(store: RawStore, document: Json) -> RawStore | None:
    """The store with its detail; None where the document is not the one of this store.

    The name of the detail wins over the one that was read out of a text. A field that is there and empty is gone, one
    that is not there is unknown.
    """
    detail = _object(document)
    if detail is not None and "shopNo" not in detail:
        detail = _object(detail.get("data"))
    if detail is None or _number(detail) != store.store_id:
        return None
    address = _object(detail.get("address")) or {}
    road = _object(address.get("road")) or {}
    shown: dict[Field, tuple[dict[str, Json], str]] = {
        "road_address": (road, "address"),
        "phone": (detail, "telephone"),
        "status": (detail, "operationStatus"),
    }
    read = {field: _text(where.get(name)) for field, (where, name) in shown.items()}
    return replace(
        store,
        name=_text(detail.get("name")) or store.name,
        category=_category(detail.get("categories")) or store.category,
        lat=_degrees(address.get("latitude"), 90),
        lng=_degrees(address.get("longitude"), 180),
        source="detail",
        road_address=read["road_address"],
        phone=read["phone"],
        status=read["status"],
        gone=frozenset(field for field, (where, name) in shown.items() if name in where and read[field] is None),
    )


def business_no(document: Json) -> str | None:
    """The registration number in the answer about the owner."""
    owner = _object(document)
    return _text(owner.get("businessNo")) if owner is not None else None


def _row(row: Json) -> RawStore | None:
    found = _object(row)
    number = _number(found) if found is not None else None
    if found is None or number is None:
        return None
    name = _text(found.get("name")) or _text(found.get("shopName"))
    return RawStore(store_id=number, name=name, source="api") if name else None


def _number(found: dict[str, Json]) -> str | None:
    for name in ("shopNo", "shopNumber", "shopId"):
        value = found.get(name)
        if isinstance(value, int | str) and not isinstance(value, bool) and str(value).isdecimal():
            return str(value)
    return None


def _category(categories: Json) -> str | None:
    first = _object(categories[0]) if isinstance(categories, list) and categories else None
    return _text(first.get("name")) if first is not None else None


def _object(value: Json) -> dict[str, Json] | None:
    return value if isinstance(value, dict) else None


def _text(value: Json) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _degrees(value: Json, most: int) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) <= most else None  # type: ignore[arg-type]  # checked
