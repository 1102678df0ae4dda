"""The hostile site does what its table says, seen with a plain socket; and the site of the bench is whole."""

import http.client
import re
import socket
import ssl
import urllib.request
import zlib
from collections.abc import Iterator
from urllib.error import URLError
from urllib.parse import urlsplit

import pytest

from tests.doubles.process import ReplicaProcess
from tests.doubles.web.canary import UNKNOWN_NAME
from tests.doubles.web.hosts.hostile import ENDINGS, HARMLESS
from tests.doubles.web.replica import WebReplica
from tests.doubles.web.static_site import LINKS, StaticSite


@pytest.fixture(scope="module")
def web() -> Iterator[WebReplica]:
    with WebReplica() as running:
        yield running


def first_bytes(web: WebReplica, path: str, *, seconds: float = 1, enough: int = 400_000) -> tuple[bytes, str]:
    """What arrives, and how it ended: `closed`, `reset`, `silence` or `enough`."""
    parts = urlsplit(web.urls["hostile"])
    received = b""
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=seconds) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
        try:
            while len(received) < enough:
                block = line.recv(65_536)
                if not block:
                    return received, "closed"
                received += block
        except TimeoutError:
            return received, "silence"
        except ConnectionResetError:
            return received, "reset"
    return received, "enough"


def test_every_address_of_the_table_is_linked_from_the_index_and_answers(web: WebReplica) -> None:
    index = urllib.request.urlopen(web.url("hostile"), timeout=10).read().decode()
    linked = set(re.findall('href="([^"]+)"', index))
    assert set(ENDINGS) | {HARMLESS} <= linked
    assert len([path for path in linked if path.startswith("/reach/")]) > 200
    for path in ENDINGS:
        if not path.startswith(("/body/trickle", "/body/stalled", "/head/never", "/head/slow", "/coding/")):
            received, end = first_bytes(web, path)
            assert b" 404 " not in received[:60], path
            assert end in {"closed", "enough", "reset"}, path


@pytest.mark.parametrize(
    ("path", "end"), [("/body/reset", "reset"), ("/body/endless", "enough"), ("/body/gigabyte", "enough"),
                      ("/head/never", "silence"), ("/body/stalled", "silence"), ("/head/closed", "closed")]
)  # fmt: skip
def test_connections_end_as_the_table_says(web: WebReplica, path: str, end: str) -> None:
    assert first_bytes(web, path)[1] == end


@pytest.mark.parametrize("path", ["/body/trickle", "/head/slow"])
def test_what_trickles_goes_on_trickling(web: WebReplica, path: str) -> None:
    sizes = [len(first_bytes(web, path, enough=enough)[0]) for enough in (1, 32)]
    with_more, _ = first_bytes(web, path, enough=sizes[1] + 3)
    assert len(with_more) > sizes[1]


def test_the_gzip_bomb_is_small_and_says_that_it_unpacks_to_a_gigabyte(web: WebReplica) -> None:
    body = urllib.request.urlopen(web.url("hostile", "/coding/gzip-bomb"), timeout=20).read()
    assert len(body) < 2_000_000
    assert int.from_bytes(body[-4:], "little") == 1_000_000_000
    assert zlib.decompressobj(31).decompress(body, 50_000_000) == bytes(50_000_000)


def test_certificates_are_not_accepted(web: WebReplica) -> None:
    for name in ("selfsigned", "expired"):
        with pytest.raises(URLError) as refused:
            urllib.request.urlopen(web.urls[name], timeout=10)
        assert isinstance(refused.value.reason, ssl.SSLCertVerificationError)
    unjudged = ssl._create_unverified_context()
    assert urllib.request.urlopen(web.urls["expired"], timeout=10, context=unjudged).status == 200


def test_the_unknown_name_does_not_resolve() -> None:
    with pytest.raises(OSError, match=r"\[Errno"):
        socket.getaddrinfo(urlsplit(UNKNOWN_NAME).hostname, 80)


def test_a_walk_of_the_bench_site_finds_each_page_once_with_22_links() -> None:
    site = StaticSite(300)
    with ReplicaProcess("tests.doubles.web.static_site", "--pages", "300") as running:
        line = http.client.HTTPConnection(urlsplit(running.urls["url"]).netloc, timeout=10)
        level, seen, depths = {"/"}, {"/"}, []
        while level:
            depths.append(len(level))
            following: set[str] = set()
            for path in level:
                line.request("GET", path)
                answer = line.getresponse()
                body = answer.read().decode()
                assert answer.status == 200
                found = set(re.findall('href="([^"]+)"', body))
                assert len(found) == LINKS
                assert 10_000 < len(body) < 12_500
                following |= found
            level = following - seen
            seen |= level
        line.request("GET", "/page/300")
        assert line.getresponse().status == 404
        line.close()
    assert depths == [len(pages) for pages in site.pages_at_depth().values()]
    assert len(seen) == 300


def test_a_hundred_thousand_pages_lie_within_four_hops_and_differ() -> None:
    site = StaticSite(100_000)
    assert {depth: len(pages) for depth, pages in site.pages_at_depth().items()}[4] > 90_000
    assert len({tuple(site.paragraphs(page)) for page in range(0, 100_000, 50)}) == 2000
