"""WebSocket `/api/v1/tasks/{task_id}/live`: the progress of a task as it happens.

The key comes in the Authorization header or, from a browser, in the first message: `{"key": "..."}`. Every message is
the whole state of the task: the first is a snapshot, the last the end, then the server closes with 1000. Whoever
reconnects with `?after=EPOCH:SEQ` of its last message gets what follows it, or a snapshot if that is not kept any more.
"""

import asyncio
import json
import re
import time
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, WebSocket
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocketDisconnect

from functions.api.live import LiveHub, Watcher
from nightjar.application.api_keys import authenticate
from nightjar.application.rechecking import task_of
from nightjar.database.engine import DatabaseUnavailable
from nightjar.domain.progress import Position
from nightjar.domain.task import Task
from nightjar.errors import NotFound, Unauthorized
from nightjar.observability import logger
from nightjar.wiring import Api

DONE = 1000
TRY_AGAIN = 1013
BAD_MESSAGE = 4400
BAD_KEY = 4401
NO_TASK = 4404
TOO_SLOW = 4408
TOO_MANY = 4429
"""Close codes. Those of ours end like the HTTP status that means the same."""

KEY_SECONDS = 5.0
"""For the key to come, where no header brought it."""

PING_SECONDS = 15.0
"""Of silence, after which the client is told that all is well."""

SEND_SECONDS = 10.0
"""For a client to take one message off our hands."""

CLOSE_SECONDS = 1.0

MESSAGE_LIMIT = 4096
"""Characters of a client's message: it has nothing to say but a key."""

MESSAGES_A_MINUTE = 30

CLIENTS_LIMIT = 1000
"""Of one process: a thousand take about 30 MB."""

POSITION = re.compile(r"([A-Za-z0-9-]{1,64}):(\d{1,15})")

log = logger("nightjar.api")
router = APIRouter()


