"""How robots.txt is asked for: over redirects, through the egress rule, and never taken for absent when it is not."""

from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web

from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.robots import fetch_robots
from crawl_worker.engine.settings import EngineSettings
from crawl_worker.engine.web_client import WebClient
from nightjar.errors import ErrorCode, GiveUp, RetryLater
from tests.doubles.faulty_site import FAULTS, FaultySite, faulty_site

pytestmark = pytest.mark.anyio

Answers = Callable[[web.BaseRequest], web.StreamResponse]


@pytest.fixture
async def client(settings: EngineSettings, rule: EgressRule) -> AsyncIterator[WebClient]:
    client = WebClient(settings, rule)
    yield client
    await client.close()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Answers], None]:
    def use(path: str, answer: Answers) -> None:
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            return answer(request)

        monkeypatch.setitem(FAULTS, path, handle)

    return use


def moved(place: str, status: int = 302) -> Answers:
    return lambda _: web.Response(status=status, headers={"Location": place})


async def test_the_rules_are_those_of_the_origin(client: WebClient, site: FaultySite) -> None:
    site.page("/robots.txt", "User-agent: *\nDisallow: /shut\nCrawl-delay: 1\nSitemap: /map.xml")
    rules = await fetch_robots(client, site.origin, "NightjarTest/1.0")
    assert (rules.allows(site.url("/open")), rules.allows(site.url("/shut"))) == (True, False)
    assert rules.sitemaps == ("/map.xml",)
    assert site.paths == ["/robots.txt"]
    assert site.seen[0].headers["User-Agent"] == "NightjarTest/1.0"


async def test_a_host_without_one_allows_all(client: WebClient, site: FaultySite) -> None:
    assert (await fetch_robots(client, site.origin, "x")).allows(site.url("/any"))


async def test_five_redirects_are_followed_and_the_sixth_means_none(
    client: WebClient, site: FaultySite, answers: Callable[[str, Answers], None]
) -> None:
    answers("/robots.txt", moved("/r1"))
    for hop in range(1, 5):
        answers(f"/r{hop}", moved(f"/r{hop + 1}", 301))
    site.page("/r5", "User-agent: *\nDisallow: /")
    assert not (await fetch_robots(client, site.origin, "x")).allows(site.url("/any"))
    answers("/r4", moved("/r4"))
    assert (await fetch_robots(client, site.origin, "x")).allows(site.url("/any"))
    assert site.paths.count("/r4") == 3


@pytest.mark.parametrize("place", ["http://169.254.169.254/robots.txt", "file:///etc/passwd", "http://localhost/r"])
async def test_a_redirect_to_what_is_not_the_public_web_stops_the_host(
    client: WebClient, site: FaultySite, answers: Callable[[str, Answers], None], place: str
) -> None:
    answers("/robots.txt", moved(place))
    with pytest.raises(RetryLater, match="is refused"):
        await fetch_robots(client, site.origin, "x")


@pytest.mark.parametrize("fault", ["/broken", "/reset", "/half", "/huge", "/bomb", "/not-gzip"])
async def test_a_host_that_cannot_say_is_left_alone(
    client: WebClient, site: FaultySite, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setitem(FAULTS, "/robots.txt", FAULTS[fault])
    with pytest.raises(RetryLater):
        await fetch_robots(client, site.origin, "x")


async def test_an_origin_that_is_refused_is_told_as_such(client: WebClient) -> None:
    async with faulty_site() as other:
        with pytest.raises(GiveUp) as caught:
            await fetch_robots(client, other.origin, "x")
    assert caught.value.code is ErrorCode.EGRESS_REFUSED
    assert other.seen == []
