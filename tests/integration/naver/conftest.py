from collections.abc import AsyncIterator, Iterator

import pytest

from crawl_worker.engine.browser import Browser
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.http import HttpClient
from crawl_worker.sites.naver.settings import NaverSettings
from tests.doubles.naver.replica import Replica
from tests.integration.naver.desk import ENGINE, Desk

DAY = "2026-03-02"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def running() -> Iterator[Replica]:
    with Replica("--day", DAY) as replica:
        yield replica


@pytest.fixture
def replica(running: Replica) -> Replica:
    """The running replica as it was at its start."""
    running.control.reset()
    running.control.set_day(DAY)
    return running


@pytest.fixture
async def desk(replica: Replica) -> AsyncIterator[Desk]:
    """A desk at the replica; its browser starts when a list needs one."""
    naver = NaverSettings.from_environment(replica.settings)
    # The login host is public; its stand-in is on loopback, and would be refused before it says what it is.
    origins = {*naver.origins(), replica.urls["REPLICA_NID_URL"]}
    http = HttpClient(ENGINE, EgressRule(allowed_origins=frozenset(origins)))
    browser = Browser(ENGINE)
    yield Desk(replica.settings, http, browser)
    await browser.close()
    await http.close()
