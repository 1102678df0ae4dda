"""A listener on loopback that nobody may reach, and names that lead there."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from crawl_worker.engine.egress import system_lookup
from tests.doubles.web.canary import REBINDING, canary_addresses


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


def private_addresses(port: int, *, scheme: str = "http") -> dict[str, str]:
    """URLs that lead to this machine or its network, in every spelling; those of loopback lead to the canary."""
    names = {name: f"{scheme}://{name}.test:{port}/" for name in ("mixed", "inner")}
    return canary_addresses(port, scheme=scheme) | names


class TurningNames:
    """The name service of an attacker: REBINDING is at PASSES_FOR_PUBLIC when asked first, then on loopback."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, host: str) -> Sequence[str]:
        """The addresses of a name."""
        self.asked.append(host)
        if host == REBINDING:
            return [PASSES_FOR_PUBLIC if self.asked.count(host) == 1 else "127.0.0.1"]
        return _FIXED.get(host) or system_lookup(host)


PASSES_FOR_PUBLIC = "127.0.0.2"
"""Nobody listens there; a test lets it pass for public, so that no packet leaves the machine."""

_FIXED = {"mixed.test": ["1.1.1.1", "127.0.0.1"], "inner.test": ["10.0.0.1"]}
