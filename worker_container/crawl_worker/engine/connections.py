"""The engine's connections: pooled, to judged addresses only, with a limit on everything that a server may send."""

import asyncio
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Address
from typing import TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import RawResponseMessage
from multidict import CIMultiDict
from yarl import URL

from crawl_worker.engine.content_coding import ACCEPTED, BrokenCoding, UnpacksTooLarge, unpacked
from crawl_worker.engine.egress import EgressRule, Lookup, Resolver
from crawl_worker.engine.settings import EngineSettings
from nightjar.domain.public_address import Address
from nightjar.errors import ErrorCode, GiveUp, RetryLater, TaskFailure

MAX_HEADER_BYTES = 16_384
"""Of one header: a policy or a cookie of some kilobytes is common, and browsers take 256 KB in all."""

MAX_HEADERS = 200

MAX_KNOWN_DESTINATIONS = 10_000

Destination: TypeAlias = tuple[str, str | None, int | None]
"""Scheme, host and port."""

_DEFAULTS = {"Accept": "*/*", "Accept-Encoding": ACCEPTED}
_NAME = re.compile(r"[A-Za-z0-9-]+")

KEPT_SECONDS = 4
"""A connection is not used again after so long without use: many servers (Apache, Node) close theirs after five, and a
request that crosses that on its way is lost."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent, read to its end and unpacked. `headers` are looked up without regard to case."""

    status: int
    headers: Mapping[str, str]
    raw_headers: tuple[tuple[bytes, bytes], ...]
    """As received, in order."""

    body: bytes


class Connections:
    """One pool an egress rule; opened in the running loop by the first request.

    Requests are written here, on connections of aiohttp's connector, and answers read by its parser. Its client session
    does much that a crawler must not (repeat, redirect, keep cookies), and costs more time than the rest of a request.
    """

    def __init__(self, settings: EngineSettings, rule: EgressRule, *, lookup: Lookup | None = None) -> None:
        self.rule = rule
        self._settings = settings
        self._silence = settings.silence.total_seconds()
        self._timeout = aiohttp.ClientTimeout(sock_connect=settings.connect_timeout.total_seconds())
        self._resolver = Resolver(rule, ttl=settings.dns_ttl, lookup=lookup)
        self._connector: aiohttp.TCPConnector | None = None
        self._destinations: dict[Destination, aiohttp.ClientRequest] = {}

    def head(self, headers: Mapping[str, str]) -> str:
        """The header lines of requests, to be made once and used often; what is not in `headers` has defaults.

        Raises ValueError for a header that would not stay one line.
        """
        lines = CIMultiDict(_DEFAULTS | {"Accept-Language": self._settings.accept_language})
        lines.update(headers)
        for name, value in lines.items():
            if not _NAME.fullmatch(name) or not value.isprintable():
                raise ValueError(f"{name!r}: {value!r} is no header")
        return "".join(f"{name}: {value}\r\n" for name, value in lines.items())

    async def exchange(
        self, url: URL, head: str, *, method: str = "GET", body: bytes = b"", at_most: int | None = None
    ) -> Answer:
        """Send one request, once, and read the whole answer. No redirect is followed. The URL has been judged.

        `head` comes from `head()`. `at_most` bytes are taken, before and after unpacking; None takes the setting.

        Raises:
            GiveUp: the egress rule refuses the address, the certificate is bad, or the answer is too large.
            RetryLater: the time is up, the connection failed, or the answer is broken.
        """
        limit = at_most or self._settings.max_response_bytes
        request = _written(url, head, method, body)
        try:
            async with asyncio.timeout(self._settings.timeout.total_seconds()):
                message, packed = await self._ask(url, request, limit)
            encoding = message.headers.get("Content-Encoding")
            content = unpacked(packed, encoding, limit=limit) if encoding else packed
        except (_TooLarge, UnpacksTooLarge) as error:
            text = f"{url} {error} more than {limit:,} bytes; the rest was not read"
            raise GiveUp(ErrorCode.TOO_LARGE, text, details={"url": str(url)}) from error
        except (aiohttp.ClientError, HttpProcessingError, BrokenCoding, TimeoutError, OSError) as error:
            raise failure_of(error, str(url)) from error
        return Answer(message.code, message.headers, message.raw_headers, content)

    async def close(self) -> None:
        """Close all connections. They open anew if they are used again."""
        connector, self._connector = self._connector, None
        self._destinations.clear()
        if connector is not None:
            await connector.close()

    async def _ask(self, url: URL, request: bytes, limit: int) -> tuple[RawResponseMessage, bytes]:
        connection = await self._connect(url)
        try:
            message, body = await self._answer(connection, request, limit)
        except BaseException:
            connection.close()
            raise
        connection.release()  # into the pool, if the server keeps it open
        return message, body

    async def _answer(self, connection: Connection, request: bytes, limit: int) -> tuple[RawResponseMessage, bytes]:
        protocol, transport = connection.protocol, connection.transport
        if protocol is None or transport is None:
            raise aiohttp.ServerDisconnectedError
        protocol.set_response_params(
            skip_payload=request.startswith(b"HEAD "),
            read_until_eof=True,
            auto_decompress=False,
            read_timeout=self._silence,
            max_field_size=MAX_HEADER_BYTES,
            max_headers=MAX_HEADERS,
        )
        transport.write(request)
        protocol.start_timeout()
        message, content = await protocol.read()
        while 100 <= message.code < 200 and message.code != HTTPStatus.SWITCHING_PROTOCOLS:  # noqa: PLR2004
            message, content = await protocol.read()
        return message, await _body(message, content, limit)

    async def _connect(self, url: URL) -> Connection:
        connector = self._open_connector()
        destination = url.scheme, url.raw_host, url.port
        asker = self._destinations.get(destination)
        if asker is None:
            if len(self._destinations) >= MAX_KNOWN_DESTINATIONS:
                self._destinations.clear()
            asker = aiohttp.ClientRequest("GET", url.origin(), loop=asyncio.get_running_loop())
            self._destinations[destination] = asker
        try:
            return await connector.connect(asker, traces=[], timeout=self._timeout)
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError(f"within {self._settings.connect_timeout}") from error

    def _open_connector(self) -> aiohttp.TCPConnector:
        if self._connector is None:
            self._connector = aiohttp.TCPConnector(
                limit=self._settings.max_connections,
                limit_per_host=self._settings.max_per_host,
                resolver=_JudgedAddresses(self._resolver),
                use_dns_cache=False,  # the resolver remembers
                keepalive_timeout=KEPT_SECONDS,
            )
        return self._connector


