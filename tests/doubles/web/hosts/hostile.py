"""A site that means harm: what each of its addresses does, and how a right crawl ends there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.doubles.web.hosts.reach import reach_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a page may end. `codes` are error codes; `done` says that it may also be stored."""

    codes: frozenset[str] = frozenset()
    done: bool = False
    why: str = ""


def _fails(*codes: str, why: str) -> Ending:
    return Ending(codes=frozenset(codes), why=why)


def _reads(why: str) -> Ending:
    return Ending(done=True, why=why)


def _either(*codes: str, why: str) -> Ending:
    return Ending(codes=frozenset(codes), done=True, why=why)


ENDINGS: Final = {
    "/body/gigabyte": _fails("too_large", why="1 GB with its length announced"),
    "/body/endless": _fails("too_large", why="chunks without end, as fast as they are taken"),
    "/body/trickle": _fails("timeout", why="a byte every 0.2 s, without end"),
    "/body/reset": _fails("upstream_error", why="the connection is reset in the body"),
    "/body/short": _fails("upstream_error", why="the connection closes before the announced length"),
    "/body/long": _either("upstream_error", why="more bytes than announced"),
    "/body/stalled": _fails("timeout", why="half of the body, then silence"),
    "/head/never": _fails("timeout", why="no answer"),
    "/head/slow": _fails("timeout", why="a header byte every 0.2 s, without end"),
    "/head/closed": _fails("upstream_error", why="the connection closes without a byte"),
    "/head/garbage": _fails("upstream_error", why="no HTTP"),
    "/head/nul": _either("upstream_error", why="a NUL in a header value"),
    "/head/latin": _reads(why="a header value in Latin-1"),
    "/head/name": _either("upstream_error", why="a header name with blanks and bytes over 127"),
    "/head/huge": _either("upstream_error", why="one header of 1 MB"),
    "/head/many": _either("upstream_error", why="10,000 headers"),
    "/head/negative": _fails("upstream_error", why="Content-Length: -5"),
    "/head/lengths": _either("upstream_error", why="two Content-Lengths that differ"),
    "/head/charset": _reads(why="a charset that does not exist"),
    "/coding/gzip-bomb": _fails("too_large", why="1 GB of zeros in 1 MB of gzip"),
    "/coding/brotli-bomb": _fails("too_large", why="256 MB of zeros in brotli"),
    "/coding/zstd-bomb": _fails("too_large", why="256 MB of zeros in zstd"),
    "/coding/twice": _either("too_large", "upstream_error", why="a gzip bomb in gzip"),
    "/coding/broken": _fails("upstream_error", why="plain text that says it is gzip"),
    "/coding/cut": _either("upstream_error", why="gzip that ends in its middle"),
    "/coding/unknown": _either("upstream_error", why="a coding that does not exist"),
    "/tree/5000": _reads(why="5,000 nested elements"),
    "/tree/100000": _either("upstream_error", "too_large", "timeout", why="100,000 nested elements"),
    "/tree/attribute": _reads(why="one attribute of 1 MB"),
    "/tree/attributes": _reads(why="20,000 attributes on one element"),
    "/tree/links": _reads(why="the same link 20,000 times"),
    "/text/ten": _fails("too_large", why="10 MB of one text"),
    "/text/six": _reads(why="6 MB of one text"),
    "/hang/alert": _either("timeout", "upstream_error", why="alerts without end"),
    "/hang/loop": _either("timeout", "upstream_error", why="a script that never ends"),
    "/hang/windows": _either("timeout", "upstream_error", why="opens 50 windows"),
    "/hang/reload": _either("timeout", "upstream_error", why="reloads itself without end"),
    "/hang/history": _either("timeout", "upstream_error", why="writes its history without end"),
    "/hang/print": _either("timeout", "upstream_error", why="prints, and asks before it is left"),
    "/hang/grow": _either("timeout", "upstream_error", "too_large", why="adds elements without end"),
    "/hang/requests": _either("timeout", "upstream_error", why="fetches without end"),
}
"""Address -> how it may end, in the HTTP engine; `/hang/` and `/reach/` mean harm to a browser."""

ENDLESS_REDIRECT: Final = "/redirect/1"
"""Each hop leads to one that was never seen; a right crawl stops after some."""

HARMLESS: Final = "/harmless"
"""Linked last from `/`: read if the crawl went on."""


def index(urls: dict[str, str]) -> str:
    """The page at `/`: a link to each."""
    paths = [*ENDINGS, *reach_paths(urls), ENDLESS_REDIRECT, "/redirect/self", HARMLESS]
    items = "\n".join(f'<li><a href="{path}">{path}</a></li>' for path in paths)
    return f"<!doctype html><title>hostile</title><h1>Do not touch</h1><ul>{items}</ul>"
