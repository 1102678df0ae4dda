"""The bytes that the hostile site sends: bombs, broken heads, absurd markup."""

from __future__ import annotations

import gzip
import struct
import sys
import zlib
from collections.abc import Callable
from functools import cache
from typing import Final

import brotli  # type: ignore[import-untyped]

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

READABLE: Final = b"<!doctype html><title>readable</title><p>A page that can be read.</p>"
_ZEROS: Final = bytes(1_000_000)
_MEGABYTES: Final = 1000
_SMALLER_MEGABYTES: Final = 256
_OK: Final = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html\r\n"


def raw_answers() -> dict[str, bytes]:
    """Address -> the whole answer, after which the connection closes."""
    whole = b"Content-Length: %d\r\n\r\n%s" % (len(READABLE), READABLE)
    many = b"".join(b"X-Header-%d: value\r\n" % number for number in range(10_000))
    return {
        "/head/closed": b"",
        "/head/garbage": b"this is not HTTP\r\n\r\n",
        "/head/nul": _OK + b"X-Odd: a\x00b\r\n" + whole,
        "/head/latin": _OK + b"X-Odd: caf\xe9 \xff\r\n" + whole,
        "/head/name": _OK + b"X Odd \xc3\xa9: a\r\n" + whole,
        "/head/huge": _OK + b"X-Huge: " + b"h" * 1_000_000 + b"\r\n" + whole,
        "/head/many": _OK + many + whole,
        "/head/negative": _OK + b"Content-Length: -5\r\n\r\n" + READABLE,
        "/head/lengths": _OK + b"Content-Length: 10\r\n" + whole,
        "/body/long": _OK + b"Content-Length: 20\r\n\r\n" + READABLE * 50,
    }


@cache
def coded(name: str) -> tuple[str, bytes] | None:
    """Content-Encoding and body of what is under `/coding/`; None if there is no such."""
    made = _CODED.get(name)
    return None if made is None else (made[0], made[1]())


@cache
def _gzip_bomb() -> bytes:
    """1 GB of zeros. Blocks between full flushes are alike, so one is made and repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(_ZEROS) + packer.flush(zlib.Z_FULL_FLUSH)
    check = 0
    for _ in range(_MEGABYTES):
        check = zlib.crc32(_ZEROS, check)
    tail = packer.flush() + struct.pack("<II", check, _MEGABYTES * len(_ZEROS) & 0xFFFFFFFF)
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff" + block * _MEGABYTES + tail


def _brotli_bomb() -> bytes:
    packer = brotli.Compressor(quality=1)
    return b"".join(packer.process(_ZEROS) for _ in range(_SMALLER_MEGABYTES)) + bytes(packer.finish())


def _zstd_bomb() -> bytes:
    packer = zstd.ZstdCompressor()
    return b"".join(packer.compress(_ZEROS) for _ in range(_SMALLER_MEGABYTES)) + packer.flush()


def _twice() -> bytes:
    return gzip.compress(_gzip_bomb(), 1, mtime=0)


def _cut() -> bytes:
    packed = gzip.compress(READABLE * 100, mtime=0)
    return packed[: len(packed) // 2]


_CODED: Final[dict[str, tuple[str, Callable[[], bytes]]]] = {
    "gzip-bomb": ("gzip", _gzip_bomb),
    "brotli-bomb": ("br", _brotli_bomb),
    "zstd-bomb": ("zstd", _zstd_bomb),
    "twice": ("gzip, gzip", _twice),
    "broken": ("gzip", lambda: READABLE),
    "cut": ("gzip", _cut),
    "unknown": ("rot13", lambda: READABLE),
}


def markup(path: str) -> str | None:
    """The page at `/tree/...`, `/text/...` or `/hang/...`; None for any other address."""
    folder, _, name = path[1:].partition("/")
    if folder == "tree":
        return _tree(name)
    if folder == "text" and name in {"ten", "six"}:
        return f"<!doctype html><title>text</title><p>{'a word ' * (1_500_000 if name == 'ten' else 900_000)}</p>"
    if folder == "hang" and name in _HANGS:
        return f"<!doctype html><title>{name}</title><p>{name}</p><script>{_HANGS[name]}</script>"
    return None


def _tree(name: str) -> str | None:
    if name in {"5000", "100000"}:
        return f"<!doctype html><title>deep</title>{'<div>' * int(name)}<p>The bottom.</p>"
    if name == "attribute":
        return f'<!doctype html><title>attribute</title><p data-x="{"v" * 1_000_000}">One long attribute.</p>'
    if name == "attributes":
        found = " ".join(f'data-a{number}="{number}"' for number in range(20_000))
        return f"<!doctype html><title>attributes</title><p {found}>Many attributes.</p>"
    if name == "links":
        return "<!doctype html><title>links</title>" + '<a href="/harmless">again</a> ' * 20_000
    return None


_HANGS: Final = {
    "alert": "while (true) alert('again')",
    "loop": "while (true) {}",
    "windows": "for (let n = 0; n < 50; n++) window.open('/harmless?window=' + n)",
    "reload": "location.reload()",
    "history": "setInterval(() => { for (let n = 0; n < 100; n++) history.pushState(0, '', '?' + Math.random()) }, 1)",
    "print": "window.onbeforeunload = () => 'stay'; print(); confirm('stay?'); prompt('why?')",
    "grow": "setInterval(() => { for (let n = 0; n < 500; n++) document.body.append(document.createElement('p')) }, 5)",
    "requests": "setInterval(() => { for (let n = 0; n < 5; n++) fetch('/harmless?n=' + Math.random()) }, 20)",
}