def _written(url: URL, head: str, method: str, body: bytes) -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if body or method != "GET" else ""
    lines = f"{method} {url.raw_path_qs} HTTP/1.1\r\nHost: {url.host_port_subcomponent}\r\n{head}{length}\r\n"
    return lines.encode() + body


class _TooLarge(Exception):
    """The body has more bytes than are taken."""


async def _body(message: RawResponseMessage, content: aiohttp.StreamReader, limit: int) -> bytes:
    """The bytes of the body as they were sent; aiohttp stops the socket while nobody reads."""
    length = message.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > limit:
        raise _TooLarge("answers")
    first = await content.readany()
    if content.at_eof() and len(first) <= limit:
        return first
    body = bytearray(first)
    while len(body) <= limit and (chunk := await content.readany()):
        body += chunk
    if len(body) > limit:
        raise _TooLarge("answers")
    return bytes(body)


class _JudgedAddresses(AbstractResolver):
    """Gives aiohttp the addresses that the egress rule passed: it connects to those and looks nothing up itself."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = await self._resolver.addresses(host, port)
        found = [_as_result(host, port, address) for address in addresses]
        return [result for result in found if family in {socket.AF_UNSPEC, result["family"]}]

    async def close(self) -> None:
        self._resolver.close()


def _as_result(host: str, port: int, address: Address) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=str(address),
        port=port,
        family=socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6,
        proto=socket.IPPROTO_TCP,
        flags=socket.AI_NUMERICHOST,
    )


_FAILURES: tuple[tuple[type[Exception], type[TaskFailure], ErrorCode, str], ...] = (
    (aiohttp.ConnectionTimeoutError, RetryLater, ErrorCode.TIMEOUT, "takes no connection in time"),
    (TimeoutError, RetryLater, ErrorCode.TIMEOUT, "did not answer in time"),
    (aiohttp.InvalidURL, GiveUp, ErrorCode.EGRESS_REFUSED, "is not a URL that can be requested"),
    (aiohttp.ClientConnectorCertificateError, GiveUp, ErrorCode.UPSTREAM_ERROR, "has no certificate to be trusted"),
    (aiohttp.ClientSSLError, RetryLater, ErrorCode.UPSTREAM_ERROR, "does not agree on a secure connection"),
    (aiohttp.ClientConnectorError, RetryLater, ErrorCode.UPSTREAM_ERROR, "takes no connection"),
    (aiohttp.ClientPayloadError, RetryLater, ErrorCode.UPSTREAM_ERROR, "broke off in the middle of its answer"),
    (HttpProcessingError, RetryLater, ErrorCode.UPSTREAM_ERROR, "answers something that is not HTTP"),
    (aiohttp.ClientError, RetryLater, ErrorCode.UPSTREAM_ERROR, "broke the connection"),
    (BrokenCoding, RetryLater, ErrorCode.UPSTREAM_ERROR, "answers a body that cannot be unpacked"),
    (OSError, RetryLater, ErrorCode.UPSTREAM_ERROR, "cannot be reached"),
)
"""What each fault of a request means, the first that fits."""

Fault = aiohttp.ClientError | HttpProcessingError | BrokenCoding | TimeoutError | OSError


def failure_of(error: Fault, url: str) -> TaskFailure:
    """Our error for a fault of a request. Of each base class the table has a line."""
    _, reaction, code, sentence = next(row for row in _FAILURES if isinstance(error, row[0]))
    return reaction(code, f"{url} {sentence} ({error or type(error).__name__})", details={"url": url})
