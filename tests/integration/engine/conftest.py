"""A faulty site, and the engine pointed at it, in one asyncio loop a test."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from crawl_worker.engine.browser import Browser, BrowserProfile
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.http import HttpClient
from crawl_worker.engine.settings import EngineSettings
from tests.doubles.faulty_site import FaultySite, faulty_site
from tests.integration.engine.chromium_processes import ignore_what_runs_already


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True, scope="module")
def _only_our_browsers_count() -> None:
    ignore_what_runs_already()


@pytest.fixture
async def site() -> AsyncIterator[FaultySite]:
    async with faulty_site() as running:
        yield running


@pytest.fixture
def rule(site: FaultySite) -> EgressRule:
    """The site is open, nothing else on loopback is."""
    return EgressRule(frozenset({site.origin}))


@pytest.fixture
def settings() -> EngineSettings:
    return EngineSettings(timeout=timedelta(seconds=5))


@pytest.fixture
async def http(settings: EngineSettings, rule: EgressRule) -> AsyncIterator[HttpClient]:
    client = HttpClient(settings, rule)
    yield client
    await client.close()


@pytest.fixture
async def browser(settings: EngineSettings) -> AsyncIterator[Browser]:
    """Nothing runs before the first visit; whatever runs after the test is ended."""
    browser = Browser(replace(settings, timeout=timedelta(seconds=10)))
    yield browser
    await browser.close()


@pytest.fixture
def profile() -> BrowserProfile:
    return BrowserProfile(user_agent="NightjarTest/1.0")
