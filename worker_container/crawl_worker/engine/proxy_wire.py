"""The wire of the egress proxy: one request sent on, or bytes both ways, within time and size limits."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta

import h11

from nightjar.errors import ErrorCode, GiveUp

CHUNK_BYTES = 65_536

MAX_HEAD_BYTES = 65_536
"""Of the headers of a message; servers commonly accept 8 to 64 KB."""

# Of one hop only (RFC 9110, 7.6.1), or meant for a proxy.
_HOP_HEADERS = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"proxy-authorization",
        b"proxy-authenticate",
        b"te",
        b"upgrade",
    }
)

Headers = list[tuple[bytes, bytes]]


class Allowance:
    """How many bytes may still pass in one direction of one connection."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._left = limit

    def take(self, count: int) -> None:
        """Use up some. Raises GiveUp when there are none left."""
        self._left -= count
        if self._left < 0:
            raise GiveUp(ErrorCode.TOO_LARGE, f"a connection of the page carried more than {self._limit:,} bytes")


class Peer:
    """One end of an HTTP/1.1 connection: events in, events out, no silence longer than `idle`."""

    def __init__(
        self,
        role: type[h11.CLIENT] | type[h11.SERVER],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        idle: timedelta,
    ) -> None:
        self._http = h11.Connection(role, max_incomplete_event_size=MAX_HEAD_BYTES)
        self.reader = reader
        self.writer = writer
        self.idle = idle

    async def next_event(self) -> object:
        """The next event of h11. Raises TimeoutError after too long a silence, and h11's error for what is not HTTP."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            async with asyncio.timeout(self.idle.total_seconds()):
                self._http.receive_data(await self.reader.read(CHUNK_BYTES))
        return event

    async def send(self, event: h11.Event) -> None:
        """Write an event, waiting while the other end does not take it."""
        data = self._http.send(event)
        if data:
            self.writer.write(data)
            async with asyncio.timeout(self.idle.total_seconds()):
                await self.writer.drain()

    def early_bytes(self) -> bytes:
        """What arrived behind a CONNECT before it was answered."""
        return self._http.trailing_data[0]

    async def gone(self) -> None:
        """Returns when the other end has closed the connection; what it still sends is dropped."""
        with suppress(ConnectionError):
            while await self.reader.read(CHUNK_BYTES):
                pass

    def close(self) -> None:
        """Break the connection; what was written is still sent."""
        self.writer.close()


async def forward(client: Peer, origin: Peer, request: h11.Request, target: str, *, limit: int) -> None:
    """Send one request on, in origin form, and its answer back; both connections end with it.

    Raises GiveUp when either body has more than `limit` bytes, ConnectionResetError when the client leaves.
    """
    await origin.send(h11.Request(method=request.method, target=target, headers=_one_message(request.headers)))
    await _pass_body(client, origin, Allowance(limit))
    answering = asyncio.ensure_future(_answer(client, origin, limit))
    leaving = asyncio.ensure_future(client.gone())
    try:
        ended, _ = await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if answering not in ended:
            raise ConnectionResetError("the browser has given the request up")
        answering.result()
    finally:
        answering.cancel()
        leaving.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)


async def _answer(client: Peer, origin: Peer, limit: int) -> None:
    response = await origin.next_event()
    while isinstance(response, h11.InformationalResponse):
        response = await origin.next_event()
    if not isinstance(response, h11.Response):
        raise h11.RemoteProtocolError("closed before it answered")
    await client.send(
        h11.Response(status_code=response.status_code, reason=response.reason, headers=_one_message(response.headers))
    )
    await _pass_body(origin, client, Allowance(limit))


async def drop_body(client: Peer) -> None:
    """Read a request to its end and forget it."""
    while isinstance(await client.next_event(), h11.Data):
        pass


async def _pass_body(source: Peer, sink: Peer, allowance: Allowance) -> None:
    while isinstance(event := await source.next_event(), h11.Data):
        allowance.take(len(event.data))
        await sink.send(h11.Data(data=event.data))
    if not isinstance(event, h11.EndOfMessage):
        raise h11.RemoteProtocolError("closed in the middle of a message")
    await sink.send(h11.EndOfMessage())


def _one_message(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    return [*end_to_end(headers), (b"connection", b"close")]


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The headers that travel on: none of one hop, and one framing only."""
    received = list(headers)
    named = {token.strip().lower() for name, value in received if name == b"connection" for token in value.split(b",")}
    dropped = _HOP_HEADERS | named
    if any(name == b"transfer-encoding" for name, _ in received):
        dropped = dropped | {b"content-length"}
    return [(name, value) for name, value in received if name not in dropped]


async def tunnel(client: Peer, origin: Peer, *, limit: int) -> None:
    """Bytes both ways until either side ends, both are silent for too long, or one direction is used up."""
    idle = client.idle.total_seconds()
    loop = asyncio.get_running_loop()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        allowance = Allowance(limit)
        while data := await reader.read(CHUNK_BYTES):
            silence.reschedule(loop.time() + idle)
            allowance.take(len(data))
            writer.write(data)
            await writer.drain()

    origin.writer.write(client.early_bytes())
    async with asyncio.timeout(idle) as silence:
        pumps = [
            asyncio.ensure_future(pump(client.reader, origin.writer)),
            asyncio.ensure_future(pump(origin.reader, client.writer)),
        ]
        try:
            ended, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump_ in ended:
                pump_.result()
        finally:
            for pump_ in pumps:
                pump_.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
