"""The API as one ASGI application. It knows what it was given, and reads no environment unless it is asked to."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from functions.api.errors import http_error, invalid_request
from functions.api.frame import RequestFrame
from functions.api.nouns import NOUNS
from functions.api.routes import service
from nightjar.application.api_keys import ensure_bootstrap_key
from nightjar.database.engine import DatabaseUnavailable
from nightjar.observability import configure_logging, logger
from nightjar.wiring import Api, build_api

POOL_SIZE = 8
"""Connections of one process outside Lambda: requests beyond these wait for one, which is shorter than it sounds."""

DESCRIPTION = """\
Nightjar follows the daily rank of places, blog posts and cafe articles on Naver, reads the stores of an owner, and
crawls sites: pages, sections, link graph.

Every request but those under *service* needs an API key: `Authorization: Bearer KEY`. Errors are
`{"error": {"code", "message", "details"}}`. Lists are `{"items", "next"}`; `next` is the `cursor` of the next page.
`X-Request-Id` is taken over, answered, and found in every log line that the request caused.
"""

log = logger("nightjar.api")


def create_app_from_environment() -> FastAPI:
    """For uvicorn --factory: settings and logging from the environment. Raises BadSettings."""
    api = build_api(os.environ, pool_size=POOL_SIZE)
    configure_logging("api", level=api.settings.stores.log_level)
    return create_app(api)


class NightjarApi(FastAPI):
    """FastAPI with a document that tells of all nouns, our keys and our errors."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made by the first who asks for it."""
        if self.openapi_schema is None:
            from functions.api.openapi import document  # noqa: PLC0415

            self.openapi_schema = document(self)
        return self.openapi_schema


def create_app(api: Api) -> FastAPI:
    """The application around what it works with."""
    app = NightjarApi(
        title="Nightjar",
        description=DESCRIPTION,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        exception_handlers={HTTPException: http_error, RequestValidationError: invalid_request},
    )
    app.state.api = api
    # Not include_router: it builds every route a second time, which a cold start would pay for.
    app.router.routes.extend((*service.router.routes, *NOUNS))
    app.add_middleware(RequestFrame)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Outside Lambda: the bootstrap key exists from the start, connections are given back at the end."""
    api: Api = app.state.api
    try:
        await run_in_threadpool(_bootstrap, api)
    except DatabaseUnavailable as error:
        log.warning("bootstrap_postponed", cause=error.message)  # the key is stored when it is first used
    yield
    if live := getattr(app.state, "live", None):
        await live.close()
    await run_in_threadpool(api.close)


def _bootstrap(api: Api) -> None:
    if api.settings.bootstrap_api_key:
        with api.database.transaction() as uow:
            ensure_bootstrap_key(uow, api.settings.bootstrap_api_key)
