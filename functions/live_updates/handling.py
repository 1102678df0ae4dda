"""Events of API Gateway's WebSocket connections: who is there, what they watch, and where they begin.

A worker posts what happens; here a client gets what happened before. The row that lets workers post is stored before
the stream is read, so nothing falls between the two: what is told twice has the same number.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import uuid4

from redis import RedisError

from functions.live_updates.requests import ACCEPTED, Refused, Subscribe, header_key, subscribe_of
from nightjar.adapters.aws.connections import Connections, Posted
from nightjar.adapters.redis.connection import impatient_client
from nightjar.adapters.redis.progress_stream import Backlog, ProgressStreams
from nightjar.application.api_keys import Caller, Role, authenticate
from nightjar.database.live_connections import LiveConnection
from nightjar.database.live_tasks import LiveTask
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.progress import Position, ProgressEvent, row_message
from nightjar.errors import Unauthorized
from nightjar.observability import bind, clear, configure_logging, logger
from nightjar.wiring import LiveUpdates, build_live_updates

MESSAGES_LIMIT = 50
"""Of one answer. A client that missed more gets the newest alone, which is the whole state."""

OK = 200
UNAUTHORIZED = 401

UNKNOWN_KEY = "this API key is unknown or was revoked"

log = logger(__name__)


class Observe(Protocol):
    """Is told of each event."""

    def __call__(self, *, refused: bool) -> None:
        """One event was handled."""


def _nobody(*, refused: bool) -> None:
    """Outside Lambda nothing turns the figures into metrics."""


class Handler:
    """One execution environment: parts are made at the first event and kept. `observe` is told of each event."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        observe: Observe = _nobody,
        connections: Callable[[str], Connections] = Connections,
    ) -> None:
        self._environment = environment
        self._observe = observe
        self._new_connections = connections
        self._connections: Connections | None = None
        self._parts: LiveUpdates | None = None

    def handle(self, event: Mapping[str, Any], context: Any) -> dict[str, object]:
        """Answer one event. Raises BadSettings, DatabaseUnavailable."""
        request = event["requestContext"]
        connection_id, route = str(request["connectionId"]), str(request["routeKey"])
        parts = self.parts
        clear()
        bind(
            correlation_id=str(request.get("requestId") or uuid4()),
            function_request_id=getattr(context, "aws_request_id", None),
        )
        refused: Refused | None = None
        try:
            self._route(parts, route, connection_id, event)
        except Refused as error:
            refused = error
            self._refuse(route, connection_id, request, error)
        self._observe(refused=refused is not None)
        log.info("live_event", route=route, code=refused.code if refused else None)
        is_unauthorized = route == "$connect" and refused is not None
        return {"statusCode": UNAUTHORIZED if is_unauthorized else OK}

    @property
    def parts(self) -> LiveUpdates:
        """What the function works with."""
        if self._parts is None:
            configure_logging("live_updates", level=self._environment.get("LOG_LEVEL", "INFO"))
            self._parts = build_live_updates(self._environment)
        return self._parts

    def _route(self, parts: LiveUpdates, route: str, connection_id: str, event: Mapping[str, Any]) -> None:
        """Raises Refused."""
        match route:
            case "$connect":
                self._connect(parts, connection_id, header_key(event))
            case "$disconnect":
                with parts.database.transaction() as uow:
                    uow.live_connections.close([connection_id])
            case "subscribe":
                self._subscribe(parts, connection_id, event["requestContext"], subscribe_of(event))
            case _:
                raise Refused("invalid", ACCEPTED)

    def _connect(self, parts: LiveUpdates, connection_id: str, key: str | None) -> None:
        with parts.database.transaction() as uow:
            caller = _caller(uow, key) if key else None
            uow.live_connections.open(
                connection_id, owner=caller.owner if caller else None, role=caller.role if caller else None
            )

    def _subscribe(self, parts: LiveUpdates, connection_id: str, request: Mapping[str, Any], wanted: Subscribe) -> None:
        with parts.database.transaction() as uow:
            caller = _identified(uow, connection_id, wanted.key)
            if uow.tasks.get(wanted.task_id, owner=caller.sees) is None:
                raise Refused("not_found", "there is no such task")
            uow.live_connections.watch(connection_id, wanted.task_id)
        with parts.database.transaction() as uow:  # the row after it is known who watches: an end before is seen here
            task = uow.live_tasks.current([wanted.task_id]).get(wanted.task_id)
        if task is None:
            raise Refused("not_found", "there is no such task")
        connections = self._of(request)
        for text in self._opening(parts, task, wanted.after):
            if connections.post(connection_id, text) is Posted.GONE:
                with parts.database.transaction() as uow:
                    uow.live_connections.close([connection_id])
                return

    def _opening(self, parts: LiveUpdates, task: LiveTask, after: Position | None) -> list[str]:
        """What a client gets that begins to watch: what it missed, the newest state, or a sign of life."""
        event = task.event()
        try:
            backlog = asyncio.run(_backlog(parts, event, after))
        except (RedisError, OSError) as error:
            log.warning("live_without_redis", cause=str(error))
            backlog = None
        if backlog is None:
            return [row_message(event, Position(f"row-{uuid4().hex}", 1)).text]
        if not backlog.messages:
            return [json.dumps({"type": "ping", "at": datetime.now(UTC).isoformat()})]
        kept = backlog.messages if len(backlog.messages) <= MESSAGES_LIMIT else backlog.messages[-1:]
        return [message.text for message in kept]

    def _refuse(self, route: str, connection_id: str, request: Mapping[str, Any], refused: Refused) -> None:
        """Say why, and end the connection; one that is not open yet is refused by the status alone."""
        if route in {"$connect", "$disconnect"}:
            return
        connections = self._of(request)
        error = {"code": refused.code, "message": refused.message, "details": {}}
        connections.post(connection_id, json.dumps({"error": error}))
        connections.disconnect(connection_id)

    def _of(self, request: Mapping[str, Any]) -> Connections:
        """The connections of the API that this event is of; the gateway itself says where they are."""
        endpoint = self.parts.settings.endpoint or f"https://{request['domainName']}/{request['stage']}"
        if self._connections is None or self._connections.endpoint != endpoint:
            self._connections = self._new_connections(endpoint)
        return self._connections


