"""Stores as lines of a spreadsheet."""

from collections.abc import Iterable

from nightjar.application.spreadsheet import lines_of
from nightjar.database.stores import StoreRow

COLUMNS = (
    *("platform", "platform_store_id", "store_name", "business_type", "sub_type", "brand", "address", "road_address"),
    *("lat", "lng", "phone", "status", "business_no", "raw_label", "source", "account_id", "owner"),
    *("first_seen_at", "last_seen_at", "changed_at", "missing_since", "last_changed_fields"),
)

MOMENTS = frozenset({"first_seen_at", "last_seen_at", "changed_at", "missing_since"})


def store_lines(rows: Iterable[StoreRow]) -> str:
    """Lines of an export, without the header."""
    return lines_of([_cell(row, column) for column in COLUMNS] for row in rows)


def _cell(row: StoreRow, column: str) -> object:
    if column == "last_changed_fields":
        return " ".join(change.field for change in row.last_changes)
    value = getattr(row, column)
    return value.isoformat() if column in MOMENTS and value is not None else value
