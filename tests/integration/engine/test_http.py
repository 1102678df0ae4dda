"""The HTTP client against a real server with the faults of the web."""

import json
import resource
import socket
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.http import HttpClient
from crawl_worker.engine.settings import EngineSettings
from nightjar.errors import ErrorCode, GiveUp, RetryLater
from tests.doubles.faulty_site import FaultySite, faulty_site

pytestmark = pytest.mark.anyio


@pytest.fixture
async def hasty(rule: EgressRule) -> AsyncIterator[HttpClient]:
    """A client that waits for half a second at most."""
    client = HttpClient(EngineSettings(timeout=timedelta(seconds=0.5)), rule)
    yield client
    await client.close()


async def test_an_answer_has_its_status_headers_and_text(http: HttpClient, site: FaultySite) -> None:
    response = await http.send(site.url("/plain"))
    assert (response.url, response.status) == (site.url("/plain"), 200)
    assert response.headers["x-word"] == response.headers["X-WORD"] == "one"
    assert "a page" in response.text


async def test_a_request_carries_what_the_caller_says_and_asks_for_korean(http: HttpClient, site: FaultySite) -> None:
    response = await http.send(site.url("/echo"), method="POST", headers={"User-Agent": "Reader/1"}, json={"page": 2})
    told = json.loads(response.text)
    assert (told["method"], json.loads(told["body"])) == ("POST", {"page": 2})
    assert told["headers"]["User-Agent"] == "Reader/1"
    assert told["headers"]["Accept-Language"].startswith("ko-KR")
    assert "gzip" in told["headers"]["Accept-Encoding"]


@pytest.mark.parametrize("path", ["/slow", "/trickle"])
async def test_an_answer_that_does_not_end_in_time_is_tried_later(
    hasty: HttpClient, site: FaultySite, path: str
) -> None:
    started = time.monotonic()
    with pytest.raises(RetryLater, match="did not answer in time") as caught:
        await hasty.send(site.url(path))
    assert caught.value.code is ErrorCode.TIMEOUT
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("path", ["/reset", "/half", "/garbage", "/not-gzip"])
async def test_a_broken_answer_is_tried_later_and_the_request_was_sent_once(
    http: HttpClient, site: FaultySite, path: str
) -> None:
    with pytest.raises(RetryLater) as caught:
        await http.send(site.url(path))
    assert caught.value.code is ErrorCode.UPSTREAM_ERROR
    assert caught.value.details == {"url": site.url(path)}
    assert site.paths == [path]


async def test_a_request_is_not_repeated_when_a_kept_connection_breaks(http: HttpClient, site: FaultySite) -> None:
    await http.send(site.url("/plain"))
    with pytest.raises(RetryLater):
        await http.send(site.url("/reset"))
    assert site.paths == ["/plain", "/reset"]


async def test_a_host_that_takes_no_connection_is_tried_later() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{taken.getsockname()[1]}"
        client = HttpClient(EngineSettings(), EgressRule(frozenset({origin})))
        with pytest.raises(RetryLater, match="takes no connection") as caught:
            await client.send(origin)
        await client.close()
    assert caught.value.code is ErrorCode.UPSTREAM_ERROR


async def test_an_error_page_is_an_answer(http: HttpClient, site: FaultySite) -> None:
    response = await http.send(site.url("/broken"))
    assert (response.status, response.text, response.headers["Retry-After"]) == (503, "later", "7")


async def test_a_redirect_is_an_answer_and_is_not_followed(http: HttpClient, site: FaultySite) -> None:
    response = await http.send(site.url("/moved"))
    assert (response.status, response.headers["Location"]) == (302, "/plain")
    assert site.paths == ["/moved"]


@pytest.mark.parametrize("path", ["/huge", "/bomb"])
async def test_an_answer_that_is_too_large_is_given_up_early(http: HttpClient, site: FaultySite, path: str) -> None:
    await http.send(site.url("/plain"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(GiveUp, match="more than 8,000,000 bytes") as caught:
        await http.send(site.url(path))
    assert caught.value.code is ErrorCode.TOO_LARGE
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kb < 60_000, "300 MB were unpacked, 8 MB of them may be kept"


async def test_a_compressed_page_is_unpacked(http: HttpClient, site: FaultySite) -> None:
    assert (await http.send(site.url("/gzip"))).text == "<p>압축된 글</p>"


async def test_a_korean_charset_is_read_from_the_header_or_the_page(http: HttpClient, site: FaultySite) -> None:
    assert (await http.send(site.url("/euc-kr"))).text == "<p>믜맛있는 집</p>"
    assert "맛있는 집" in (await http.send(site.url("/euc-kr-meta"))).text


async def test_cookies_of_one_task_do_not_meet_the_next(site: FaultySite) -> None:
    origin = f"http://replica.test:{site.port}"  # a jar would keep no cookie of a bare address
    client = HttpClient(EngineSettings(), EgressRule(frozenset({origin})), lookup=lambda _: ["127.0.0.1"])
    await client.send(f"{origin}/cookie")
    told = json.loads((await client.send(f"{origin}/echo")).text)
    await client.close()
    assert "Cookie" not in told["headers"]


async def test_a_server_on_loopback_that_no_setting_opens_gets_nothing(http: HttpClient) -> None:
    async with faulty_site() as other:
        for url in (other.url("/plain"), f"http://localhost:{other.port}/", f"http://[::1]:{other.port}/"):
            with pytest.raises(GiveUp) as caught:
                await http.send(url)
            assert caught.value.code is ErrorCode.EGRESS_REFUSED
    assert other.seen == []


async def test_a_name_is_looked_up_once_and_connected_to_where_it_was_judged(site: FaultySite) -> None:
    asked: list[str] = []

    def lookup(host: str) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["192.0.2.1"]

    origin = f"http://replica.test:{site.port}"
    client = HttpClient(EngineSettings(), EgressRule(frozenset({origin})), lookup=lookup)
    for _ in range(3):
        assert (await client.send(f"{origin}/plain")).status == 200
    await client.close()
    assert asked == ["replica.test"]


async def test_a_name_that_leads_to_this_machine_is_refused(site: FaultySite) -> None:
    client = HttpClient(EngineSettings(), EgressRule(), lookup=lambda _: ["127.0.0.1"])
    for url in ("http://site.test/", "https://site.test/"):
        with pytest.raises(GiveUp, match="not a public address"):
            await client.send(url)
    await client.close()
    assert site.seen == []


async def test_a_proxy_of_the_environment_is_not_used(
    http: HttpClient, site: FaultySite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert (await http.send(site.url("/plain"))).status == 200
