"""The client of the open web against a real server with the faults of the web."""

import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.settings import EngineSettings
from crawl_worker.engine.web_client import WebClient
from nightjar.domain.site_crawl import Engine
from nightjar.errors import ErrorCode, GiveUp, RetryLater
from tests.doubles.faulty_site import FaultySite, faulty_site

pytestmark = pytest.mark.anyio

AGENT = "NightjarTest/1.0"
Client = Callable[..., WebClient]


@pytest.fixture
async def web(settings: EngineSettings, rule: EgressRule) -> AsyncIterator[WebClient]:
    client = WebClient(settings, rule)
    yield client
    await client.close()


@asynccontextmanager
async def client_for(site: FaultySite, **settings: timedelta | int) -> AsyncIterator[WebClient]:
    client = WebClient(replace(EngineSettings(), **settings), EgressRule(frozenset({site.origin})))  # type: ignore[arg-type]
    try:
        yield client
    finally:
        await client.close()


async def test_a_page_has_all_that_the_server_said(web: WebClient, site: FaultySite) -> None:
    before = datetime.now(UTC)
    page = await web.fetch(site.url("/plain"), user_agent=AGENT)
    assert (page.url, page.final_url, page.status, page.engine) == (
        site.url("/plain"),
        site.url("/plain"),
        200,
        Engine.HTTP,
    )
    assert page.body == b"<title>plain</title><p>a page</p>"
    assert (page.header("x-word"), page.content_type) == ("one", "text/html")
    assert ("X-Word", "one") in page.headers
    assert before <= page.started_at <= datetime.now(UTC)
    assert timedelta() < page.elapsed < timedelta(seconds=5)


async def test_a_request_says_who_asks_and_what_is_understood(web: WebClient, site: FaultySite) -> None:
    page = await web.fetch(site.url("/echo"), user_agent=AGENT)
    told = json.loads(page.body)
    assert told["method"] == "GET"
    assert told["headers"]["User-Agent"] == AGENT
    assert told["headers"]["Accept"].startswith("text/html")
    assert told["headers"]["Accept-Encoding"] == "gzip, deflate, br, zstd"
    assert told["headers"]["Accept-Language"].startswith("ko-KR")


async def test_a_url_is_sent_byte_for_byte(web: WebClient, site: FaultySite) -> None:
    for path in ("/a%2Fb/%ED%95%9C?q=%20+&x=[1]&y={z}|'", "/a//b/;c=1", "/%7Euser/~user?%41"):
        await web.fetch(site.url(path), user_agent=AGENT)
        assert site.seen[-1].raw_path == path


async def test_what_is_not_ascii_or_would_break_the_request_is_encoded(web: WebClient, site: FaultySite) -> None:
    await web.fetch(site.url("/한?q=집 둘"), user_agent=AGENT)
    assert site.seen[-1].raw_path == "/%ED%95%9C?q=%EC%A7%91+%EB%91%98"
    page = await web.fetch(site.url("/echo") + "?a=\r\nX-Smuggled: 1", user_agent=AGENT)
    assert "X-Smuggled" not in json.loads(page.body)["headers"]


async def test_a_redirect_and_an_error_are_answers(web: WebClient, site: FaultySite) -> None:
    moved = await web.fetch(site.url("/moved"), user_agent=AGENT)
    broken = await web.fetch(site.url("/broken"), user_agent=AGENT)
    assert (moved.status, moved.header("location")) == (302, "/plain")
    assert (broken.status, broken.header("Retry-After"), broken.body) == (503, "7", b"later")
    assert site.paths == ["/moved", "/broken"]


async def test_a_packed_page_is_unpacked(web: WebClient, site: FaultySite) -> None:
    page = await web.fetch(site.url("/gzip"), user_agent=AGENT)
    assert (page.body.decode(), page.header("content-encoding")) == ("<p>압축된 글</p>", "gzip")


async def test_a_caller_may_take_more_or_less_than_a_page_may_have(web: WebClient, site: FaultySite) -> None:
    site.page("/ten", "x" * 10_000_000)
    assert len((await web.fetch(site.url("/ten"), user_agent=AGENT, at_most=10_000_000)).body) == 10_000_000
    for path, at_most in (("/ten", None), ("/ten", 9_999_999), ("/plain", 10), ("/gzip", 10)):
        with pytest.raises(GiveUp) as caught:
            await web.fetch(site.url(path), user_agent=AGENT, at_most=at_most)
        assert caught.value.code is ErrorCode.TOO_LARGE


@pytest.mark.parametrize("path", ["/slow", "/trickle"])
async def test_an_answer_that_does_not_end_in_time_is_tried_later(site: FaultySite, path: str) -> None:
    async with client_for(site, timeout=timedelta(seconds=0.5)) as web:
        with pytest.raises(RetryLater, match="did not answer in time") as caught:
            await web.fetch(site.url(path), user_agent=AGENT)
    assert caught.value.code is ErrorCode.TIMEOUT


async def test_a_silent_server_is_left_before_the_time_is_up(site: FaultySite) -> None:
    async with client_for(site, silence=timedelta(seconds=0.3)) as web:
        with pytest.raises(RetryLater, match="did not answer in time"):
            await web.fetch(site.url("/slow"), user_agent=AGENT)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/reset", "broke the connection"),
        ("/half", "broke off in the middle"),
        ("/garbage", "not HTTP"),
        ("/not-gzip", "cannot be unpacked"),
    ],
)
async def test_a_broken_answer_says_how_and_the_request_was_sent_once(
    web: WebClient, site: FaultySite, path: str, reason: str
) -> None:
    with pytest.raises(RetryLater, match=reason) as caught:
        await web.fetch(site.url(path), user_agent=AGENT)
    assert caught.value.code is ErrorCode.UPSTREAM_ERROR
    assert caught.value.details == {"url": site.url(path)}
    assert site.paths == [path]


async def test_a_host_that_takes_no_connection_is_told_as_such() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{taken.getsockname()[1]}"
        client = WebClient(EngineSettings(), EgressRule(frozenset({origin})))
        with pytest.raises(RetryLater, match="takes no connection") as caught:
            await client.fetch(f"{origin}/", user_agent=AGENT)
        await client.close()
    assert caught.value.code is ErrorCode.UPSTREAM_ERROR


async def test_connections_are_used_again(web: WebClient, site: FaultySite) -> None:
    for _ in range(3):
        await web.fetch(site.url("/plain"), user_agent=AGENT)
    assert len({id(request.transport) for request in site.seen}) == 1


async def test_an_origin_that_passed_opens_no_other(web: WebClient, site: FaultySite) -> None:
    await web.fetch(site.url("/plain"), user_agent=AGENT)
    async with faulty_site() as other:
        for url in (
            other.url("/"),
            f"http://localhost:{site.port}/",
            "http://127.0.0.1/",
            f"{site.origin}@127.0.0.1:{other.port}/",
            f"{site.origin[:-1]}",
            f"{site.origin}0",
            f"https{site.origin[4:]}",
        ):
            with pytest.raises(GiveUp) as caught:
                await web.fetch(url, user_agent=AGENT)
            assert caught.value.code is ErrorCode.EGRESS_REFUSED
    assert other.seen == []
    assert site.paths == ["/plain"]
