"""Cursors: opaque to clients, versioned, and of one list only."""

import base64
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import TypeVar
from uuid import UUID

from nightjar.errors import Invalid

VERSION = "1"
MAX_LENGTH = 500
"""Characters: a place may hold the longest name of a host."""

MAX_ID = 2**63 - 1

Place = TypeVar("Place")
Item = TypeVar("Item")


def cursor_at(listing: str, *place: object) -> str:
    """The cursor that goes on behind `place` in a list."""
    text = "|".join((VERSION, listing, *(one.isoformat() if isinstance(one, date) else str(one) for one in place)))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def page_of(
    found: Sequence[Item], limit: int, *, listing: str, place: Callable[[Item], Sequence[object]]
) -> tuple[Sequence[Item], str | None]:
    """Up to `limit` items, and the cursor of what follows. `found` has one item more where something follows."""
    items = found[:limit]
    return items, cursor_at(listing, *place(items[-1])) if len(found) > limit else None


def id_behind(listing: str, cursor: str | None) -> int | None:
    """The id that a cursor of this list names. Raises Invalid."""
    return _read(listing, cursor, _bigint)


def day_behind(listing: str, cursor: str | None) -> date | None:
    """The day that a cursor of this list names. Raises Invalid."""
    return _read(listing, cursor, date.fromisoformat)


def place_behind(listing: str, cursor: str | None, read: Callable[..., Place]) -> Place | None:
    """The place that a cursor of this list names: `read` gets its parts, and raises ValueError. Raises Invalid."""
    return _read(listing, cursor, read)


def moment_behind(listing: str, cursor: str | None) -> tuple[datetime, UUID] | None:
    """The moment and the id that a cursor of this list names. Raises Invalid."""
    return _read(listing, cursor, lambda moment, key: (_moment(moment), UUID(key)))


def _read(listing: str, cursor: str | None, read: Callable[..., Place]) -> Place | None:
    if cursor is None:
        return None
    try:
        return read(*_parts(listing, cursor))
    except (ValueError, TypeError, OverflowError) as error:
        raise Invalid(
            "cursor: this is no cursor of this list; give `next` of the page before, or none for the first page"
        ) from error


def _parts(listing: str, cursor: str) -> list[str]:
    """Raises ValueError."""
    padded = cursor[:MAX_LENGTH] + "=" * (-len(cursor) % 4)
    version, name, *parts = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").split("|")
    if (version, name) != (VERSION, listing):
        raise ValueError(f"{version} {name}")
    return parts


def _bigint(text: str) -> int:
    number = int(text)
    if not 0 < number <= MAX_ID:
        raise ValueError(number)
    return number


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() is None:
        raise ValueError(text)
    return moment.astimezone(UTC)
