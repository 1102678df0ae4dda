"""The service itself: its name, whether it lives, whether it can work, and its figures."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from functions.api.dependencies import api_of
from nightjar.database.engine import DatabaseUnavailable
from nightjar.errors import NightjarError
from nightjar.ports import QueueUnavailable
from nightjar.wiring import Api

router = APIRouter(tags=["service"])


@router.get("/", summary="Name and version")
async def index() -> dict[str, str]:
    """Where to go on: /docs describes every path."""
    return {"name": "nightjar", "version": version("nightjar"), "docs": "/docs"}


@router.get("/health", summary="Alive")
async def health() -> dict[str, str]:
    """The process answers; nothing else is looked at."""
    return {"status": "ok"}


@router.get("/ready", summary="Ready, with reasons")
def ready(request: Request, only: Literal["database", "queue"] | None = None) -> Response:
    """503 if something that is needed is away, and why. Without the queue requests still succeed; work starts later."""
    checks = {"database": _database_fault, "queue": _queue_fault}
    found = {name: check(api_of(request)) for name, check in checks.items() if only in {None, name}}
    dependencies = {name: {"ready": fault is None, "reason": fault} for name, fault in found.items()}
    is_ready = all(fault is None for fault in found.values())
    return JSONResponse({"ready": is_ready, "dependencies": dependencies}, status_code=200 if is_ready else 503)


@router.get("/metrics", summary="Figures for Prometheus")
def metrics(request: Request) -> Response:
    """Counts only, nothing of anybody's: open tasks, waiting times, open batches, hosts that are left alone."""
    from functions.api import metrics as figures  # noqa: PLC0415  # the Prometheus client is loaded by who scrapes

    return Response(figures.exposition(api_of(request)), media_type=figures.CONTENT_TYPE)


def _database_fault(api: Api) -> str | None:
    def look() -> str | None:
        with api.database.transaction() as uow:
            if uow.figures.has_schema():
                return None
        return "the tables are missing; run python -m nightjar.database.migrate"

    return _fault(look)


def _queue_fault(api: Api) -> str | None:
    def look() -> None:
        api.queue().epoch()

    return _fault(look)


def _fault(look: Callable[[], str | None]) -> str | None:
    try:
        return look()
    except (DatabaseUnavailable, QueueUnavailable) as error:
        return error.message
    except NightjarError as error:
        return str(error)
