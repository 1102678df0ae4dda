"""Pages in the archive: what is written is WARC to everybody's reader, and reads back as it was fetched."""

import io
import time
from datetime import UTC, datetime, timedelta

import pytest
from warcio.archiveiterator import ArchiveIterator  # type: ignore[import-untyped]

from crawl_worker.engine.fetched import FetchedPage
from crawl_worker.sites.web.warc import ArchivedPage, WarcObject, read_record
from nightjar.domain.site_crawl import Engine
from nightjar.errors import GiveUp

URL = "https://site.test/%ED%95%9C?q=1"
HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Encoding", "gzip"),
    ("Content-Length", "17"),
    ("Transfer-Encoding", "chunked"),
    ("Set-Cookie", "a=1"),
    ("Set-Cookie", "b=2"),
    ("X-Word", "맛있는 집"),
)
BODY = "<p>맛있는 집</p>".encode()


def page(**changed: object) -> FetchedPage:
    values: dict[str, object] = {
        "url": URL,
        "final_url": URL,
        "status": 200,
        "headers": HEADERS,
        "body": BODY,
        "engine": Engine.HTTP,
        "started_at": datetime(2026, 11, 24, 3, 4, 5, 678_000, UTC),
        "elapsed": timedelta(seconds=1),
    }
    return FetchedPage(**(values | changed))  # type: ignore[arg-type]


def read_at(warc: WarcObject, place: tuple[int, int]) -> ArchivedPage:
    offset, length = place
    return read_record(warc.close()[offset : offset + length])


@pytest.fixture
def warc() -> WarcObject:
    return WarcObject(crawl="crawl-1", user_agent="Reader/1 (a; b)")


def test_a_page_reads_back_as_it_was_fetched(warc: WarcObject) -> None:
    place = warc.add(page())
    assert read_at(warc, place) == ArchivedPage(url=URL, status=200, headers=HEADERS, body=BODY)


def test_each_record_is_read_from_its_place_alone(warc: WarcObject) -> None:
    bodies = [b"", b"one\r\n\r\n", b"\x00\xff" * 5000, b"WARC/1.1\r\n", "HTTP/1.1 200 OK\r\n\r\n".encode("utf-16")]
    places = [warc.add(page(body=body, url=f"{URL}&n={turn}", status=404)) for turn, body in enumerate(bodies)]
    assert [read_at(warc, place).body for place in places] == bodies
    assert read_at(warc, places[3]).url == f"{URL}&n=3"
    assert read_at(warc, places[3]).status == 404
    assert sum(places[-1]) == warc.size == len(warc.close())


def test_a_rendered_page_is_a_resource_at_the_address_where_it_ended(warc: WarcObject) -> None:
    place = warc.add(page(engine=Engine.BROWSER, final_url="https://site.test/end", status=203))
    read = read_at(warc, place)
    assert (read.url, read.status, read.body) == ("https://site.test/end", 203, BODY)
    assert read.headers == (("Content-Type", "text/html; charset=utf-8"),)


def test_a_file_that_the_browser_fetched_keeps_its_own_type(warc: WarcObject) -> None:
    kind = ("Content-Type", "application/pdf; q=1")
    place = warc.add(page(engine=Engine.BROWSER, headers=(kind,), body=b"%PDF-1.7"))
    assert read_at(warc, place) == ArchivedPage(url=URL, status=200, headers=(kind,), body=b"%PDF-1.7")


def test_a_screenshot_is_a_record_of_its_own(warc: WarcObject) -> None:
    place = warc.add_screenshot(page(engine=Engine.BROWSER, screenshot=b"\x89PNG"))
    assert read_at(warc, place).body == b"\x89PNG"
    assert read_at(warc, place).headers == (("Content-Type", "image/png"),)


def test_the_object_is_what_other_readers_take_for_a_web_archive(warc: WarcObject) -> None:
    warc.add(page())
    warc.add(page(engine=Engine.BROWSER))
    records = [
        (record.rec_type, record.rec_headers.get_header("WARC-Target-URI"), record.content_stream().read())
        for record in ArchiveIterator(io.BytesIO(warc.close()), check_digests="raise")
    ]
    assert [kind for kind, _, _ in records] == ["warcinfo", "response", "resource"]
    assert b"http-header-user-agent: Reader/1 (a; b)\r\n" in records[0][2]
    assert records[1][1:] == records[2][1:] == (URL, BODY)


def test_each_record_says_when_it_was_fetched(warc: WarcObject) -> None:
    warc.add(page(started_at=datetime(2026, 11, 24, 12, 4, 5, 678_000, UTC).astimezone()))
    dates = [record.rec_headers.get_header("WARC-Date") for record in ArchiveIterator(io.BytesIO(warc.close()))]
    assert dates[1] == "2026-11-24T12:04:05.678000Z"


@pytest.mark.parametrize("name", ["X-Word", "Content-Type"])
def test_a_header_cannot_begin_a_record_of_its_own(warc: WarcObject, name: str) -> None:
    evil = ((name, "one\r\n\r\nWARC/1.1\r\nWARC-Type: response\r\n\r\n"),)
    place = warc.add(page(headers=evil, url="https://site.test/\r\nWARC-Type: warcinfo"))
    read = read_at(warc, place)
    assert read.body == BODY
    assert [header for header, _ in read.headers] == [name]
    assert len(list(ArchiveIterator(io.BytesIO(warc.close())))) == 2


@pytest.mark.parametrize("status", [100, 299, 599, 999])
def test_a_status_without_a_name_is_kept(warc: WarcObject, status: int) -> None:
    assert read_at(warc, warc.add(page(status=status))).status == status


@pytest.mark.parametrize("data", [b"", b"not gzip", b"\x1f\x8b\x08 broken", BODY])
def test_bytes_that_are_no_record_are_told_as_such(data: bytes) -> None:
    with pytest.raises(GiveUp, match="no WARC record"):
        read_record(data)


def test_a_record_costs_less_than_a_quarter_of_a_millisecond() -> None:
    warc = WarcObject(crawl="crawl-1", user_agent="Reader/1")
    pages = [page(body=(f"<p>paragraph {turn} of {turn * 7919}</p>" * 300).encode()) for turn in range(20)]
    rounds = []
    for _ in range(10):
        started = time.process_time()
        for one in pages:
            warc.add(one)
        rounds.append((time.process_time() - started) / len(pages))
    assert min(rounds) < 0.000_25, "of 11 KB"
