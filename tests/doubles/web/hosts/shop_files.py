"""Pages of the shop in other charsets, and addresses that are no HTML."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
import zlib
from typing import Final

from tests.doubles.web.page import Link, Page
from tests.doubles.web.words import korean

SENTENCE: Final = "믿음직한 찻잔 가게의 똠방각하 이야기를 햇볕 아래에서 읽습니다."
"""In every page of another charset; it has syllables of cp949 that KS X 1001 does not have."""

JAPANESE: Final = "港の灯台は静かに海を照らしています。カタカナも混ぜます。"

_CHARSETS: Final = {
    "/enc/euc-kr-header": ("euc-kr", "header"),
    "/enc/euc-kr-meta": ("euc-kr", "meta"),
    "/enc/euc-kr-nowhere": ("euc-kr", "nowhere"),
    "/enc/utf-8-meta": ("utf-8", "meta"),
    "/enc/utf-8-nowhere": ("utf-8", "nowhere"),
    "/enc/utf-16-mark": ("utf-16", "nowhere"),
    "/enc/shift-jis-meta": ("shift_jis", "meta"),
}


def encoded() -> dict[str, Page]:
    """The same kind of page in several charsets, said in the header, in the page or nowhere."""
    pages = {target: _in_charset(target, charset, where) for target, (charset, where) in _CHARSETS.items()}
    ends = {f"/after{target}": Page(title=f"{target} 뒤", sentences=korean(3, target)) for target in pages}
    links = tuple(Link(href=target, text=target) for target in pages)
    return {"/encodings": Page(title="글자 모음", sentences=korean(2, "encodings"), links=links), **pages, **ends}


def sentence_of(target: str) -> str:
    """The sentence that a page of `/encodings` must show."""
    return JAPANESE if "jis" in target else SENTENCE


def _in_charset(target: str, charset: str, where: str) -> Page:
    title = "灯台の話" if "jis" in target else "똠방각하의 찻잔"
    rest = () if "jis" in target else korean(6, "charset", target)
    return Page(
        title=title,
        sentences=(sentence_of(target), *rest),
        links=(Link(href=f"/after{target}", text="次" if "jis" in target else "다음"),),
        charset=charset,
        charset_in=where,
    )


def files() -> dict[str, Page]:
    """Addresses that answer something else than HTML: pages with a content type and no text, or not asked for."""
    found = {
        "/files/prices.pdf": Page(content_type="application/pdf", body=_pdf()),
        "/files/photo.png": Page(content_type="image/png", body=_png()),
        "/files/goods.json": Page(content_type="application/json", body=json.dumps({"goods": [1, 2, 3]}).encode()),
        "/files/feed.xml": Page(content_type="application/xml", body=b"<?xml version='1.0'?><feed></feed>"),
        "/files/notes.txt": Page(content_type="text/plain; charset=utf-8", body="적어 둔 것".encode()),
        "/files/form.hwp": Page(content_type="application/x-hwp", body=bytes(range(256)) * 8),
        "/files/report?id=3": Page(content_type="application/octet-stream", body=bytes(4096),
                                   headers=(("Content-Disposition", 'attachment; filename="report.bin"'),)),
        "/files/large": Page(content_type="application/pdf", body=bytes(9_000_000), failure="too_large"),
        "/files/photos.zip": Page(content_type="application/zip", body=_zip(), skipped="content_type"),
        "/files/clip.mp4": Page(content_type="video/mp4", body=bytes(2048), skipped="content_type"),
        "/files/pack.tar.gz": Page(content_type="application/gzip", body=gzip.compress(b"x"), skipped="content_type"),
    }  # fmt: skip
    links = tuple(Link(href=target, text=target.rpartition("/")[2]) for target in found)
    return {"/files": Page(title="자료실", sentences=korean(2, "files"), links=links), **found}


def _pdf() -> bytes:
    return b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00\xff\x99\x00")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _zip() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("photo.txt", "photo")
    return target.getvalue()
