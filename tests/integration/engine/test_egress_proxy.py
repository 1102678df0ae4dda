"""The egress proxy, spoken to over the wire: what passes, what does not, and where it goes."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.egress_proxy import Door, EgressProxy
from crawl_worker.engine.settings import EngineSettings
from nightjar.errors import ErrorCode, GiveUp, RetryLater
from tests.doubles.faulty_site import FaultySite, faulty_site

pytestmark = pytest.mark.anyio

Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def proxy() -> AsyncIterator[EgressProxy]:
    proxy = EgressProxy(EngineSettings(tunnel_idle=timedelta(seconds=0.5), max_tunnel_bytes=1_000_000))
    await proxy.start()
    yield proxy
    await proxy.close()


@pytest.fixture
def door(proxy: EgressProxy, rule: EgressRule) -> Door:
    return proxy.door(rule)


@asynccontextmanager
async def wire_to(door: Door) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(door.server.rpartition(":")[2]))
    try:
        yield reader, writer
    finally:
        writer.close()


def credentials(door: Door, *, password: str | None = None) -> str:
    token = base64.b64encode(f"{door.username}:{password or door.password}".encode()).decode()
    return f"Proxy-Authorization: Basic {token}\r\n"


async def say(wire: Wire, text: str) -> None:
    wire[1].write(text.encode())
    await wire[1].drain()


async def head(wire: Wire) -> str:
    async with asyncio.timeout(5):
        return (await wire[0].readuntil(b"\r\n\r\n")).decode()


async def rest(wire: Wire) -> bytes:
    async with asyncio.timeout(5):
        return await wire[0].read()


async def ask(door: Door, request_line: str, headers: str = "") -> bytes:
    async with wire_to(door) as wire:
        await say(wire, f"{request_line}\r\nHost: x\r\n{credentials(door)}{headers}\r\n")
        return await rest(wire)


def get(url: str) -> str:
    return f"GET {url} HTTP/1.1"


async def test_a_plain_request_arrives_in_origin_form_without_the_credentials(door: Door, site: FaultySite) -> None:
    answer = await ask(door, get(site.url("/echo?q=%EA%B0%80+b|c")), "Cookie: a=1\r\nConnection: close\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert site.seen[0].raw_path == "/echo?q=%EA%B0%80+b|c"
    assert site.seen[0].headers["Cookie"] == "a=1"
    assert not any(name.lower().startswith("proxy") for name in site.seen[0].headers)


async def test_a_body_is_sent_on(door: Door, site: FaultySite) -> None:
    async with wire_to(door) as wire:
        head_ = f"POST {site.url('/echo')} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n{credentials(door)}"
        await say(wire, f"{head_}Connection: close\r\n\r\nhello")
        assert b'"body": "hello"' in await rest(wire)


@pytest.mark.parametrize("shown", ["", "Proxy-Authorization: Basic bm9ib2R5Om5vdGhpbmc=\r\n", "wrong password"])
async def test_without_the_credentials_nothing_passes(door: Door, site: FaultySite, shown: str) -> None:
    header = credentials(door, password="guess") if shown == "wrong password" else shown
    for request_line in (get(site.url("/plain")), f"CONNECT 127.0.0.1:{site.port} HTTP/1.1"):
        async with wire_to(door) as wire:
            await say(wire, f"{request_line}\r\nHost: x\r\n{header}\r\n")
            assert (await head(wire)).startswith("HTTP/1.1 407")
    assert site.seen == []


async def test_the_password_of_one_rule_opens_no_other(proxy: EgressProxy, door: Door, site: FaultySite) -> None:
    closed = proxy.door(EgressRule())
    assert closed.password != door.password
    assert await ask(closed, get(site.url("/plain"))) == b""
    assert site.seen == []


async def test_a_tunnel_carries_bytes_both_ways(door: Door, site: FaultySite) -> None:
    async with wire_to(door) as wire:
        await say(wire, f"CONNECT 127.0.0.1:{site.port} HTTP/1.1\r\nHost: x\r\n{credentials(door)}\r\n")
        assert (await head(wire)).startswith("HTTP/1.1 200")
        for _ in range(2):
            await say(wire, "GET /plain HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await head(wire)).startswith("HTTP/1.1 200")
            await wire[0].readexactly(len("<title>plain</title><p>a page</p>"))
    assert site.paths == ["/plain", "/plain"]


REFUSED = [
    "127.0.0.1:80", "127.0.0.1:443", "localhost:443", "[::1]:443", "[::ffff:127.0.0.1]:443", "2130706433:80",
    "0x7f000001:80", "0177.0.0.1:80", "169.254.169.254:80", "169.254.170.2:80", "10.0.0.1:443", "[64:ff9b::7f00:1]:443",
    "[fe80::1]:443", "1.1.1.1:22", "1.1.1.1:8080",
]  # fmt: skip


@pytest.mark.parametrize("endpoint", REFUSED)
async def test_a_tunnel_to_what_is_not_the_public_web_is_refused(door: Door, endpoint: str) -> None:
    answer = await ask(door, f"CONNECT {endpoint} HTTP/1.1")
    assert answer.startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize("endpoint", REFUSED)
async def test_a_plain_request_to_what_is_not_the_public_web_gets_no_answer(door: Door, endpoint: str) -> None:
    assert await ask(door, get(f"http://{endpoint}/latest/")) == b""
    host, _, port = endpoint.rpartition(":")
    failure = door.failure(host.strip("[]"), int(port))
    assert isinstance(failure, GiveUp)
    assert failure.code is ErrorCode.EGRESS_REFUSED


@pytest.mark.parametrize(
    "line", ["GET /plain HTTP/1.1", "GET ftp://x/ HTTP/1.1", "CONNECT x HTTP/1.1", "nonsense", "\x16\x03\x01"]
)
async def test_what_is_no_proxy_request_gets_no_answer(door: Door, line: str) -> None:
    assert not (await ask(door, line)).startswith(b"HTTP/1.1 2")


async def test_a_connection_serves_one_request(door: Door, site: FaultySite) -> None:
    async with wire_to(door) as wire:
        await say(wire, f"{get(site.url('/plain'))}\r\nHost: x\r\n{credentials(door)}\r\n" * 2)
        answer = await rest(wire)
    assert answer.count(b"HTTP/1.1 200") == 1
    assert b"connection: close" in answer.lower()
    assert site.paths == ["/plain"]


async def test_a_request_smuggled_into_a_body_is_not_seen_as_one(door: Door, site: FaultySite) -> None:
    smuggled = f"GET {site.url('/script.js')} HTTP/1.1\r\nHost: x\r\n\r\n"
    async with wire_to(door) as wire:
        lines = f"POST {site.url('/echo')} HTTP/1.1\r\nHost: x\r\n{credentials(door)}"
        await say(
            wire, f"{lines}Content-Length: {len(smuggled)}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"
        )
        await asyncio.sleep(0.3)
    assert "/script.js" not in site.paths


async def test_a_site_that_takes_no_connection_is_told_from_a_refused_one() -> None:
    gone = FaultySite()
    async with faulty_site() as closing:
        gone.port = closing.port
    reopened = EgressRule(frozenset({gone.origin}))
    proxy = EgressProxy(EngineSettings())
    await proxy.start()
    other = proxy.door(reopened)
    assert await ask(other, get(gone.url("/"))) == b""
    assert (await ask(other, f"CONNECT 127.0.0.1:{gone.port} HTTP/1.1")).startswith(b"HTTP/1.1 502")
    failure = other.failure("127.0.0.1", gone.port)
    assert isinstance(failure, RetryLater)
    assert failure.code is ErrorCode.UPSTREAM_ERROR
    await proxy.close()


async def test_a_connection_that_works_again_has_no_failure(door: Door, site: FaultySite) -> None:
    door.note(("127.0.0.1", site.port), GiveUp(ErrorCode.TOO_LARGE, "earlier"))
    await ask(door, get(site.url("/plain")), "Connection: close\r\n")
    assert door.failure("127.0.0.1", site.port) is None


@pytest.mark.parametrize("tunnelled", [True, False])
async def test_a_connection_that_carries_too_much_is_broken(door: Door, site: FaultySite, tunnelled: bool) -> None:
    async with wire_to(door) as wire:
        if tunnelled:
            await say(wire, f"CONNECT 127.0.0.1:{site.port} HTTP/1.1\r\nHost: x\r\n{credentials(door)}\r\n")
            await head(wire)
            await say(wire, "GET /huge HTTP/1.1\r\nHost: x\r\n\r\n")
        else:
            await say(wire, f"{get(site.url('/huge'))}\r\nHost: x\r\n{credentials(door)}\r\n")
        assert len(await rest(wire)) <= 1_100_000
    failure = door.failure("127.0.0.1", site.port)
    assert failure is not None
    assert failure.code is ErrorCode.TOO_LARGE


async def test_a_silent_connection_is_closed(door: Door, site: FaultySite) -> None:
    async with wire_to(door) as unused, wire_to(door) as tunnelled:
        await say(tunnelled, f"CONNECT 127.0.0.1:{site.port} HTTP/1.1\r\nHost: x\r\n{credentials(door)}\r\n")
        await head(tunnelled)
        await say(tunnelled, "GET /plain HTTP/1.1\r\nHost: x\r\n\r\n")
        await head(tunnelled)
        await tunnelled[0].readexactly(len("<title>plain</title><p>a page</p>"))
        started = time.monotonic()
        assert await rest(unused) == await rest(tunnelled) == b""
        assert time.monotonic() - started < 3


@pytest.mark.parametrize("path", ["/slow", "/trickle"])
async def test_a_browser_that_gives_a_request_up_is_noticed_at_once(
    site: FaultySite, rule: EgressRule, path: str
) -> None:
    proxy = EgressProxy(EngineSettings(tunnel_idle=timedelta(seconds=30)))
    await proxy.start()
    door = proxy.door(rule)
    async with wire_to(door) as wire:
        await say(wire, f"GET {site.url(path)} HTTP/1.1\r\nHost: x\r\n{credentials(door)}\r\n")
        async with asyncio.timeout(5):
            while not site.seen:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    async with asyncio.timeout(5):
        while proxy._connections or site.seen[0].transport is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await proxy.close()


async def test_a_name_is_connected_to_where_it_was_judged(site: FaultySite) -> None:
    asked: list[str] = []

    def lookup(host: str) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["192.0.2.1"]

    proxy = EgressProxy(EngineSettings(), lookup=lookup)
    await proxy.start()
    origin = f"http://replica.test:{site.port}"
    door = proxy.door(EgressRule(frozenset({origin})))
    for _ in range(2):
        assert (await ask(door, get(f"{origin}/plain"), "Connection: close\r\n")).startswith(b"HTTP/1.1 200")
    assert asked == ["replica.test"]
    await proxy.close()


async def test_closing_breaks_what_is_open(rule: EgressRule) -> None:
    proxy = EgressProxy(EngineSettings())
    await proxy.start()
    async with wire_to(proxy.door(rule)) as wire:
        await say(wire, "GET ")
        await asyncio.sleep(0.05)
        await proxy.close()
        assert await rest(wire) == b""
