"""What surrounds every request: correlation id, body limit, access log, and an answer for whatever goes wrong."""

import asyncio
import hashlib
import re
import time
import uuid
from collections.abc import Iterator

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.api.errors import TooLarge, TooSlow, response_to
from nightjar.errors import NightjarError
from nightjar.observability import bind, clear, logger

BODY_LIMIT = 1_000_000
"""Bytes of a body; the largest JSON that is accepted has a few kilobytes."""

IMPORT_PATH = "/api/v1/trackings/import"
IMPORT_LIMIT = 2_000_000
"""Bytes of a CSV file: 5,000 lines of 400 bytes."""

BODY_SECONDS = 30.0
"""For a body to arrive, so that nobody holds a place by sending a byte now and then."""

REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=@-]{0,127}")
"""What a client's X-Request-Id may look like; anything else is replaced, since it goes into every log line."""

WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
SERVER_ERROR = 500

log = logger("nightjar.api")


class RequestFrame:
    """The outermost ASGI layer of ours."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        answer = _Answer(send, request_id=_request_id(scope))
        scope.setdefault("state", {})["correlation_id"] = answer.request_id
        clear()
        bind(correlation_id=answer.request_id, **_platform(scope))
        try:
            await self._answer(scope, receive, answer)
        finally:
            log.info(
                "request",
                method=scope["method"],
                path=getattr(scope.get("route"), "path", None),
                status=answer.status,
                duration_ms=round((time.perf_counter() - started) * 1000, 1),
                owner=scope["state"].get("owner"),
            )

    async def _answer(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        try:
            body = b"" if scope["method"] in WITHOUT_BODY else await _body(scope, receive)
            scope["state"]["request_hash"] = _hash(scope, body)
            await self._app(scope, _again(body, receive), answer.send)
        except Exception as error:
            response = response_to(error)
            if response.status_code == SERVER_ERROR:
                log.exception("request_failed", cause=repr(error))
            elif response.status_code > SERVER_ERROR:
                log.warning("request_failed", cause=str(error))
            if answer.status is not None:
                raise  # the answer has begun: cutting it off is all that is left
            await response(scope, receive, answer.send)


class _Answer:
    """Sends on what is answered, with the request id, and remembers the status."""

    def __init__(self, send: Send, *, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self.request_id.encode())]
        await self._send(message)


async def _body(scope: Scope, receive: Receive) -> bytes:
    """The whole body. Raises TooLarge as soon as it is known to be, whatever Content-Length says, or TooSlow."""
    limit = IMPORT_LIMIT if scope["path"] == IMPORT_PATH else BODY_LIMIT
    announced = next(_headers(scope, b"content-length"), b"0")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise TooSlow("the connection ended before the body did")  # half a file is no file
                body += message.get("body", b"")
                if len(body) > limit:
                    raise _too_large(limit)
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError as error:
        raise TooSlow(f"the body did not arrive within {BODY_SECONDS:g} seconds") from error


def _hash(scope: Scope, body: bytes) -> bytes:
    """What makes a request the same as another one with the same Idempotency-Key."""
    return hashlib.sha256(f"{scope['method']} {scope['path']}\n".encode() + body).digest()


def _again(body: bytes, receive: Receive) -> Receive:
    """Hands the body over in one piece, then what comes after it (a disconnect)."""
    handed_over = False

    async def receive_again() -> Message:
        nonlocal handed_over
        if handed_over:
            return await receive()
        handed_over = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def _too_large(limit: int) -> NightjarError:
    return TooLarge(f"the body is larger than {limit // 1_000_000} MB, which is the most that is accepted here")


def _request_id(scope: Scope) -> str:
    """The client's id, else the gateway's, else a new one."""
    given = next(_headers(scope, b"x-request-id"), b"").decode("latin-1")
    if REQUEST_ID.fullmatch(given):
        return given
    event = scope.get("aws.event") or {}
    return str(event.get("requestContext", {}).get("requestId") or uuid.uuid4())


def _platform(scope: Scope) -> dict[str, object]:
    """What AWS calls this invocation, where there is one."""
    context = scope.get("aws.context")
    return {"function_request_id": context.aws_request_id} if context else {}


def _headers(scope: Scope, name: bytes) -> Iterator[bytes]:
    return (value for found, value in scope["headers"] if found == name)
