"""The engine's connections: pooled, to judged addresses only, with a limit on everything that a server may send."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from crawl_worker.engine.content_coding import ACCEPTED, BrokenCoding, UnpacksTooLarge, unpacked
from crawl_worker.engine.egress import EgressRule, Lookup, Resolver
from crawl_worker.engine.settings import EngineSettings
from nightjar.domain.public_address import Address
from nightjar.errors import ErrorCode, GiveUp, RetryLater, TaskFailure

MAX_HEADER_BYTES = 16_384
"""Of one header: a policy or a cookie of some kilobytes is common, and browsers take 256 KB in all."""

MAX_HEADERS = 200

KEPT_SECONDS = 4
"""A connection is not used again after so long without use: many servers (Apache, Node) close theirs after five, and a
request that crosses that on its way is lost."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent, read to its end and unpacked. `headers` are looked up without regard to case."""

    url: URL
    status: int
    headers: Mapping[str, str]
    raw_headers: tuple[tuple[bytes, bytes], ...]
    """As received, in order."""

    body: bytes


class Connections:
    """One pool an egress rule; opened in the running loop by the first request."""

    def __init__(self, settings: EngineSettings, rule: EgressRule, *, lookup: Lookup | None = None) -> None:
        self.rule = rule
        self._settings = settings
        self._resolver = Resolver(rule, ttl=settings.dns_ttl, lookup=lookup)
        self._session: aiohttp.ClientSession | None = None

    async def exchange(
        self,
        url: URL,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        json: object = None,
        at_most: int | None = None,
    ) -> Answer:
        """Send one request, once, and read the whole answer. No redirect is followed. The URL has been judged.

        `at_most` bytes are taken, before and after unpacking; None takes the setting.

        Raises:
            GiveUp: the egress rule refuses the address, the certificate is bad, or the answer is too large.
            RetryLater: the time is up, the connection failed, or the answer is broken.
        """
        limit = at_most or self._settings.max_response_bytes
        try:
            answer = await self._open_session().request(method, url, headers=headers, json=json, allow_redirects=False)
            try:
                packed = await _body(answer, limit)
            except BaseException:
                answer.close()
                raise
            encoding = answer.headers.get("Content-Encoding")
            body = unpacked(packed, encoding, limit=limit) if encoding else packed
            return Answer(answer.url, answer.status, answer.headers, answer.raw_headers, body)
        except UnpacksTooLarge as error:
            message = f"{url} unpacks to more than {limit:,} bytes; the rest was not read"
            raise GiveUp(ErrorCode.TOO_LARGE, message, details={"url": str(url)}) from error
        except (aiohttp.ClientError, BrokenCoding, TimeoutError, OSError) as error:
            raise failure_of(error, str(url)) from error

    async def close(self) -> None:
        """Close all connections. They open anew if they are used again."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            settings = self._settings
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=settings.max_connections,
                    limit_per_host=settings.max_per_host,
                    resolver=_JudgedAddresses(self._resolver),
                    use_dns_cache=False,  # the resolver remembers
                    keepalive_timeout=KEPT_SECONDS,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),  # tasks must not meet each other's cookies
                headers={"Accept-Language": settings.accept_language, "Accept-Encoding": ACCEPTED},
                timeout=aiohttp.ClientTimeout(
                    total=settings.timeout.total_seconds(),
                    sock_connect=settings.connect_timeout.total_seconds(),
                    sock_read=settings.silence.total_seconds(),
                ),
                middlewares=(_send_once,),
                trust_env=False,
                auto_decompress=False,
                max_field_size=MAX_HEADER_BYTES,
                max_headers=MAX_HEADERS,
            )
        return self._session


async def _body(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    """The bytes of the body as they were sent; aiohttp stops the socket while nobody reads."""
    length = answer.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > limit:
        raise _too_large(answer, limit)
    content = answer.content
    first = await content.readany()
    if content.at_eof() and len(first) <= limit:
        return first
    body = bytearray(first)
    while chunk := await content.readany():
        body += chunk
        if len(body) > limit:
            break
    if len(body) > limit:
        raise _too_large(answer, limit)
    return bytes(body)


def _too_large(answer: aiohttp.ClientResponse, limit: int) -> GiveUp:
    url = str(answer.url)
    message = f"{url} answers more than {limit:,} bytes; the rest was not read"
    return GiveUp(ErrorCode.TOO_LARGE, message, details={"url": url})


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


class _SentAndLost(aiohttp.ClientError):
    """The connection broke after the request had been sent."""


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating a request on a fresh connection: the host would get two without a pause."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise  # nothing was sent, and aiohttp does not repeat it
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _SentAndLost(str(error) or type(error).__name__) from error


_FAILURES: tuple[tuple[type[Exception], type[TaskFailure], ErrorCode, str], ...] = (
    (aiohttp.ConnectionTimeoutError, RetryLater, ErrorCode.TIMEOUT, "takes no connection in time"),
    (TimeoutError, RetryLater, ErrorCode.TIMEOUT, "did not answer in time"),
    (aiohttp.InvalidURL, GiveUp, ErrorCode.EGRESS_REFUSED, "is not a URL that can be requested"),
    (aiohttp.ClientConnectorCertificateError, GiveUp, ErrorCode.UPSTREAM_ERROR, "has no certificate to be trusted"),
    (aiohttp.ClientSSLError, RetryLater, ErrorCode.UPSTREAM_ERROR, "does not agree on a secure connection"),
    (aiohttp.ClientConnectorError, RetryLater, ErrorCode.UPSTREAM_ERROR, "takes no connection"),
    (aiohttp.ClientPayloadError, RetryLater, ErrorCode.UPSTREAM_ERROR, "broke off in the middle of its answer"),
    (aiohttp.ClientResponseError, RetryLater, ErrorCode.UPSTREAM_ERROR, "answers something that is not HTTP"),
    (aiohttp.ClientError, RetryLater, ErrorCode.UPSTREAM_ERROR, "broke the connection"),
    (BrokenCoding, RetryLater, ErrorCode.UPSTREAM_ERROR, "answers a body that cannot be unpacked"),
    (OSError, RetryLater, ErrorCode.UPSTREAM_ERROR, "cannot be reached"),
)
"""What each fault of a request means, the first that fits."""

Fault = aiohttp.ClientError | BrokenCoding | TimeoutError | OSError


def failure_of(error: Fault, url: str) -> TaskFailure:
    """Our error for a fault of a request. Of each base class the table has a line."""
    _, reaction, code, sentence = next(row for row in _FAILURES if isinstance(error, row[0]))
    return reaction(code, f"{url} {sentence} ({error or type(error).__name__})", details={"url": url})
