"""Every error that a client can meet, in one envelope: `{"error": {"code", "message", "details"}}`."""

import typing
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from nightjar.database.engine import DatabaseUnavailable
from nightjar.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NightjarError,
    NotFound,
    RetryLater,
    SourceOff,
    Unauthorized,
)
from nightjar.ports import SecretsOff, SecretsUnavailable

RETRY_AFTER_SECONDS = 5
"""What a client is told to wait where we are the ones who are away: a restart of Postgres takes about as long."""

MAX_PROBLEMS = 3
"""Problems of one request that the sentence names; `details` has them all."""


class TooLarge(NightjarError):
    """The body is larger than what is accepted here."""


class TooSlow(NightjarError):
    """The body did not arrive in time."""


class UnsupportedMedia(NightjarError):
    """The body is of a kind that is not accepted here."""


TABLE: tuple[tuple[type[NightjarError], HTTPStatus, str], ...] = (
    (SourceOff, HTTPStatus.UNPROCESSABLE_ENTITY, "source_off"),
    (SecretsOff, HTTPStatus.UNPROCESSABLE_ENTITY, "secrets_off"),
    (Invalid, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid"),
    (Unauthorized, HTTPStatus.UNAUTHORIZED, "unauthorized"),
    (Forbidden, HTTPStatus.FORBIDDEN, "forbidden"),
    (NotFound, HTTPStatus.NOT_FOUND, "not_found"),
    (Conflict, HTTPStatus.CONFLICT, "conflict"),
    (TooSlow, HTTPStatus.REQUEST_TIMEOUT, "too_slow"),
    (TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large"),
    (UnsupportedMedia, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
    (RetryLater, HTTPStatus.SERVICE_UNAVAILABLE, "upstream_unavailable"),
    (SecretsUnavailable, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"),
    (DatabaseUnavailable, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"),
)
"""Our errors, the particular before the general: which status and which code a client sees."""

AWAY = {
    DatabaseUnavailable: "the database does not answer at the moment; send the request again in a few seconds",
    SecretsUnavailable: "credentials can neither be kept nor deleted at the moment; send the request again later",
}
"""What a client learns of our own troubles; the log says more."""
BUG = "something broke on our side; the correlation id in X-Request-Id finds it in the log"


def response_to(error: Exception) -> JSONResponse:
    """The answer to any error. One that is not in the table is a bug: the client learns no more than that."""
    for kind, status, code in TABLE:
        if isinstance(error, kind):
            message = AWAY.get(kind, error.message)
            return envelope(status, code, message, details=error.details, headers=_headers(status))
    return envelope(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", BUG)


def envelope(
    status: int,
    code: str,
    message: str,
    *,
    details: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """An error as clients get it."""
    content = {"error": {"code": code, "message": message, "details": dict(details or {})}}
    return JSONResponse(content, status_code=int(status), headers=headers)


async def http_error(request: Request, error: Exception) -> JSONResponse:
    """What the framework itself refuses: unknown paths, wrong methods, unreadable JSON."""
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    headers = error.headers if isinstance(error, HTTPException) else None
    match status:
        case HTTPStatus.NOT_FOUND:
            return envelope(status, "not_found", "there is nothing at this path; /docs lists what there is")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            message = f"{request.method} is not possible at this path; /docs lists what is"
            return envelope(status, "method_not_allowed", message, headers=headers)
        case HTTPStatus.BAD_REQUEST:
            message = f"the body cannot be read as JSON. {_accepted(request)}"
            return envelope(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", message.strip())
    return envelope(status, "invalid", HTTPStatus(status).phrase, headers=headers)


async def invalid_request(request: Request, error: Exception) -> JSONResponse:
    """What does not fit the schema, in a sentence that says what is accepted. The input itself is never repeated."""
    found = error.errors() if isinstance(error, RequestValidationError) else ()
    problems = [_problem(one) for one in found]
    sentence = "; ".join(f"{place} {text}" if place else text for place, text in problems[:MAX_PROBLEMS])
    in_body = any(one["loc"][0] == "body" for one in found)
    message = f"{sentence}. {_accepted(request) if in_body else ''}".strip()
    details = {"problems": [{"field": place, "problem": text} for place, text in problems]}
    return envelope(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", message, details=details)


def _headers(status: HTTPStatus) -> dict[str, str]:
    if status is HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": "Bearer"}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        return {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return {}


def _problem(error: Mapping[str, typing.Any]) -> tuple[str, str]:
    """The field and what is wrong with it."""
    place = ".".join(str(part) for part in error["loc"][1:])
    match error["type"]:
        case "json_invalid":
            return "", f"the body is not JSON: {error['ctx']['error']} at character {error['loc'][1]}"
        case "missing":
            return place or "the body", "is missing"
        case "extra_forbidden":
            return place, "is not a known field"
        case "model_attributes_type" | "dict_type" | "model_type":
            return place or "the body", "must be a JSON object, sent with Content-Type: application/json"
    return place, str(error["msg"]).replace("Input should", "must").replace("String should", "must").replace(
        "Value", ""
    )


def _accepted(request: Request) -> str:
    """The fields of the body that this route takes."""
    model = _body_model(request.scope.get("endpoint"))
    return f"Accepted: {_fields(model)}." if model else ""


def _body_model(endpoint: object) -> type[BaseModel] | None:
    for hint in typing.get_type_hints(endpoint).values() if endpoint else ():
        for kind in (hint, *typing.get_args(hint)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                return kind
    return None


def _fields(model: type[BaseModel]) -> str:
    """Like {keyword, location? {x, y}}: a question mark is a field that may be left out."""
    return "{" + ", ".join(_field(name, field) for name, field in model.model_fields.items()) + "}"


def _field(name: str, field: typing.Any) -> str:
    nested: Sequence[object] = (field.annotation, *typing.get_args(field.annotation))
    inner = next((kind for kind in nested if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
    shown = name if field.is_required() else f"{name}?"
    return f"{shown} {_fields(inner)}" if inner else shown
