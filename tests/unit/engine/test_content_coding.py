"""A body is unpacked to its end or not at all, and never to more than is allowed."""

import gzip
import time
import tracemalloc
import zlib

import brotli  # type: ignore[import-untyped]
import pytest
from backports import zstd

from crawl_worker.engine.content_coding import ACCEPTED, BrokenCoding, UnpacksTooLarge, unpacked

TEXT = "맛있는 집 ".encode() * 400


def bare_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


PACKERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
    "X-GZIP": gzip.compress,
    " deflate ": bare_deflate,
}


@pytest.mark.parametrize("encoding", PACKERS)
def test_what_was_packed_is_unpacked(encoding: str) -> None:
    assert unpacked(PACKERS[encoding](TEXT), encoding, limit=len(TEXT)) == TEXT


@pytest.mark.parametrize("encoding", PACKERS)
def test_one_byte_more_than_allowed_is_too_much(encoding: str) -> None:
    with pytest.raises(UnpacksTooLarge):
        unpacked(PACKERS[encoding](TEXT), encoding, limit=len(TEXT) - 1)


@pytest.mark.parametrize("encoding", PACKERS)
def test_a_body_that_ends_too_early_is_not_taken_for_a_whole_one(encoding: str) -> None:
    with pytest.raises(BrokenCoding):
        unpacked(PACKERS[encoding](TEXT)[:-20], encoding, limit=1_000_000)


@pytest.mark.parametrize("encoding", PACKERS)
def test_a_body_that_was_never_packed_is_broken(encoding: str) -> None:
    with pytest.raises(BrokenCoding):
        unpacked(b"<p>plain after all</p>", encoding, limit=1_000_000)


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
def test_a_bomb_costs_little_time_and_memory(encoding: str) -> None:
    bomb = PACKERS[encoding](bytes(100_000_000))
    tracemalloc.start()
    started = time.process_time()
    with pytest.raises(UnpacksTooLarge):
        unpacked(bomb, encoding, limit=8_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.process_time() - started < 1
    assert peak < 40_000_000


def test_layers_are_undone_from_the_last_to_the_first() -> None:
    assert unpacked(brotli.compress(gzip.compress(TEXT)), "gzip, br", limit=len(TEXT)) == TEXT


def test_a_bomb_inside_a_bomb_is_no_way_around() -> None:
    bomb = gzip.compress(gzip.compress(bytes(100_000_000)))
    with pytest.raises(UnpacksTooLarge):
        unpacked(bomb, "gzip, gzip", limit=8_000_000)
    with pytest.raises(BrokenCoding, match="4 times"):
        unpacked(bomb, "gzip, gzip, gzip, gzip", limit=8_000_000)


def test_members_one_after_the_other_are_one_body_up_to_a_number() -> None:
    assert unpacked(gzip.compress(b"one ") + gzip.compress(b"two"), "gzip", limit=100) == b"one two"
    assert unpacked(zstd.compress(b"one ") + zstd.compress(b"two"), "zstd", limit=100) == b"one two"
    with pytest.raises(BrokenCoding, match="members"):
        unpacked(gzip.compress(b"") * 200_000, "gzip", limit=100)


def test_what_follows_the_packed_body_is_ignored() -> None:
    assert unpacked(gzip.compress(TEXT) + b"\r\n", "gzip", limit=len(TEXT)) == TEXT


@pytest.mark.parametrize("encoding", ["", "identity", "utf-8", "none", "binary"])
def test_an_encoding_that_is_none_is_ignored(encoding: str) -> None:
    assert unpacked(TEXT, encoding, limit=10) == TEXT


def test_an_empty_body_needs_no_unpacking() -> None:
    assert unpacked(b"", "gzip", limit=10) == b""


def test_all_that_is_asked_for_can_be_unpacked() -> None:
    assert [name for name in ACCEPTED.split(", ") if name not in PACKERS] == []
