"""A listener on loopback that nobody may reach, and every way to write its address."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from crawl_worker.engine.egress import system_lookup


@dataclass
class Canary:
    """Counts connections on 127.0.0.1 and ::1, at one port, whatever is sent over them."""

    port: int = 0
    first_lines: list[bytes] = field(default_factory=list)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.first_lines.append(b"a connection")
        with suppress(TimeoutError, OSError, ValueError):
            self.first_lines[-1] = await asyncio.wait_for(reader.readline(), 1)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret")
            await writer.drain()
        writer.close()


@asynccontextmanager
async def canary() -> AsyncIterator[Canary]:
    """The listener, while the block runs."""
    one = Canary()
    first = await asyncio.start_server(one._take, "127.0.0.1", 0)
    one.port = first.sockets[0].getsockname()[1]
    servers = [first]
    with suppress(OSError):  # a machine without IPv6
        servers.append(await asyncio.start_server(one._take, "::1", one.port))
    try:
        yield one
    finally:
        for server in servers:
            server.close()


LOOPBACK = (
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "2130706433",
    "0x7f000001",
    "0x7F.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "0",
    "0.0.0.0",
    "0x0",
    "127.0.0.1.",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "deep.localhost",
    "①②⑦.⓪.⓪.①",
    "１２７。０。０。１",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "%31%32%37.0.0.1",
    "public.test@127.0.0.1",
    "public.test%2F@127.0.0.1",
    "mixed.test",
)
"""Hosts that lead to this machine: numbers, short and IPv6 forms, names, other scripts, user info, and a name with one
public address and one that is not (see `TurningNames`)."""

INNER = (
    "169.254.169.254",
    "169.254.170.2",
    "2852039166",
    "0251.0376.0251.0376",
    "[::ffff:a9fe:a9fe]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "inner.test",
)
"""Hosts within a private network: credentials of clouds and containers, private ranges, a name that leads there."""


class TurningNames:
    """The name service of an attacker: `rebinding.test` is at PASSES_FOR_PUBLIC when asked first, then on loopback."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, host: str) -> Sequence[str]:
        """The addresses of a name."""
        self.asked.append(host)
        if host == "rebinding.test":
            return [PASSES_FOR_PUBLIC if self.asked.count(host) == 1 else "127.0.0.1"]
        return _FIXED.get(host) or system_lookup(host)


PASSES_FOR_PUBLIC = "127.0.0.2"
"""Nobody listens there; a test lets it pass for public, so that no packet leaves the machine."""

_FIXED = {"mixed.test": ["1.1.1.1", "127.0.0.1"], "inner.test": ["10.0.0.1"], "public.test": [PASSES_FOR_PUBLIC]}
