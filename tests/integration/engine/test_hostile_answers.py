"""What a hostile site answers ends as the failure of that page, in bounded time and memory."""

import asyncio
import resource
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.settings import EngineSettings
from crawl_worker.engine.web_client import WebClient
from nightjar.errors import ErrorCode, GiveUp, RetryLater, TaskFailure
from tests.doubles.web.canary import UNKNOWN_NAME
from tests.doubles.web.hosts.hostile import ENDINGS
from tests.doubles.web.replica import WebReplica
from tests.doubles.web.tls import VALID_DAYS

pytestmark = pytest.mark.anyio

ONLY_TO_A_READER = ("/tree/", "/hang/")
"""What means harm to who parses or runs it: to who fetches it is a page."""

ENDED = {path: ending for path, ending in ENDINGS.items() if not path.startswith(ONLY_TO_A_READER)}

MOST_SECONDS = 6
"""The time limit of these tests is two seconds; the rest is for a busy machine."""

MOST_KB = 80_000
"""8 MB as received, 8 MB unpacked, and what the allocator keeps."""


@pytest.fixture(scope="module")
def replica() -> Iterator[WebReplica]:
    with WebReplica() as web:
        yield web


@pytest.fixture
async def client(replica: WebReplica) -> AsyncIterator[WebClient]:
    settings = replace(EngineSettings(), timeout=timedelta(seconds=2))
    client = WebClient(settings, EgressRule(frozenset(replica.origins)))
    yield client
    await client.close()


async def ended(client: WebClient, url: str) -> TaskFailure | None:
    try:
        await client.fetch(url, user_agent="NightjarTest/1.0")
    except TaskFailure as failure:
        return failure
    return None


@pytest.mark.parametrize("path", ENDED)
async def test_an_answer_ends_as_it_should_and_costs_little(client: WebClient, replica: WebReplica, path: str) -> None:
    await client.fetch(replica.url("hostile", "/harmless"), user_agent="x")
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    failure = await ended(client, replica.url("hostile", path))
    assert time.monotonic() - started < MOST_SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_KB
    ending = ENDED[path]
    if failure is None:
        assert ending.done, ending.why
    else:
        assert failure.code in ending.codes, failure.message
        assert replica.url("hostile", path) in failure.message
    page = await client.fetch(replica.url("hostile", "/harmless"), user_agent="x")
    assert page.status == 200, "the client goes on"


@pytest.mark.parametrize("host", VALID_DAYS)
async def test_a_certificate_that_nobody_can_trust_is_told_as_such(
    client: WebClient, replica: WebReplica, host: str
) -> None:
    failure = await ended(client, replica.url(host))
    assert isinstance(failure, GiveUp)
    assert failure.code is ErrorCode.UPSTREAM_ERROR
    assert "has no certificate to be trusted" in failure.message
    assert "certificate" in failure.message.partition("(")[2], "and why: what the library says"


async def test_a_name_that_does_not_resolve_is_told_as_such(client: WebClient) -> None:
    failure = await ended(client, UNKNOWN_NAME)
    assert isinstance(failure, RetryLater)
    assert failure.code is ErrorCode.UPSTREAM_ERROR
    assert "no-such-host.replica.invalid could not be looked up" in failure.message


async def test_many_bombs_at_once_cost_no_more_than_each_its_limit(client: WebClient, replica: WebReplica) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    url = replica.url("hostile", "/coding/gzip-bomb")
    failures = await asyncio.gather(*[ended(client, f"{url}?{turn}") for turn in range(8)])
    codes = {failure.code for failure in failures if failure is not None}
    assert codes <= {ErrorCode.TOO_LARGE, ErrorCode.TIMEOUT}
    assert len(failures) == 8
    assert None not in failures
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 * 20_000
