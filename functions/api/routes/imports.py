"""Trackings from a CSV file."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse

from functions.api.dependencies import By, IdempotencyKey
from functions.api.errors import UnsupportedMedia
from functions.api.schemas.imports import ImportAnswer, ImportedLine
from functions.api.starting import order_of, stored
from nightjar.application.publishing import publish_due
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.observability import logger
from nightjar.ports import QueueUnavailable
from nightjar.tasks import Queue
from nightjar.wiring import Api

router = APIRouter(prefix="/api/v1/trackings/import", tags=["trackings"])

log = logger("nightjar.api")

NOT_A_FILE = ("application/json", "multipart/form-data")

EXAMPLE = """rank_type,keyword,target_url,x,y,device
place,강남 파스타,https://m.place.naver.com/restaurant/1234567890/home,127.0276,37.4979,
blog,제주 여행 코스,https://blog.naver.com/blogid/223456789012,,,pc
"""


async def _body(request: Request) -> bytes:
    return await request.body()


async def _is_a_file(content_type: Annotated[str, Header(include_in_schema=False)] = "text/csv") -> None:
    """Lenient: curl sends files as forms by default."""
    if content_type.lower().startswith(NOT_A_FILE):
        raise UnsupportedMedia("send the CSV itself as the body, with Content-Type: text/csv")


@router.post(
    "",
    status_code=202,
    summary="Import trackings",
    response_model=ImportAnswer,
    dependencies=[Depends(_is_a_file)],
    openapi_extra={
        "requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}, "example": EXAMPLE}}}
    },
)
def import_file(
    call: By, body: Annotated[bytes, Depends(_body)], idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Broken lines are told by line, the good ones are taken; their checks join the nightly queue.

    A file has a header and up to 5,000 lines or 2 MB, in UTF-8 or CP949.
    """
    from nightjar.application import importing, tracking_csv  # noqa: PLC0415  # loaded by who imports a file

    lines = tracking_csv.read_lines(body)
    wishes = importing.read_wishes(lines, sources=call.api.settings.ranks.sources, resolve=call.api.resolve_short_link)
    order = order_of(call)

    def take(uow: UnitOfWork) -> ImportAnswer:
        imported = importing.import_trackings(uow, wishes, order, owner=call.owner)
        return ImportAnswer(
            items=[
                ImportedLine(line=line.line, status=line.status.value, id=line.tracking_id, message=line.message)
                for line in imported.lines
            ],
            created=imported.count(importing.LineStatus.CREATED),
            exists=imported.count(importing.LineStatus.EXISTS),
            errors=imported.count(importing.LineStatus.ERROR),
            checks=imported.checks,
        )

    answer = stored(call, idempotency_key, take, status=202)
    _publish(call.api)
    return JSONResponse(answer.body, status_code=answer.status)


def _publish(api: Api) -> None:
    try:
        publish_due(api.database.transaction, api.queue(), Queue.NIGHTLY, window=api.settings.stores.publish_window)
    except QueueUnavailable as error:
        log.warning("publish_postponed", cause=error.message)
