"""Lists as NDJSON: an object a line, streamed; a few are in memory, and no transaction is open while a client reads."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Annotated, Literal, TypeVar

from fastapi import Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from nightjar.database.engine import Database
from nightjar.database.unit_of_work import UnitOfWork

MEDIA_TYPE = "application/x-ndjson"

Format = Annotated[
    Literal["json", "ndjson"] | None,
    Query(description=f"ndjson: the whole list, an object a line. The same as Accept: {MEDIA_TYPE}."),
]

Row = TypeVar("Row")
Place = TypeVar("Place")


def wants_ndjson(request: Request, format: str | None) -> bool:  # noqa: A002  # the name in the query
    """Whether the client asks for the whole list, by the query or (where that does not say) by its Accept header."""
    if format is not None:
        return format == "ndjson"
    accepted = (one.partition(";")[0].strip().lower() for one in request.headers.get("accept", "").split(","))
    return MEDIA_TYPE in accepted


def ndjson(
    database: Database,
    begin: Place | None,
    *,
    read: Callable[[UnitOfWork, Place | None], Sequence[Row]],
    place: Callable[[Row], Place],
    shown: Callable[[Row], BaseModel],
) -> StreamingResponse:
    """All rows behind `begin`; `read` gives some of those behind a place, and none at the end.

    Raises DatabaseUnavailable before the answer begins, or cuts it off.
    """
    lines = _lines(database, begin, read, place, shown)
    beginning = next(lines, "")  # read while a fault can still be answered
    return StreamingResponse(chain((beginning,), lines), media_type=MEDIA_TYPE)


def _lines(
    database: Database,
    begin: Place | None,
    read: Callable[[UnitOfWork, Place | None], Sequence[Row]],
    place: Callable[[Row], Place],
    shown: Callable[[Row], BaseModel],
) -> Iterator[str]:
    behind = begin
    while True:
        with database.transaction() as uow:
            rows = read(uow, behind)
        if not rows:
            return
        behind = place(rows[-1])
        yield "".join(shown(row).model_dump_json() + "\n" for row in rows)
