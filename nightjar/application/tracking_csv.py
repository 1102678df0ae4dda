"""Trackings as CSV: what people keep in a spreadsheet, read line by line, and written so that it can be read again."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from nightjar.application.registering import Wish
from nightjar.application.spreadsheet import lines_of, unguarded
from nightjar.database.rank_history import HistoryRow
from nightjar.database.trackings import TrackingView
from nightjar.domain.tracking import Device, Location, RankType, Tracking, TrackingStatus
from nightjar.errors import Invalid

MAX_LINES = 5_000
"""Lines of one import, the header not counted."""

MAX_LINES_OF_RECORD = 20
"""Lines that a quoted cell may run over: what a phone's share sheet gives has three or four."""

REQUIRED = ("rank_type", "keyword", "target_url")
ACCEPTED = (*REQUIRED, "x", "y", "device")

TRACKING_COLUMNS = (
    *("id", *ACCEPTED, "vertical", "status", "owner", "current_session", "created_at"),
    *("last_checked_on", "last_outcome", "last_rank", "last_known_on", "last_known_rank"),
)
"""What an export holds. An import reads the accepted ones of these, and `status`, and passes over the rest."""

HISTORY_COLUMNS = (
    *("tracking_id", "checked_on", "checked_at", "outcome", "rank"),
    *("session_number", "checked_count", "source", "reason"),
)

Word = TypeVar("Word", RankType, Device)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an import, by its number in the file: what it asks for, or what is wrong with it."""

    number: int
    content: Wish | Invalid


def read_lines(body: bytes) -> list[Line]:
    """The lines of a file. Broken lines are returned as such; a file that is broken as a whole raises Invalid."""
    records = _records(_decoded(body))
    _, first = next(records, (0, None))
    if first is None:
        raise Invalid(f"this file is empty; its first line must be a header: {','.join(ACCEPTED)}")
    if isinstance(first, Invalid):
        raise Invalid(f"the header cannot be read: {first.message}")
    header = _header(first)
    lines = [_line(number, header, cells) for number, cells in islice(records, MAX_LINES + 1)]
    if len(lines) > MAX_LINES:
        raise Invalid(f"this file has more than {MAX_LINES} lines; send it in parts")
    return lines


def tracking_lines(views: Iterable[TrackingView]) -> str:
    """Lines of an export, without the header."""
    return lines_of(_tracking_cells(view) for view in views)


def history_lines(tracking_id: int, rows: Iterable[HistoryRow]) -> str:
    """Lines of one tracking's history, without the header."""
    return lines_of(
        (
            *(tracking_id, row.checked_on, row.checked_at.isoformat(), row.outcome, row.rank),
            *(row.session_number, row.checked_count, row.source, row.reason),
        )
        for row in rows
    )


def _decoded(body: bytes) -> str:
    for encoding in ("utf-8-sig", "cp949"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Invalid("this file is neither UTF-8 nor CP949; save it as CSV UTF-8")


def _records(text: str) -> Iterator[tuple[int, list[str] | Invalid]]:
    """Each record that is not blank, with the number of the line where it begins.

    A quoted cell may hold line breaks. A quote that is never closed breaks its own line only: the next one is read as
    if nothing had happened.
    """
    lines = list(io.StringIO(text, newline=""))
    at = 0
    while at < len(lines):
        reader = csv.reader(lines[at : at + MAX_LINES_OF_RECORD], strict=True)
        try:
            cells = next(reader)
        except csv.Error as error:
            yield at + 1, Invalid(f"this line cannot be read as CSV ({error}); is a quote not closed?")
            at += 1
            continue
        if any(cell.strip() for cell in cells):
            yield at + 1, cells
        at += reader.line_num


def _header(cells: Sequence[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    while names and not names[-1]:
        names.pop()  # a trailing comma
    missing = [name for name in REQUIRED if name not in names]
    unknown = [name or "(blank)" for name in names if name not in {*ACCEPTED, *TRACKING_COLUMNS}]
    twice = sorted({name for name in names if names.count(name) > 1})
    for problem, found in (("lacks", missing), ("has the unknown", unknown), ("repeats", twice)):
        if found:
            raise Invalid(
                f"the header {problem} {', '.join(found)}; the first line must name the columns "
                f"{', '.join(REQUIRED)} and may name x, y, device"
            )
    return names


def _line(number: int, header: Sequence[str], cells: Sequence[str] | Invalid) -> Line:
    if isinstance(cells, Invalid):
        return Line(number, cells)
    try:
        return Line(number, _wish(header, cells))
    except Invalid as error:
        return Line(number, error)


def _wish(header: Sequence[str], cells: Sequence[str]) -> Wish:
    if any(cell.strip() for cell in cells[len(header) :]):
        raise Invalid(f"this line has {len(cells)} cells, the header {len(header)}; is a comma not quoted?")
    row = {name: unguarded(cell.strip()) for name, cell in zip(header, cells, strict=False)}
    if row.get("status", "").lower() == TrackingStatus.STOPPED:
        raise Invalid("status is stopped; only active trackings are imported")
    return Wish(
        rank_type=_word(row, "rank_type", RankType),
        keyword=row.get("keyword", ""),
        target_url=row.get("target_url", ""),
        location=_location(row),
        device=_word(row, "device", Device) if row.get("device") else None,
    )


def _word(row: Mapping[str, str], column: str, words: type[Word]) -> Word:
    try:
        return words(row.get(column, "").lower())
    except ValueError as error:
        raise Invalid(f"{column} must be one of {', '.join(words)}") from error


def _location(row: Mapping[str, str]) -> Location | None:
    x, y = row.get("x", ""), row.get("y", "")
    if not x and not y:
        return None
    try:
        return Location(x=float(x), y=float(y))
    except ValueError as error:
        raise Invalid("x and y must both be numbers (longitude and latitude), or both be blank") from error


def _tracking_cells(view: TrackingView) -> tuple[object, ...]:
    tracking, last = view.tracking, view.last
    search = tracking.search
    location = (search.location.x, search.location.y) if search.location else (None, None)
    known = (last.checked_on, last.outcome, last.rank, last.known_on, last.known_rank) if last else (None,) * 5
    return (
        *(tracking.id, search.rank_type, search.keyword, _address(tracking), *location, search.device),
        *(search.vertical, tracking.status, tracking.owner, tracking.current_session, tracking.created_at.isoformat()),
        *known,
    )


def _address(tracking: Tracking) -> str:
    """The tracking's address. That of a place names its list, so that an import asks the same search again."""
    vertical = tracking.search.vertical
    return tracking.target_url.replace("/place/", f"/{vertical}/", 1) if vertical else tracking.target_url
