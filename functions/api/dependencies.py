"""What routes ask for: who calls and what for, where a page starts, under which key a request is sent.

One dependency does it: the framework analyses each one anew for every route, which a cold start pays for.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends, Header, Query, Request

from nightjar.application.api_keys import Caller, Role, authenticate
from nightjar.database.engine import Transactions
from nightjar.errors import Forbidden, Unauthorized
from nightjar.wiring import Api

MAX_ID = 2**63 - 1
"""Ids of trackings and batches are bigints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request of somebody whose key is good. `request_hash` covers method, path and body."""

    api: Api
    caller: Caller
    correlation_id: str
    request_hash: bytes

    @property
    def transaction(self) -> Transactions:
        """Opens a unit of work."""
        return self.api.database.transaction

    @property
    def owner(self) -> str:
        """Whose new objects are."""
        return self.caller.owner

    @property
    def sees(self) -> str | None:
        """Whose objects are found; None is everybody's."""
        return self.caller.sees


def api_of(request: Request) -> Api:
    """What this application works with."""
    api: Api = request.app.state.api
    return api


def _call(request: Request) -> Call:
    api = api_of(request)
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Unauthorized("an API key is needed: send it as Authorization: Bearer KEY")
    with api.database.transaction() as uow:
        caller = authenticate(uow, key.strip(), bootstrap_key=api.settings.bootstrap_api_key)
    request.state.owner = caller.owner
    return Call(
        api=api,
        caller=caller,
        correlation_id=request.state.correlation_id,
        request_hash=request.state.request_hash,
    )


def _operator(request: Request) -> Call:
    call = _call(request)
    if call.caller.role is not Role.OPERATOR:
        raise Forbidden("this needs the key of an operator; yours is the key of an owner")
    return call


By = Annotated[Call, Depends(_call)]
ByOperator = Annotated[Call, Depends(_operator)]
Cursor = Annotated[str | None, Query(description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200, description="Items on a page.")]
Format = Annotated[Literal["json", "csv"], Query(description="csv: the whole list as a file for spreadsheets.")]
IdempotencyKey = Annotated[
    str | None,
    Header(description="Sent again with the same body it starts nothing twice; the answer is the same."),
]
