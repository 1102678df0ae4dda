from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from crawl_worker.engine.browser import Browser
from crawl_worker.engine.settings import EngineSettings
from tests.doubles.baemin.replica import Replica
from tests.integration.baemin.desk import Desk

ENGINE = EngineSettings(timeout=timedelta(seconds=10))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def running() -> Iterator[Replica]:
    with Replica() as replica:
        yield replica


@pytest.fixture
def replica(running: Replica) -> Replica:
    """The running replica as it was at its start, a little faster."""
    running.control.reset()
    running.control.timing(slow_login=0.6, hang=20)
    return running


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for a module: each crawl has a context of its own."""
    browser = Browser(ENGINE)
    yield browser
    await browser.close()


@pytest.fixture
def desk(replica: Replica, browser: Browser, database_url: str, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(replica, browser, database_url, tmp_path / "archive")
    yield desk
    desk.close()
