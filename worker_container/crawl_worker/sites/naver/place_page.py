"""The place list: the state that its page carries, and the rows that are shown.

The names of queries and entity types changed from year to year; what stayed is the form: a query of ROOT_QUERY, named
with its JSON argument, holds `items`, each a row or a reference to one, and a row has an id and a name.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from crawl_worker.sites.naver.script_json import values_after
from nightjar.domain.target import place_key

_STATE = "__APOLLO_STATE__"
_QUERY = re.compile(r"(?P<name>\w+)\((?P<argument>\{.*\})\)", re.DOTALL)
_AD_QUERY = re.compile(r"ad[A-Z]")
_AD_FIELDS = ("adId", "adClickLog", "adDescription")
_ID = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceBatch:
    """Organic rows of a place list in list order.

    `size` counts the items, adverts included, from which the next start follows. `total` is what the list claims to
    hold, `start` the 1-based number of its first item; None where it does not say.
    """

    rows: tuple[str | None, ...]
    size: int
    total: int | None
    start: int | None


def place_batch(html: str, keyword: str) -> PlaceBatch | None:
    """The batch in the state of a list page, or None if the page carries none.

    Raises:
        BrokenValue: the state begins and does not end.
    """
    for state in values_after(html, _STATE):
        lists = list(_organic_lists(state, keyword))
        if lists:
            return max(lists, key=lambda batch: len(batch.rows))
    return None


def batch_of_reply(document: Any) -> PlaceBatch | None:
    """The batch in the reply of a GraphQL call that the page itself made; None if it holds no place list.

    `document` is one operation's result or an array of them. Adverts come by an operation of their own.
    """
    for result in document if isinstance(document, list) else [document]:
        data = result.get("data") if isinstance(result, dict) else None
        for name, value in data.items() if isinstance(data, dict) else ():
            listing = _listing(value)
            if listing is not None and not _AD_QUERY.match(name):
                return _batch(listing, {}, start=None)
    return None


def has_errors(document: Any) -> bool:
    """Whether a GraphQL reply carries errors instead of data: one of the ways in which the host refuses."""
    results = document if isinstance(document, list) else [document]
    return any(isinstance(result, dict) and result.get("errors") and not result.get("data") for result in results)


def _organic_lists(state: dict[str, Any], keyword: str) -> Iterator[PlaceBatch]:
    root = state.get("ROOT_QUERY")
    for key, value in root.items() if isinstance(root, dict) else ():
        query, listing = _QUERY.fullmatch(key), _listing(value)
        if query is None or listing is None or _AD_QUERY.match(query["name"]):
            continue
        asked = _input_of(query["argument"])
        if _same_words(asked.get("query"), keyword) and not _only_adverts(listing, state):
            yield _batch(listing, state, start=_whole(asked.get("start")))


def _input_of(argument: str) -> dict[str, Any]:
    try:
        document = json.loads(argument)
    except (ValueError, RecursionError):
        return {}
    inner = document.get("input", document) if isinstance(document, dict) else {}
    return inner if isinstance(inner, dict) else {}


def _same_words(query: object, keyword: str) -> bool:
    """A list that names another query is a recommendation; one that names none is believed."""
    return not isinstance(query, str) or query.split() == keyword.split()


def _listing(value: Any) -> dict[str, Any] | None:
    """The object with `items`: the value itself, or its `businesses`."""
    if not isinstance(value, dict):
        return None
    inner = value.get("businesses", value)
    return inner if isinstance(inner, dict) and isinstance(inner.get("items"), list) else None


def _batch(listing: dict[str, Any], state: dict[str, Any], *, start: int | None) -> PlaceBatch:
    rows = (_resolved(item, state) for item in listing["items"])
    organic = tuple(_key(row) for row in rows if not _is_advert(row))
    return PlaceBatch(rows=organic, size=len(listing["items"]), total=_whole(listing.get("total")), start=start)


def _only_adverts(listing: dict[str, Any], state: dict[str, Any]) -> bool:
    items = listing["items"]
    return bool(items) and all(_is_advert(_resolved(item, state)) for item in items)


def _resolved(item: Any, state: dict[str, Any]) -> dict[str, Any]:
    if isinstance(item, dict) and isinstance(item.get("__ref"), str):
        item = state.get(item["__ref"])
    return item if isinstance(item, dict) else {}


def _is_advert(row: dict[str, Any]) -> bool:
    return any(row.get(name) for name in _AD_FIELDS) or "AdSummary" in str(row.get("__typename"))


def _key(row: dict[str, Any]) -> str | None:
    place_id = str(row.get("id") or "")
    return place_key(place_id) if _ID.fullmatch(place_id) else None


def _whole(value: object) -> int | None:
    """A whole number, as number or as text with thousands separators."""
    if isinstance(value, int):
        return value
    digits = str(value or "").replace(",", "")
    return int(digits) if digits.isdecimal() else None