class Refused(Exception):
    """The connection is closed with this code; the reason is for people."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@router.websocket("/api/v1/tasks/{task_id}/live")
async def live(websocket: WebSocket, task_id: str) -> None:
    """Let one client watch one task."""
    started = time.monotonic()
    await websocket.accept()  # a connection that was never accepted could not be told why it ends
    code, reason = TRY_AGAIN, "the server ends this connection; connect again with ?after="
    try:
        await _serve(websocket, task_id)
        code, reason = DONE, "the task has ended"
    except Refused as refused:
        code, reason = refused.code, refused.reason
    except WebSocketDisconnect as gone:
        code, reason = gone.code, "the client left"
    except DatabaseUnavailable as error:
        code, reason = TRY_AGAIN, "the database does not answer at the moment; connect again in a few seconds"
        log.warning("live_failed", cause=error.message)
    finally:
        await _close(websocket, code, reason)
        log.info("live_closed", code=code, cause=reason, seconds=round(time.monotonic() - started, 3))


async def _serve(websocket: WebSocket, raw_id: str) -> None:
    """All of it, until the task ends. Raises Refused, WebSocketDisconnect, DatabaseUnavailable."""
    api: Api = websocket.app.state.api
    hub = _hub(websocket, api)
    if hub.clients >= CLIENTS_LIMIT:
        raise Refused(TRY_AGAIN, "too many clients watch here; connect again in a few seconds")
    after = _after(websocket.query_params.get("after"))
    key = _header_key(websocket) or await _first_message_key(websocket)
    task = await run_in_threadpool(_visible_task, api, key, raw_id)
    watcher = await hub.watch(task, after=after)
    try:
        await _converse(websocket, watcher)
    finally:
        await hub.leave(task.id, watcher)


async def _converse(websocket: WebSocket, watcher: Watcher) -> None:
    """Tell everything, and listen to whether the client leaves or misbehaves."""
    telling = asyncio.create_task(_tell(websocket, watcher))
    listening = asyncio.create_task(_listen(websocket))
    try:
        done, _ = await asyncio.wait({telling, listening}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        telling.cancel()
        listening.cancel()
        await asyncio.gather(telling, listening, return_exceptions=True)


async def _tell(websocket: WebSocket, watcher: Watcher) -> None:
    while True:
        message = await watcher.next(within=PING_SECONDS)
        if message:
            await _send(websocket, message.text)
        if watcher.is_over:
            return
        if message is None:
            await _send(websocket, json.dumps({"type": "ping", "at": datetime.now(UTC).isoformat()}))


async def _send(websocket: WebSocket, text: str) -> None:
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await websocket.send_text(text)
    except TimeoutError:
        raise Refused(TOO_SLOW, f"a message was not taken within {SEND_SECONDS:g} s") from None


async def _listen(websocket: WebSocket) -> None:
    """Read and forget. Raises Refused for what no client of good will sends, WebSocketDisconnect when it leaves."""
    moments: deque[float] = deque(maxlen=MESSAGES_A_MINUTE)
    while True:
        await _message(websocket)
        now = time.monotonic()
        if len(moments) == MESSAGES_A_MINUTE and now - moments[0] < 60:  # noqa: PLR2004  # a minute
            raise Refused(TOO_MANY, f"more than {MESSAGES_A_MINUTE} messages in a minute")
        moments.append(now)


async def _message(websocket: WebSocket) -> dict[str, object]:
    """One message of the client, which has to be a small JSON object."""
    received = await websocket.receive()
    if received["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(received.get("code", 1005), received.get("reason"))
    text = received.get("text")
    if text is None or len(text) > MESSAGE_LIMIT:
        raise Refused(BAD_MESSAGE, f"a message has to be text of at most {MESSAGE_LIMIT} characters")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise Refused(BAD_MESSAGE, "a message has to be a JSON object")
    return message


def _header_key(websocket: WebSocket) -> str | None:
    given = websocket.headers.get("authorization")
    if given is None:
        return None
    scheme, _, key = given.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Refused(BAD_KEY, "the Authorization header has to be: Bearer KEY")
    return key.strip()


async def _first_message_key(websocket: WebSocket) -> str:
    try:
        async with asyncio.timeout(KEY_SECONDS):
            message = await _message(websocket)
    except TimeoutError:
        raise Refused(BAD_KEY, f"no API key came within {KEY_SECONDS:g} s") from None
    key = message.get("key")
    if not isinstance(key, str) or not key.strip():
        raise Refused(BAD_KEY, 'the first message has to be {"key": "an API key"}')
    return key.strip()


def _visible_task(api: Api, key: str, raw_id: str) -> Task:
    """The task, if this key may see it. Raises Refused, DatabaseUnavailable."""
    if not key.isascii():
        raise Refused(BAD_KEY, "this API key is unknown or was revoked")
    with api.database.transaction() as uow:
        try:
            caller = authenticate(uow, key, bootstrap_key=api.settings.bootstrap_api_key)
            return task_of(uow, UUID(raw_id), owner=caller.sees)
        except Unauthorized as error:
            raise Refused(BAD_KEY, error.message) from None
        except (NotFound, ValueError):
            raise Refused(NO_TASK, "there is no such task") from None


def _after(raw: str | None) -> Position | None:
    if raw is None or not raw:
        return None
    found = POSITION.fullmatch(raw)
    if found is None:
        raise Refused(BAD_MESSAGE, "after has to be EPOCH:SEQ of the last message that was received")
    return Position(found[1], int(found[2]))


def _hub(websocket: WebSocket, api: Api) -> LiveHub:
    """The one of this process."""
    state = websocket.app.state
    if not hasattr(state, "live"):
        stores = api.settings.stores
        state.live = LiveHub(api.database, redis_url=stores.live_url, prefix=stores.redis_key_prefix)
    hub: LiveHub = state.live
    return hub


async def _close(websocket: WebSocket, code: int, reason: str) -> None:
    """Say goodbye, unless the client is gone or does not listen."""
    with suppress(TimeoutError, RuntimeError, OSError, WebSocketDisconnect):
        async with asyncio.timeout(CLOSE_SECONDS):
            await websocket.close(code, reason)
