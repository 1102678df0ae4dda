"""A listener on loopback that nobody may reach. It counts connections; its address is written in many ways."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Final

from tests.doubles.web.stage import CanaryHit, Stage

REBINDING: Final = "rebinding.replica.invalid"
"""A name that a test's own resolver answers first with a public address and then with loopback."""

UNKNOWN_NAME: Final = "http://no-such-host.replica.invalid/"
"""An address whose name does not resolve."""

SCHEMES: Final = ("file:///etc/hostname", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "view-source:http://127.0.0.1/")
"""Addresses of other schemes."""

_HOSTS: Final = {
    "plain": "127.0.0.1",
    "other-loopback": "127.127.127.127",
    "name": "localhost",
    "name-dot": "localhost.",
    "name-capitals": "LOCALHOST",
    "name-below": "canary.localhost",
    "dot": "127.0.0.1.",
    "two-parts": "127.1",
    "three-parts": "127.0.1",
    "decimal": "2130706433",
    "hex": "0x7f000001",
    "hex-parts": "0x7f.0x0.0x0.0x1",
    "octal": "017700000001",
    "octal-parts": "0177.0.0.01",
    "mixed": "0x7f.1",
    "any": "0.0.0.0",
    "zero": "0",
    "six": "[::1]",
    "six-long": "[0:0:0:0:0:0:0:1]",
    "six-any": "[::]",
    "mapped": "[::ffff:127.0.0.1]",
    "mapped-hex": "[::ffff:7f00:1]",
    "compatible": "[::127.0.0.1]",
    "nat64": "[64:ff9b::127.0.0.1]",
    "nat64-local": "[64:ff9b:1::7f00:1]",
    "six-to-four": "[2002:7f00:1::]",
    "teredo": "[2001:0:7f00:1::80ff:fffe]",
    "full-width": "１２７.０.０.１",
    "circled": "①②⑦.⓪.⓪.①",
    "ideographic-dots": "127。0。0。1",
    "percent": "%31%32%37.0.0.1",
    "userinfo": "shop.invalid@127.0.0.1",
    "userinfo-port": "shop.invalid:80@127.0.0.1",
    "metadata": "169.254.169.254",
    "metadata-decimal": "2852039166",
    "metadata-six": "[fd00:ec2::254]",
    "private-10": "10.0.0.1",
    "private-172": "172.16.0.1",
    "private-192": "192.168.0.1",
    "carrier": "100.64.0.1",
    "link-local-six": "[fe80::1]",
    "multicast": "224.0.0.1",
    "broadcast": "255.255.255.255",
    "rebinding": REBINDING,
}


def canary_addresses(port: int, *, scheme: str = "http") -> dict[str, str]:
    """Every spelling of an address that must not be reached, by name; those of loopback lead to the canary."""
    found = {name: f"{scheme}://{host}:{port}/{name}" for name, host in _HOSTS.items()}
    return found | {"backslash": f"{scheme}://127.0.0.1:{port}\\@shop.invalid/backslash"}


async def listen(stage: Stage) -> list[asyncio.Server]:
    """Listens on one free port of the loopback addresses, IPv6 where the machine has it; every connection is a hit."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        family = "six" if ":" in str(writer.get_extra_info("peername")[0]) else "four"
        hit = CanaryHit(monotonic=time.monotonic(), family=family)
        stage.canary_hits.append(hit)
        with contextlib.suppress(OSError, TimeoutError, asyncio.LimitOverrunError, ValueError):
            hit.line = (await asyncio.wait_for(reader.readline(), 1)).decode("latin-1").strip()
            writer.write(_ANSWER)
            await writer.drain()
        writer.close()

    first = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = first.sockets[0].getsockname()[1]
    stage.urls["canary"] = f"http://127.0.0.1:{port}"
    servers = [first]
    for address in ("127.127.127.127", "::1"):
        with contextlib.suppress(OSError):
            servers.append(await asyncio.start_server(greet, address, port))
    return servers


_ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nAccess-Control-Allow-Origin: *\r\n"
    b"Content-Length: 34\r\nConnection: close\r\n\r\n<title>canary</title><p>the secret"
)
