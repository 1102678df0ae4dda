"""Undoing Content-Encoding, with a bound on what comes out: a small body may unfold to any size.

Done here and not by the HTTP client as the bytes come in: a body is at most some megabytes, so it is unpacked in one
call, and what arrived and what came out are bounded apart.
"""

import sys
import zlib
from collections.abc import Callable
from typing import Protocol

import brotli  # type: ignore[import-untyped]

if sys.version_info >= (3, 14):
    from compression.zstd import DecompressionParameter, ZstdDecompressor, ZstdError
else:
    from backports.zstd import DecompressionParameter, ZstdDecompressor, ZstdError

ACCEPTED = "gzip, deflate, br, zstd"
"""What the engine can undo, as Accept-Encoding says it."""

MAX_LAYERS = 3
"""Encodings named one after the other; more than one is rare, and each costs a pass over the body."""

MAX_MEMBERS = 100
"""Of a gzip or zstd body: every further one costs a copy of the rest."""

ZSTD_WINDOW_LOG = 23
"""8 MB, what RFC 9659 lets a server ask of its reader."""

_GZIP_MAGIC = b"\x1f\x8b"


class UnpacksTooLarge(Exception):
    """More comes out than is allowed; the rest was not unpacked."""


class BrokenCoding(Exception):
    """The body is not what its Content-Encoding says, or it ends too early."""


def unpacked(body: bytes, content_encoding: str, *, limit: int) -> bytes:
    """The body without its encodings, at most `limit` bytes. An encoding that is none is ignored, as browsers do.

    Raises:
        UnpacksTooLarge: more than `limit` bytes come out, of any layer.
        BrokenCoding: the body cannot be unpacked to its end.
    """
    names = [name for part in content_encoding.split(",") if (name := part.strip().lower()) in _UNPACKERS]
    if len(names) > MAX_LAYERS:
        raise BrokenCoding(f"it is encoded {len(names)} times over")
    for name in reversed(names):
        if body:
            body = _UNPACKERS[name](body, limit)
    return body


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _members(body: bytes, limit: int, decoder: Callable[[], _Decoder], magic: bytes) -> bytes:
    parts: list[bytes] = []
    room = limit
    for _ in range(MAX_MEMBERS):
        one = decoder()
        part = one.decompress(body, room + 1)
        if len(part) > room:
            raise UnpacksTooLarge("unpacks to")
        if not one.eof:
            raise BrokenCoding("it ends too early")
        parts.append(part)
        room -= len(part)
        body = one.unused_data
        if not body.startswith(magic):  # what follows the last member is ignored, as browsers do
            return b"".join(parts)
    raise BrokenCoding(f"it has more than {MAX_MEMBERS} members")


def _gzip(body: bytes, limit: int) -> bytes:
    try:
        return _members(body, limit, lambda: zlib.decompressobj(wbits=31), _GZIP_MAGIC)
    except zlib.error as error:
        raise BrokenCoding(f"it is not gzip: {error}") from error


def _deflate(body: bytes, limit: int) -> bytes:
    """By the standard a zlib stream; some servers send the bare one, which has no header of 0x?8."""
    wbits = 15 if body[0] & 0x0F == zlib.DEFLATED else -15
    try:
        decoder = zlib.decompressobj(wbits=wbits)
        out = decoder.decompress(body, limit + 1)
    except zlib.error as error:
        raise BrokenCoding(f"it is not deflate: {error}") from error
    if len(out) > limit:
        raise UnpacksTooLarge("unpacks to")
    if not decoder.eof:
        raise BrokenCoding("it ends too early")
    return out


def _brotli(body: bytes, limit: int) -> bytes:
    decoder = brotli.Decompressor()
    try:
        parts = [decoder.process(body, output_buffer_limit=limit + 1)]
        size = len(parts[0])
        while size <= limit and not decoder.is_finished() and not decoder.can_accept_more_data():
            parts.append(decoder.process(b"", output_buffer_limit=limit + 1 - size))
            size += len(parts[-1])
    except brotli.error as error:
        raise BrokenCoding(f"it is not brotli: {error}") from error
    if size > limit:
        raise UnpacksTooLarge("unpacks to")
    if not decoder.is_finished():
        raise BrokenCoding("it ends too early")
    return b"".join(parts)


def _zstd(body: bytes, limit: int) -> bytes:
    options: dict[int, int] = {DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG}
    try:
        return _members(body, limit, lambda: ZstdDecompressor(options=options), b"\x28\xb5\x2f\xfd")
    except ZstdError as error:
        raise BrokenCoding(f"it is not zstd: {error}") from error


_UNPACKERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
