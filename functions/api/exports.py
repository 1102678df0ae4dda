"""Lists as CSV files, streamed page by page: no transaction is held open while a client reads."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import chain

from fastapi.responses import StreamingResponse

from nightjar.application.tracking_csv import (
    HISTORY_COLUMNS,
    TRACKING_COLUMNS,
    header_line,
    history_lines,
    tracking_lines,
)
from nightjar.database.engine import Database

PAGE = 500
"""Rows that are read in one transaction."""


def trackings_file(
    database: Database, *, owner: str | None, before: int | None, filters: Mapping[str, str | None]
) -> StreamingResponse:
    """All trackings that fit, newest first. Raises DatabaseUnavailable before the answer begins, or cuts it off."""

    def pages() -> Iterator[str]:
        behind, more = before, True
        while more:
            with database.transaction() as uow:
                views = uow.trackings.page(owner=owner, before=behind, limit=PAGE, filters=filters)
            more = len(views) == PAGE
            behind = views[-1].tracking.id if views else None
            yield tracking_lines(views)

    return _file("trackings.csv", lambda: chain((header_line(TRACKING_COLUMNS),), pages()))


def history_file(database: Database, tracking_id: int, *, before: date | None) -> StreamingResponse:
    """All days of a tracking, newest first. Errors as in `trackings_file`."""

    def pages() -> Iterator[str]:
        behind, more = before, True
        while more:
            with database.transaction() as uow:
                rows = uow.rank_history.page(tracking_id, before=behind, limit=PAGE)
            more = len(rows) == PAGE
            behind = rows[-1].checked_on if rows else None
            yield history_lines(tracking_id, rows)

    return _file(f"tracking-{tracking_id}.csv", lambda: chain((header_line(HISTORY_COLUMNS),), pages()))


def _file(name: str, parts: Callable[[], Iterator[str]]) -> StreamingResponse:
    lines = parts()
    beginning = next(lines) + next(lines)  # the first page is read while a fault can still be answered
    return StreamingResponse(
        chain((beginning,), lines),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
