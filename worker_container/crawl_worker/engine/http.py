"""The engine's HTTP client: one request, one answer, limits on both, and the egress rule in the connector."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from crawl_worker.engine.charset import text_of
from crawl_worker.engine.egress import Address, EgressRule, Lookup, Resolver
from crawl_worker.engine.settings import EngineSettings
from nightjar.errors import ErrorCode, GiveUp, RetryLater, TaskFailure

READ_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Response:
    """An answer that was read to its end. `headers` are looked up without regard to case; a 3xx is an answer too."""

    url: str
    status: int
    headers: Mapping[str, str]
    text: str


class HttpClient:
    """One a worker process and egress rule; opened in the running loop by the first request."""

    def __init__(self, settings: EngineSettings, rule: EgressRule, *, lookup: Lookup | None = None) -> None:
        self.rule = rule
        self._settings = settings
        self._resolver = Resolver(rule, ttl=settings.dns_ttl, lookup=lookup)
        self._session: aiohttp.ClientSession | None = None

    @property
    def timeout(self) -> timedelta:
        """The longest that one request may take."""
        return self._settings.timeout

    async def send(
        self, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, json: object = None
    ) -> Response:
        """Send one request, once, and read the whole answer.

        `headers` name at least the user agent of the task.

        Raises:
            GiveUp: the egress rule refuses the address, or the answer is too large.
            RetryLater: the time is up, or the connection failed.
        """
        self.rule.check_url(url)
        try:
            async with self._open_session().request(
                method, url, headers=headers, json=json, allow_redirects=False
            ) as answer:
                body = await self._body(answer)
                content_type = answer.headers.get("Content-Type", "")
                return Response(str(answer.url), answer.status, answer.headers, text_of(body, content_type))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise failure_of(error, url) from error

    async def close(self) -> None:
        """Close all connections. The client opens anew if it is used again."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _body(self, answer: aiohttp.ClientResponse) -> bytes:
        limit = self._settings.max_response_bytes
        body = bytearray()
        async for chunk in answer.content.iter_chunked(READ_BYTES):
            body += chunk
            if len(body) > limit:
                answer.close()
                raise GiveUp(
                    ErrorCode.TOO_LARGE, f"{answer.url} answers more than {limit:,} bytes; the rest was not read"
                )
        return bytes(body)

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            settings = self._settings
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=settings.max_connections,
                    limit_per_host=settings.max_per_host,
                    resolver=_JudgedAddresses(self._resolver),
                    use_dns_cache=False,  # the resolver remembers
                ),
                cookie_jar=aiohttp.DummyCookieJar(),  # tasks must not meet each other's cookies
                headers={"Accept-Language": settings.accept_language},
                timeout=aiohttp.ClientTimeout(total=settings.timeout.total_seconds()),
                middlewares=(_send_once,),
                trust_env=False,
            )
        return self._session


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
    (TimeoutError, RetryLater, ErrorCode.TIMEOUT, "did not answer in time"),
    (aiohttp.InvalidURL, GiveUp, ErrorCode.EGRESS_REFUSED, "is not a URL that can be requested"),
    (aiohttp.ClientSSLError, RetryLater, ErrorCode.UPSTREAM_ERROR, "offers no certificate that can be trusted"),
    (aiohttp.ClientConnectorError, RetryLater, ErrorCode.UPSTREAM_ERROR, "takes no connection"),
    (aiohttp.ClientPayloadError, RetryLater, ErrorCode.UPSTREAM_ERROR, "broke off in the middle of its answer"),
    (aiohttp.ClientResponseError, RetryLater, ErrorCode.UPSTREAM_ERROR, "answers something that is not HTTP"),
    (aiohttp.ClientError, RetryLater, ErrorCode.UPSTREAM_ERROR, "broke the connection"),
    (OSError, RetryLater, ErrorCode.UPSTREAM_ERROR, "cannot be reached"),
)
"""What each fault of the client means, the first that fits."""


def failure_of(error: aiohttp.ClientError | TimeoutError | OSError, url: str) -> TaskFailure:
    """Our error for a fault of the HTTP client. The last two lines of the table take all that is left."""
    _, reaction, code, sentence = next(row for row in _FAILURES if isinstance(error, row[0]))
    return reaction(code, f"{url} {sentence} ({error or type(error).__name__})", details={"url": url})
