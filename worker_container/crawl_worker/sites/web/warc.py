"""Pages as WARC 1.1 records, each a gzip member of its own, so that one can be read without the rest.

Written by our own hand: warcio always packs at the highest level and takes about 0.5 ms to write a page of 11 KB, 0.14
of it before packing; that is as much as a fetch costs. This takes a tenth of it. warcio reads the records back.
"""

import base64
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from uuid import uuid4

from isal import isal_zlib
from warcio.archiveiterator import ArchiveIterator  # type: ignore[import-untyped]
from warcio.exceptions import ArchiveLoadFailed  # type: ignore[import-untyped]

from crawl_worker.engine.fetched import FetchedPage
from nightjar.domain.site_crawl import Engine
from nightjar.errors import ErrorCode, GiveUp

CONTENT_TYPE = "application/warc"

GZIP_LEVEL = 1
"""Of ISA-L: 0.04 ms for 11 KB; zlib's best level takes six times as long for a record that is 7 % smaller."""

SOFTWARE = "Nightjar"

Headers = Iterable[tuple[str, str]]

_AS_SENT = "X-Archive-Orig-"
"""Before a header that no longer fits, because the body is stored unpacked: the name that web archives use."""

_OF_THE_WIRE = frozenset({"content-encoding", "transfer-encoding", "content-length"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedPage:
    """A page as it is in the archive. Of the browser the body is the rendered document, the headers are its type."""

    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class WarcObject:
    """The records of one object of the archive, in memory until it is closed."""

    def __init__(self, *, crawl: str, user_agent: str) -> None:
        self._members: list[bytes] = []
        self.size = 0
        """Bytes so far."""

        about = {
            "software": SOFTWARE,
            "format": "WARC File Format 1.1",
            "isPartOf": crawl,
            "http-header-user-agent": user_agent,
        }
        block = "".join(f"{name}: {_one_line(value)}\r\n" for name, value in about.items()).encode()
        fields = [("Content-Type", "application/warc-fields")]
        self._append("warcinfo", datetime.now(UTC), fields, block)

    def add(self, page: FetchedPage) -> tuple[int, int]:
        """Append a page; its place in the object, as offset and length of its gzip member.

        Over HTTP a `response` with the headers as received and the body unpacked; of the browser a `resource` with the
        rendered document.
        """
        if page.engine is Engine.BROWSER:
            fields = [("WARC-Target-URI", page.final_url), ("Nightjar-Status", str(page.status))]
            fields.append(("Content-Type", _type_of_rendered(page)))
            return self._append("resource", page.started_at, fields, page.body)
        fields = [
            ("WARC-Target-URI", page.url),
            ("WARC-Payload-Digest", _digest(page.body)),
            ("Content-Type", "application/http;msgtype=response"),
        ]
        return self._append("response", page.started_at, fields, _http_head(page) + page.body)

    def add_screenshot(self, page: FetchedPage) -> tuple[int, int]:
        """Append the picture of a page that has one, as a `resource` of type image/png; its place in the object."""
        fields = [("WARC-Target-URI", f"urn:view:{page.final_url}"), ("Content-Type", "image/png")]
        return self._append("resource", page.started_at, fields, page.screenshot or b"")

    def close(self) -> bytes:
        """The whole object."""
        return b"".join(self._members)

    def _append(self, kind: str, date: datetime, fields: Headers, block: bytes) -> tuple[int, int]:
        head = [
            "WARC/1.1",
            f"WARC-Type: {kind}",
            f"WARC-Record-ID: <urn:uuid:{uuid4()}>",
            f"WARC-Date: {date.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
            *[f"{name}: {_one_line(value)}" for name, value in fields],
            f"Content-Length: {len(block)}",
        ]
        record = "\r\n".join(head).encode() + b"\r\n\r\n" + block + b"\r\n\r\n"
        member = isal_zlib.compress(record, GZIP_LEVEL, 31)
        place = self.size, len(member)
        self._members.append(member)
        self.size += len(member)
        return place


def read_record(data: bytes) -> ArchivedPage:
    """The page of a record that `WarcObject` wrote, from the bytes at its place. Raises GiveUp for anything else."""
    try:
        record = next(iter(ArchiveIterator(io.BytesIO(data))))
        body = record.content_stream().read()
        url = record.rec_headers.get_header("WARC-Target-URI") or ""
        http = record.http_headers
        if http is not None:
            return ArchivedPage(
                url=url, status=int(http.get_statuscode()), headers=_as_received(http.headers), body=body
            )
        status = int(record.rec_headers.get_header("Nightjar-Status") or HTTPStatus.OK)
        kind = record.rec_headers.get_header("Content-Type") or ""
        return ArchivedPage(url=url, status=status, headers=(("Content-Type", kind),), body=body)
    except (ArchiveLoadFailed, StopIteration, ValueError) as error:
        raise GiveUp(ErrorCode.INTERNAL, f"the archive has no WARC record there ({error or 'no bytes'})") from error


def _type_of_rendered(page: FetchedPage) -> str:
    """A document is written in UTF-8 by the browser, whatever its header says; what is no document came as it was."""
    is_document = page.content_type in {"", "text/html", "application/xhtml+xml"}
    return "text/html; charset=utf-8" if is_document else page.header("content-type")


def _http_head(page: FetchedPage) -> bytes:
    lines = [f"HTTP/1.1 {page.status} {_reason(page.status)}"]
    lines += [f"{_stored_name(name)}: {_one_line(value)}" for name, value in page.headers]
    lines.append(f"Content-Length: {len(page.body)}\r\n\r\n")
    return "\r\n".join(lines).encode()


def _stored_name(name: str) -> str:
    return _AS_SENT + name if name.lower() in _OF_THE_WIRE else name


def _as_received(headers: Headers) -> tuple[tuple[str, str], ...]:
    """The headers under their own names, without the length that was added for the archive."""
    received = [(name, value) for name, value in headers if name.lower() not in _OF_THE_WIRE]
    return tuple((name.removeprefix(_AS_SENT), value) for name, value in received)


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _digest(body: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()


def _one_line(value: str) -> str:
    """A value cannot begin a line of its own."""
    return value if value.isprintable() else " ".join(value.split())
