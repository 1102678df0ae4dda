"""No spelling of an address of this machine or its network passes the HTTP client; a canary on loopback stays alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from crawl_worker.engine import egress
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.settings import EngineSettings
from crawl_worker.engine.web_client import WebClient
from nightjar.errors import ErrorCode, GiveUp, TaskFailure
from tests.doubles.canary import PASSES_FOR_PUBLIC, Canary, TurningNames, canary, private_addresses
from tests.doubles.web.canary import REBINDING

pytestmark = pytest.mark.anyio

SPELLINGS = tuple(private_addresses(0))

ONLY_TO_SOME = {"dot", "name-dot", "name-below", "percent"}
"""Spellings that not every system leads to itself: on some the look-up fails."""

REACH_THE_CANARY = ("plain", "name", "hex", "any", "six", "mapped", "full-width")
"""Some that every system leads to itself, and the HTTP library takes, without a packet that leaves the machine."""


@pytest.fixture
async def bird(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Canary]:
    """It listens at what passes for the port of the web, so that nothing but its address speaks against it."""
    async with canary() as one:
        monkeypatch.setattr(egress, "WEB_PORTS", {"http": one.port, "https": one.port})
        yield one


@pytest.fixture
async def client(bird: Canary) -> AsyncIterator[WebClient]:  # noqa: ARG001  # its port counts as the web's
    client = WebClient(replace(EngineSettings(), timeout=timedelta(seconds=2)), EgressRule(), lookup=TurningNames())
    yield client
    await client.close()


async def failure_of(client: WebClient, url: str) -> TaskFailure:
    with pytest.raises(TaskFailure) as caught:
        await client.fetch(url, user_agent="x")
    return caught.value


async def test_the_canary_can_be_reached_by_whoever_is_let(bird: Canary) -> None:
    open_to = WebClient(EngineSettings(), EgressRule(frozenset({f"http://127.0.0.1:{bird.port}"})))
    page = await open_to.fetch(f"http://127.0.0.1:{bird.port}/x", user_agent="x")
    await open_to.close()
    assert (page.body, bird.first_lines) == (b"secret", [b"GET /x HTTP/1.1\r\n"])


async def test_without_the_rule_most_spellings_reach_it(
    bird: Canary, client: WebClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(egress, "is_public", lambda _: True)
    for name in REACH_THE_CANARY:
        with suppress(TaskFailure):
            await client.fetch(private_addresses(bird.port)[name], user_agent="x")
    assert len(bird.first_lines) >= len(REACH_THE_CANARY) - 2, "all but the two of IPv6, where a machine has none"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_no_spelling_of_a_private_address_is_fetched(
    bird: Canary, client: WebClient, spelling: str, scheme: str
) -> None:
    failure = await failure_of(client, private_addresses(bird.port, scheme=scheme)[spelling])
    if spelling in ONLY_TO_SOME and failure.code is ErrorCode.UPSTREAM_ERROR:
        assert "could not be looked up" in failure.message
    else:
        assert (type(failure), failure.code) == (GiveUp, ErrorCode.EGRESS_REFUSED)
    assert bird.first_lines == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}\\@public.test/",
        "http://public.test\\@127.0.0.1:{port}/",
        "http://public.test:80@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}#@public.test/",
        "http://127.0.0.1:{port}?@public.test/",
        "http:\\\\127.0.0.1:{port}/",
        "http:127.0.0.1:{port}/",
        "http:////127.0.0.1:{port}/",
        " http://127.0.0.1:{port}/",
        "http://127.0.0.1\t:{port}/",
        "http://127.0.0.1:{port}\r\nHost: public.test/",
        "http://[::1%25lo]:{port}/",
        "http://[::1]:{port}@public.test/",
        "HTTP://LocalHost:{port}/",
        "gopher://127.0.0.1:{port}/",
        "file://127.0.0.1:{port}/etc/passwd",
        "ws://127.0.0.1:{port}/",
    ],
)
async def test_a_url_that_parsers_read_differently_leads_nowhere(bird: Canary, client: WebClient, url: str) -> None:
    await failure_of(client, url.format(port=bird.port))
    assert bird.first_lines == []


async def test_a_name_that_turns_is_refused_when_it_turns(bird: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "is_public", lambda address: str(address) == PASSES_FOR_PUBLIC)
    names = TurningNames()
    settings = replace(EngineSettings(), dns_ttl=timedelta(seconds=0.01))
    client = WebClient(settings, EgressRule(), lookup=names)
    url = f"http://{REBINDING}:{bird.port}/"
    first = await failure_of(client, url)
    assert "takes no connection" in first.message, "it passed, and nobody listens there"
    await asyncio.sleep(0.02)
    assert (await failure_of(client, url)).code is ErrorCode.EGRESS_REFUSED
    assert names.asked == [REBINDING] * 2
    await client.close()
    assert bird.first_lines == []
