"""Where the crawler may connect to: public addresses on the ports of the web, and origins that a setting names.

One rule with two doors: the HTTP client (its resolver) and the browser (its proxy). Both look a name up once, have the
answer judged here, and connect to exactly the address that was judged.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import TypeAlias

from yarl import URL

from nightjar.domain.public_address import Address, is_public
from nightjar.errors import ErrorCode, GiveUp, Invalid, RetryLater

Lookup: TypeAlias = Callable[[str], Sequence[str]]
"""From a host name to its addresses, blocking. Raises OSError."""

WEB_PORTS = {"http": 80, "https": 443}

LOOKUP_TIMEOUT_SECONDS = 10
"""Two rounds of a system resolver with its usual 5 seconds."""

MAX_CACHED_HOSTS = 10_000


@dataclass(frozen=True, slots=True)
class EgressRule:
    """What one caller may reach. `allowed_origins` (scheme://host:port) are open to it whatever their address is."""

    allowed_origins: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "allowed_origins", frozenset(map(_origin, self.allowed_origins)))

    def check_url(self, url: str | URL) -> None:
        """Judge what can be judged without a look-up. Raises GiveUp with `egress_refused`."""
        parsed = _parsed(url)
        if _origin(str(parsed)) in self.allowed_origins:
            return
        if parsed.port != WEB_PORTS[parsed.scheme]:
            raise refused(str(url), f"port {parsed.port} is not the one of {parsed.scheme}")
        literal = _literal(parsed.host or "")
        if literal is not None and not is_public(literal):
            raise refused(str(url), f"{literal} is not a public address")

    def check_endpoint(self, host: str, port: int) -> None:
        """Judge a connection of which only host and port are known. Raises GiveUp with `egress_refused`."""
        if not self.is_allowed(host, port) and port not in WEB_PORTS.values():
            raise refused(f"{host}:{port}", f"port {port} is not one of the web")

    def check_address(self, host: str, port: int, address: Address) -> None:
        """Judge the address that a name was resolved to. Raises GiveUp with `egress_refused`."""
        if not self.is_allowed(host, port) and not is_public(address):
            raise refused(f"{host}:{port}", f"it resolves to {address}, which is not a public address")

    def is_allowed(self, host: str, port: int) -> bool:
        """Whether a setting opens this host and port, by either scheme."""
        return any(_origin_of(scheme, host, port) in self.allowed_origins for scheme in WEB_PORTS)


def refused(what: str, why: str) -> GiveUp:
    """The one error of the egress rule."""
    return GiveUp(ErrorCode.EGRESS_REFUSED, f"{what} is refused: {why}. Only public web addresses may be crawled.")


class Resolver:
    """Looks names up under a rule, remembers the answers for `ttl`, and hands out judged addresses only."""

    def __init__(self, rule: EgressRule, *, ttl: timedelta, lookup: Lookup | None = None) -> None:
        self.rule = rule
        self._ttl = ttl.total_seconds()
        self._lookup = lookup or system_lookup
        self._answers: dict[str, tuple[float, asyncio.Future[tuple[Address, ...]]]] = {}
        # Threads of its own: a resolver that hangs must not take those that other blocking work waits for.
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="dns")

    async def addresses(self, host: str, port: int) -> tuple[Address, ...]:
        """The addresses to connect to, each judged.

        A name of which any address is not public is refused as a whole: no public site publishes such a mixture.

        Raises:
            GiveUp: the rule refuses the endpoint.
            RetryLater: the name cannot be looked up now.
        """
        self.rule.check_endpoint(host, port)
        found = await self._answer(host.lower())
        for address in found:
            self.rule.check_address(host, port, address)
        return found

    def close(self) -> None:
        """Give the threads back; a look-up under way ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _answer(self, host: str) -> tuple[Address, ...]:
        literal = _literal(host)
        if literal is not None:
            return (literal,)
        now = asyncio.get_running_loop().time()
        until, answer = self._answers.get(host, (0.0, None))
        if answer is None or now >= until:
            answer = asyncio.ensure_future(self._look_up(host))
            answer.add_done_callback(lambda ended: self._forget_failure(host, ended))
            self._remember(host, now + self._ttl, answer)
        return await asyncio.shield(answer)  # several callers may wait for one look-up

    def _forget_failure(self, host: str, answer: asyncio.Future[tuple[Address, ...]]) -> None:
        if answer.cancelled() or answer.exception() is not None:
            self._answers.pop(host, None)

    def _remember(self, host: str, until: float, answer: asyncio.Future[tuple[Address, ...]]) -> None:
        self._answers.pop(host, None)
        while len(self._answers) >= MAX_CACHED_HOSTS:
            del self._answers[next(iter(self._answers))]
        self._answers[host] = (until, answer)

    async def _look_up(self, host: str) -> tuple[Address, ...]:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT_SECONDS):
                texts = await loop.run_in_executor(self._threads, self._lookup, host)
        except TimeoutError as error:
            message = f"{host} could not be looked up within {LOOKUP_TIMEOUT_SECONDS} s: see whether DNS works here"
            raise RetryLater(ErrorCode.TIMEOUT, message) from error
        except (OSError, UnicodeError) as error:
            raise RetryLater(ErrorCode.UPSTREAM_ERROR, f"{host} could not be looked up: {error}") from error
        return tuple(ip_address(text) for text in dict.fromkeys(texts))


def system_lookup(host: str) -> Sequence[str]:
    """Ask the system, which also knows every numeric spelling of an IPv4 address."""
    return [str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def _parsed(url: str | URL) -> URL:
    try:
        parsed = URL(url)
        host, _ = parsed.host, parsed.port  # read here: a URL that was taken as encoded is looked into only now
    except ValueError as error:
        raise refused(repr(url) if isinstance(url, str) else "a URL", "it is not a URL") from error
    if parsed.scheme not in WEB_PORTS:
        raise refused(repr(str(url)), "its scheme is not http or https")
    if not host:
        raise refused(repr(str(url)), "it names no host")
    return parsed


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None


def _origin(url: str) -> str:
    try:
        parsed = URL(url)
    except ValueError as error:
        raise Invalid(f"{url!r} is not an origin (scheme://host:port)") from error
    if parsed.scheme not in WEB_PORTS or not parsed.host or parsed.port is None:
        raise Invalid(f"{url!r} is not an origin (scheme://host:port)")
    return _origin_of(parsed.scheme, parsed.host, parsed.port)


def _origin_of(scheme: str, host: str, port: int) -> str:
    return f"{scheme}://{host.lower().strip('[]')}:{port}"
