"""Lists as CSV files, streamed page by page: no transaction is held open while a client reads."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain
from typing import TypeVar

from fastapi.responses import StreamingResponse

from nightjar.application import store_csv
from nightjar.application.spreadsheet import header_line
from nightjar.application.tracking_csv import HISTORY_COLUMNS, TRACKING_COLUMNS, history_lines, tracking_lines
from nightjar.database.engine import Database
from nightjar.database.unit_of_work import UnitOfWork

PAGE = 500
"""Rows that are read in one transaction."""

Row = TypeVar("Row")
Place = TypeVar("Place")


def trackings_file(
    database: Database, *, owner: str | None, before: int | None, filters: Mapping[str, str | None]
) -> StreamingResponse:
    """All trackings that fit, newest first. Raises DatabaseUnavailable before the answer begins, or cuts it off."""
    pages = _pages(
        database,
        before,
        read=lambda uow, behind: uow.trackings.page(owner=owner, before=behind, limit=PAGE, filters=filters),
        place=lambda view: view.tracking.id,
    )
    return _file("trackings.csv", TRACKING_COLUMNS, map(tracking_lines, pages))


def history_file(database: Database, tracking_id: int, *, before: date | None) -> StreamingResponse:
    """All days of a tracking, newest first. Errors as in `trackings_file`."""
    pages = _pages(
        database,
        before,
        read=lambda uow, behind: uow.rank_history.page(tracking_id, before=behind, limit=PAGE),
        place=lambda row: row.checked_on,
    )
    return _file(f"tracking-{tracking_id}.csv", HISTORY_COLUMNS, (history_lines(tracking_id, page) for page in pages))


def stores_file(
    database: Database, *, owner: str | None, before: int | None, filters: Mapping[str, object]
) -> StreamingResponse:
    """All stores that fit, newest first. Errors as in `trackings_file`."""
    pages = _pages(
        database,
        before,
        read=lambda uow, behind: uow.stores.page(owner=owner, before=behind, limit=PAGE, filters=filters),
        place=lambda row: row.id,
    )
    return _file("stores.csv", store_csv.COLUMNS, map(store_csv.store_lines, pages))


def _pages(
    database: Database,
    before: Place | None,
    *,
    read: Callable[[UnitOfWork, Place | None], Sequence[Row]],
    place: Callable[[Row], Place],
) -> Iterator[Sequence[Row]]:
    """Page after page, at least one, each read in a transaction of its own."""
    behind, more = before, True
    while more:
        with database.transaction() as uow:
            rows = read(uow, behind)
        more = len(rows) == PAGE
        behind = place(rows[-1]) if rows else None
        yield rows


def _file(name: str, columns: Sequence[str], lines: Iterator[str]) -> StreamingResponse:
    beginning = header_line(columns) + next(lines)  # the first page is read while a fault can still be answered
    return StreamingResponse(
        chain((beginning,), lines),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
