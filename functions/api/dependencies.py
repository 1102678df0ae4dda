"""What routes ask for: the wired API, who calls, where a page starts, and under which key a request is sent."""

import hashlib
import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from functions.api.schemas import Options
from nightjar.application.api_keys import Caller, Role, authenticate
from nightjar.application.idempotency import RequestKey
from nightjar.application.registering import CheckOrder
from nightjar.domain.kst import kst_day
from nightjar.errors import Forbidden, Invalid, Unauthorized
from nightjar.wiring import Api

MAX_ID = 2**63 - 1
"""Ids of trackings and batches are bigints."""

IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,200}")

_bearer = HTTPBearer(auto_error=False, scheme_name="API key", description="An API key, as `Authorization: Bearer KEY`.")


@dataclass(frozen=True, slots=True)
class Paging:
    """Which part of a list is wanted."""

    cursor: str | None
    limit: int


async def _api(request: Request) -> Api:
    api: Api = request.app.state.api
    return api


def _caller(
    request: Request,
    api: "Deps",
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    if credentials is None:
        raise Unauthorized("an API key is needed: send it as Authorization: Bearer KEY")
    with api.database.transaction() as uow:
        caller = authenticate(uow, credentials.credentials, bootstrap_key=api.settings.bootstrap_api_key)
    request.state.owner = caller.owner
    return caller


async def _operator(caller: "By") -> Caller:
    if caller.role is not Role.OPERATOR:
        raise Forbidden("this needs the key of an operator; yours is the key of an owner")
    return caller


async def _paging(
    cursor: Annotated[str | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Items on a page.")] = 50,
) -> Paging:
    return Paging(cursor, limit)


async def _body(request: Request) -> bytes:
    return await request.body()


async def _request_key(
    request: Request,
    caller: "By",
    body: "RawBody",
    idempotency_key: Annotated[
        str | None, Header(description="Sent again with the same body it starts nothing twice; the answer is the same.")
    ] = None,
) -> RequestKey | None:
    if idempotency_key is None:
        return None
    if not IDEMPOTENCY_KEY.fullmatch(idempotency_key):
        raise Invalid("Idempotency-Key must be 1 to 200 visible ASCII characters without blanks")
    what = f"{request.method} {request.url.path}\n".encode()
    return RequestKey(owner=caller.owner, key=idempotency_key, request_hash=hashlib.sha256(what + body).digest())


def order_of(request: Request, api: Api, options: Options | None = None) -> CheckOrder:
    """A check for today, the Korean day of this moment, under the correlation id of the request."""
    return CheckOrder(
        checked_on=kst_day(api.clock()),
        correlation_id=request.state.correlation_id,
        timeout_seconds=options.timeout if options else None,
    )


Deps = Annotated[Api, Depends(_api)]
By = Annotated[Caller, Depends(_caller)]
ByOperator = Annotated[Caller, Depends(_operator)]
Paged = Annotated[Paging, Depends(_paging)]
RawBody = Annotated[bytes, Depends(_body)]
OnceKey = Annotated[RequestKey | None, Depends(_request_key)]