async def _backlog(parts: LiveUpdates, event: ProgressEvent, after: Position | None) -> Backlog | None:
    """One reading of the stream. Raises RedisError or OSError."""
    stores = parts.settings.stores
    client = impatient_client(stores.live_url, max_connections=1)
    try:
        return await ProgressStreams(client, prefix=stores.redis_key_prefix).open(event, number=1, after=after)
    finally:
        await client.aclose()


def _identified(uow: UnitOfWork, connection_id: str, key: str | None) -> Caller:
    """Who is at the other end; a key that is shown counts from now on. Raises Refused."""
    connection = uow.live_connections.find(connection_id)
    if connection is None:
        raise Refused("unauthorized", "this connection has expired; connect again")
    if key is not None:
        caller = _caller(uow, key)
        uow.live_connections.identify(connection_id, owner=caller.owner, role=caller.role)
        return caller
    return _known(connection)


def _known(connection: LiveConnection) -> Caller:
    if connection.role is None or connection.owner is None:
        raise Refused("unauthorized", 'an API key is needed: "key" in the first message, or Authorization: Bearer KEY')
    return Caller(owner=connection.owner, role=Role(connection.role))


def _caller(uow: UnitOfWork, key: str) -> Caller:
    """Who holds a key. A bootstrap key counts once the API has stored it. Raises Refused."""
    if not key.strip() or not key.isascii():
        raise Refused("unauthorized", UNKNOWN_KEY)
    try:
        return authenticate(uow, key.strip(), bootstrap_key="")
    except Unauthorized:
        raise Refused("unauthorized", UNKNOWN_KEY) from None
