"""The browser's way out: a forward proxy on loopback that applies the egress rule to every connection of a page.

Chromium looks no name up and opens no connection but to this proxy. Each rule has credentials of its own, made for this
process: they tell which rule a connection is under, and keep everybody else on the machine out.
"""

import asyncio
import base64
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import h11
from yarl import URL

from crawl_worker.engine.egress import EgressRule, Lookup, Resolver, refused
from crawl_worker.engine.proxy_wire import Peer, drop_body, forward, tunnel
from crawl_worker.engine.settings import EngineSettings
from nightjar.errors import ErrorCode, GiveUp, RetryLater, TaskFailure

MAX_CONNECTIONS = 300
"""Open at once: Chromium keeps at most 32 to a proxy for pages, and 255 for web sockets."""

MAX_NOTED_FAILURES = 256

CONNECT_TIMEOUT_SECONDS = 10

Endpoint = tuple[str, int]


class Door:
    """The way out under one rule: what a browser context is given, and why connections through it failed."""

    def __init__(self, resolver: Resolver, server: str) -> None:
        self.server = server
        self.username = secrets.token_hex(8)
        self.password = secrets.token_urlsafe(24)
        self.resolver = resolver
        self._failures: OrderedDict[Endpoint, TaskFailure] = OrderedDict()

    def opens_for(self, shown: bytes) -> bool:
        """Whether a Proxy-Authorization header carries the credentials of this door."""
        token = base64.b64encode(f"{self.username}:{self.password}".encode())
        return secrets.compare_digest(shown, b"Basic " + token)

    def failure(self, host: str, port: int) -> TaskFailure | None:
        """Why the latest connection to this endpoint failed; None if it did not."""
        return self._failures.get((host.lower(), port))

    def note(self, endpoint: Endpoint, failure: TaskFailure) -> None:
        """Remember a failure for whoever asks why a page did not load."""
        self._failures[endpoint] = failure
        self._failures.move_to_end(endpoint)
        while len(self._failures) > MAX_NOTED_FAILURES:
            self._failures.popitem(last=False)

    async def connect(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to a judged address. Raises GiveUp or RetryLater, and notes it."""
        endpoint = (host.lower(), port)
        self._failures.pop(endpoint, None)
        try:
            return await self._connect(host, port)
        except TaskFailure as failure:
            self.note(endpoint, failure)
            raise

    async def _connect(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        error: OSError | None = None
        addresses = await self.resolver.addresses(host, port)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                for address in addresses:
                    try:
                        return await asyncio.open_connection(str(address), port)
                    except OSError as unreachable:
                        error = unreachable
        except TimeoutError as late:
            raise RetryLater(ErrorCode.TIMEOUT, f"{host}:{port} takes no connection in time") from late
        raise RetryLater(ErrorCode.UPSTREAM_ERROR, f"{host}:{port} takes no connection ({error})") from error


class EgressProxy:
    """Listens on a free port of 127.0.0.1 from `start` to `close`."""

    def __init__(self, settings: EngineSettings, *, lookup: Lookup | None = None) -> None:
        self._settings = settings
        self._lookup = lookup
        self._server: asyncio.Server | None = None
        self._starting = asyncio.Lock()
        self._doors: dict[EgressRule, Door] = {}
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. Starting twice does nothing."""
        async with self._starting:
            if self._server is None:
                self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)

    def door(self, rule: EgressRule) -> Door:
        """The door of a rule, made at the first call. The proxy has been started."""
        if rule not in self._doors:
            if self._server is None:
                raise RuntimeError("the egress proxy is not started: call start() first")
            server = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
            self._doors[rule] = Door(Resolver(rule, ttl=self._settings.dns_ttl, lookup=self._lookup), server)
        return self._doors[rule]

    @asynccontextmanager
    async def own_door(self, rule: EgressRule) -> AsyncIterator[Door]:
        """A door with a port of its own and no password, while the block runs.

        Where credentials are needed the browser's driver must answer for them at each request, which costs time. Pages
        cannot knock at another's door: it is on loopback, where their own rule lets them reach nothing.
        """
        resolver = Resolver(rule, ttl=self._settings.dns_ttl, lookup=self._lookup)
        door = Door(resolver, "")
        listener = await asyncio.start_server(partial(self._accept, door=door), "127.0.0.1", 0)
        door.server = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        try:
            yield door
        finally:
            listener.close()
            resolver.close()

    async def close(self) -> None:
        """Stop listening and break every connection."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        for door in self._doors.values():
            door.resolver.close()
        self._doors.clear()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, door: Door | None = None) -> None:
        if len(self._connections) >= MAX_CONNECTIONS:
            writer.transport.abort()
            return
        client = Peer(h11.SERVER, reader, writer, idle=self._settings.tunnel_idle)
        connection = asyncio.get_running_loop().create_task(self._serve(client, door))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _serve(self, client: Peer, door: Door | None) -> None:
        """Answer the one request of a connection of the browser.

        One, because Chromium sends a request again by itself when a connection that it used before breaks: the host
        would get a page's request twice without a pause.
        """
        try:
            request = await client.next_event()
            if isinstance(request, h11.Request):
                await self._answer(client, request, door)
        except (h11.ProtocolError, TaskFailure, TimeoutError, OSError):
            pass  # the browser sees its connection break; the door has noted why
        finally:
            client.close()

    async def _answer(self, client: Peer, request: h11.Request, door: Door | None) -> None:
        door = door or self._door_of(request)
        if door is None:
            await _ask_for_credentials(client)
        elif request.method == b"CONNECT":
            await self._tunnel(client, request, door)
        else:
            await self._forward(client, request, door)

    def _door_of(self, request: h11.Request) -> Door | None:
        shown = dict(request.headers).get(b"proxy-authorization", b"")
        return next((door for door in self._doors.values() if door.opens_for(shown)), None)

    async def _tunnel(self, client: Peer, request: h11.Request, door: Door) -> None:
        host, port = _endpoint(request)
        try:
            reader, writer = await door.connect(host, port)
        except TaskFailure as failure:
            status = 403 if isinstance(failure, GiveUp) else 502
            await client.send(h11.Response(status_code=status, headers=[("Content-Length", "0")]))
            raise
        origin = Peer(h11.CLIENT, reader, writer, idle=client.idle)
        try:
            await drop_body(client)
            await client.send(h11.Response(status_code=200, headers=[], reason=b"Connection Established"))
            await tunnel(client, origin, limit=self._settings.max_tunnel_bytes)
        except TaskFailure as failure:
            door.note((host.lower(), port), failure)
            raise
        finally:
            origin.close()

    async def _forward(self, client: Peer, request: h11.Request, door: Door) -> None:
        """Send a plain HTTP request on.

        One that is refused or fails gets no answer at all: a status made here would look like the site's own.
        """
        url = _absolute(request)
        host, port = url.host or "", url.port or 80
        reader, writer = await door.connect(host, port)
        origin = Peer(h11.CLIENT, reader, writer, idle=client.idle)
        try:
            await forward(client, origin, request, url.raw_path_qs, limit=self._settings.max_tunnel_bytes)
        except TaskFailure as failure:
            door.note((host.lower(), port), failure)
            raise
        finally:
            origin.close()


async def _ask_for_credentials(client: Peer) -> None:
    await drop_body(client)
    headers = [("Proxy-Authenticate", 'Basic realm="egress"'), ("Content-Length", "0"), ("Connection", "close")]
    await client.send(h11.Response(status_code=407, headers=headers, reason=b"Proxy Authentication Required"))
    await client.send(h11.EndOfMessage())


def _endpoint(request: h11.Request) -> Endpoint:
    """Host and port of a CONNECT. Raises GiveUp."""
    url = _url(f"//{request.target.decode('ascii')}", request)
    return url.host or "", url.port or 0


def _absolute(request: h11.Request) -> URL:
    """The URL of a plain request. Raises GiveUp unless it is http://host..."""
    url = _url(request.target.decode("ascii"), request)
    if url.scheme != "http":
        raise refused(repr(url), "a plain request through the proxy must be for http://")
    return url


def _url(text: str, request: h11.Request) -> URL:
    try:
        url = URL(text, encoded=True)
        named = bool(url.host) and url.explicit_port != 0
    except ValueError:
        named = False
    if not named:
        raise refused(repr(request.target), "it names no host")
    return url
