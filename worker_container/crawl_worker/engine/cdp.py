"""The DevTools protocol over Chromium's pipe: commands out, answers and events in.

Spoken without a driver in between: a page costs a third of the processor time that it takes through one (no second
process, no script world of the driver's in each document, no frames that nobody looks at).
"""

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

MAX_MESSAGE_BYTES = 100_000_000
"""The largest is the body of a document (at most 50 MB, in base64)."""

Answer: TypeAlias = dict[str, Any]
Listener: TypeAlias = Callable[[str, Answer], None]
"""Takes the name of an event and its parameters."""


class CdpError(Exception):
    """Chromium refused a command."""


class CdpClosed(CdpError):
    """The pipe is closed: Chromium is gone."""


class Cdp(asyncio.Protocol):
    """One connection. `listeners` maps a session ('' for the browser itself) to who hears its events."""

    def __init__(self) -> None:
        self.listeners: dict[str, Listener] = {}
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._out: asyncio.WriteTransport | None = None
        self._in: asyncio.ReadTransport | None = None
        self._received = bytearray()
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._count = 0

    @classmethod
    async def connect(cls, answers_fd: int, commands_fd: int) -> "Cdp":
        """Talk over the ends of two pipes; both are closed with the connection."""
        loop = asyncio.get_running_loop()
        cdp = cls()
        cdp._in, _ = await loop.connect_read_pipe(lambda: cdp, os.fdopen(answers_fd, "rb", 0))
        cdp._out, _ = await loop.connect_write_pipe(asyncio.Protocol, os.fdopen(commands_fd, "wb", 0))
        return cdp

    async def send(self, method: str, session: str = "", /, **params: object) -> Answer:
        """Send a command and wait for its answer. Raises CdpError when it is refused, CdpClosed when nobody answers."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        number = self.post(method, session, **params)
        self._waiting[number] = answer
        try:
            return await answer
        finally:
            self._waiting.pop(number, None)

    def post(self, method: str, session: str = "", /, **params: object) -> int:
        """Send a command whose answer nobody waits for. Raises CdpClosed."""
        if not self.is_open or self._out is None:
            raise CdpClosed("Chromium has ended")
        self._count += 1
        message: dict[str, object] = {"id": self._count, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        self._out.write(json.dumps(message).encode() + b"\0")
        return self._count

    @property
    def is_open(self) -> bool:
        """Whether commands are still answered."""
        return not self.closed.done()

    def close(self) -> None:
        """Close both pipes, which ends Chromium; whoever waits gets CdpClosed."""
        for transport in (self._in, self._out):
            if transport is not None:
                transport.close()
        self._close()

    # --- asyncio's side of the reading pipe -----------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Cut what came into messages."""
        self._received += data
        if b"\0" not in data:
            if len(self._received) > MAX_MESSAGE_BYTES:
                self.close()
            return
        *messages, rest = self._received.split(b"\0")
        self._received = rest
        for message in messages:
            self._take(json.loads(message))

    def connection_lost(self, _: Exception | None) -> None:
        """Chromium has closed its end."""
        self._close()

    def _take(self, message: Answer) -> None:
        if "id" not in message:
            listener = self.listeners.get(message.get("sessionId", ""))
            if listener is not None:
                listener(message["method"], message["params"])
            return
        waiting = self._waiting.pop(message["id"], None)
        if waiting is None or waiting.done():
            return
        if "error" in message:
            waiting.set_exception(CdpError(_words(message["error"])))
        else:
            waiting.set_result(message["result"])

    def _close(self) -> None:
        if self.closed.done():
            return
        self.closed.set_result(None)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(CdpClosed("Chromium has ended"))
        self._waiting.clear()


def _words(error: Mapping[str, object]) -> str:
    return f"{error.get('message')} {error.get('data', '')}".strip()
