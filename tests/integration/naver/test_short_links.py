"""Following naver.me links, against the replica and against a short host that misbehaves."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from nightjar.adapters.short_links import resolve
from nightjar.domain.target_url import parse_target
from nightjar.domain.tracking import RankType
from nightjar.errors import ErrorCode, Invalid, RetryLater
from tests.doubles.naver.replica import Replica


def follow(replica: Replica, code: str) -> str:
    return resolve(f"https://naver.me/{code}", base_url=replica.settings["NAVER_SHORT_URL"])


@pytest.mark.parametrize(
    ("code", "rank_type", "key"),
    [
        ("place1", RankType.PLACE, "9900000101"),
        ("twohops", RankType.PLACE, "9900000101"),
        ("interstitial", RankType.PLACE, "9900000201"),
        ("blog1", RankType.BLOG, "nj_lantern01"),
        ("cafe1", RankType.CAFE, "njcafetable"),
    ],
)
def test_a_short_link_leads_to_its_target(replica: Replica, code: str, rank_type: RankType, key: str) -> None:
    assert key in str(parse_target(rank_type, follow(replica, code)))


@pytest.mark.parametrize(
    ("code", "reason"),
    [("loop", "circle"), ("elsewhere", "elsewhere"), ("missing", "no short link"), ("unheard", "no short link")],
)
def test_a_short_link_that_leads_nowhere_useful_is_refused(replica: Replica, code: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        follow(replica, code)


def test_only_the_short_host_is_ever_asked(replica: Replica) -> None:
    for code in ("place1", "blog1", "cafe1"):
        follow(replica, code)
    assert {entry["site"] for entry in replica.control.requests()} == {"short"}


@pytest.mark.parametrize("fault", ["500", "503", "P429", "RESET", "EMPTY", "SLOW"])
def test_faults_of_the_short_host_are_told_apart_from_bad_links(replica: Replica, fault: str) -> None:
    replica.control.fault(fault, site="short", delay=30)
    kind = Invalid if fault == "EMPTY" else RetryLater
    with pytest.raises(kind) as raised:
        resolve("https://naver.me/blog1", base_url=replica.settings["NAVER_SHORT_URL"], hop_timeout_seconds=0.5)
    assert "naver.me" in raised.value.message or "127.0.0.1" in raised.value.message


@dataclass
class ShortHost:
    """A host that answers each path with what the test wants."""

    url: str = ""
    answers: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    drip_seconds: float = 0

    def follow(self, path: str = "/a", **limits: float) -> str:
        return resolve(f"https://naver.me{path}", base_url=self.url, hop_timeout_seconds=limits.get("timeout", 2))

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append(handler.path)
        status, location, body = self.answers.get(handler.path, (404, "", ""))
        handler.send_response(status)
        if location:
            handler.send_header("Location", location)
        handler.end_headers()
        for character in body:
            handler.wfile.write(character.encode())
            if self.drip_seconds:
                handler.wfile.flush()
                time.sleep(self.drip_seconds)


@pytest.fixture
def host() -> Iterator[ShortHost]:
    short = ShortHost()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                short.answer(self)
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # named by the base class
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        short.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield short
        server.shutdown()


POST = "https://blog.naver.com/nj_lamp01/223400000101"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_every_kind_of_redirect_is_followed(host: ShortHost, status: int) -> None:
    host.answers["/a"] = (status, POST, "")
    assert host.follow() == POST


@pytest.mark.parametrize("location", ["https://naver.me/b", "http://naver.me/b", "/b", "b", "//naver.me/b", "/b#top"])
def test_a_second_code_is_asked_for_at_the_short_host(host: ShortHost, location: str) -> None:
    host.answers = {"/a": (302, location, ""), "/b": (302, POST, "")}
    assert host.follow() == POST
    assert host.asked == ["/a", "/b"]


@pytest.mark.parametrize(
    "location",
    [
        "https://example.com/",
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:1/",
        "http://localhost/",
        "https://naver.com.evil.example/",
        "https://evilnaver.com/",
        "https://blog.naver.com@evil.example/nj_lamp01/223400000101",
        "https://evil.example\\@blog.naver.com/",
        "https://blog.naver.com:22/",
        "ftp://blog.naver.com/x",
        "javascript:alert(1)",
        "https://[::1/",
    ],
)
def test_a_way_off_the_site_is_refused_and_never_asked_for(host: ShortHost, location: str) -> None:
    host.answers["/a"] = (302, location, "")
    with pytest.raises(Invalid, match="elsewhere"):
        host.follow()
    assert host.asked == ["/a"]


@pytest.mark.parametrize(
    "tag",
    [
        f'<meta http-equiv="refresh" content="0; url={POST}">',
        f"<META HTTP-EQUIV=refresh CONTENT='0;URL={POST}'>",
        f"<meta content=\"1; url='{POST}'\" http-equiv='Refresh'/>",
    ],
)
def test_an_interstitial_page_is_read(host: ShortHost, tag: str) -> None:
    host.answers["/a"] = (200, "", f"<html><head>{tag}</head></html>")
    assert host.follow() == POST


def test_a_page_that_sends_nobody_on_is_refused(host: ShortHost) -> None:
    host.answers["/a"] = (200, "", f'<html><a href="{POST}">가기</a></html>')
    with pytest.raises(Invalid, match="leads nowhere"):
        host.follow()


def test_at_most_five_hops_are_made(host: ShortHost) -> None:
    host.answers = {f"/{n}": (302, f"/{n + 1}", "") for n in range(20)}
    with pytest.raises(Invalid, match="5 hops"):
        host.follow("/0")
    assert host.asked == ["/0", "/1", "/2", "/3", "/4"]


def test_five_hops_are_enough_for_an_answer_on_the_fifth(host: ShortHost) -> None:
    host.answers = {f"/{n}": (302, f"/{n + 1}", "") for n in range(4)} | {"/4": (302, POST, "")}
    assert host.follow("/0") == POST


def test_a_link_of_another_host_is_not_followed(host: ShortHost) -> None:
    for url in ("https://example.com/a", "https://naver.me.evil.example/a", "https://blog.naver.com/a"):
        with pytest.raises(Invalid, match=r"not a naver\.me link"):
            resolve(url, base_url=host.url)
    assert host.asked == []


def test_a_host_that_is_gone_is_tried_later() -> None:
    with pytest.raises(RetryLater) as fault:
        resolve("https://naver.me/a", base_url="http://127.0.0.1:9")
    assert fault.value.code is ErrorCode.UPSTREAM_ERROR


def test_a_body_that_drips_does_not_hold_the_caller(host: ShortHost) -> None:
    host.answers["/a"] = (200, "", "x" * 1000)
    host.drip_seconds = 0.2
    begun = time.monotonic()
    with pytest.raises(RetryLater) as fault:
        host.follow(timeout=0.5)
    assert fault.value.code is ErrorCode.TIMEOUT
    assert time.monotonic() - begun < 2


def test_only_the_beginning_of_a_large_page_is_read(host: ShortHost) -> None:
    large = f"<html>{'x' * 200_000}<meta http-equiv=refresh content='0;url={POST}'>"
    host.answers["/b"] = (200, "", large)
    with pytest.raises(Invalid, match="leads nowhere"):
        host.follow("/b")
