"""One replica, one Chromium and one database for all crawls: each has an owner, a context and a desk of its own."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from crawl_worker.engine.browser import Browser
from crawl_worker.engine.settings import EngineSettings
from infra.local.postgres import EmbeddedPostgres
from tests.conftest import TEMPLATE
from tests.doubles.baemin.replica import Replica
from tests.integration.baemin.desk import Desk

ENGINE = EngineSettings(timeout=timedelta(seconds=10))
DATABASE = "store_crawls"


@pytest.fixture(scope="package")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="package")
def running() -> Iterator[Replica]:
    with Replica() as replica:
        yield replica


@pytest.fixture
def replica(running: Replica) -> Replica:
    """The running replica as it was at its start, a little faster."""
    running.control.reset()
    running.control.timing(form_ms=[20, 60], options_ms=[20, 80], slow_login=0.6, hang=20)
    return running


@pytest.fixture(scope="package")
async def browser() -> AsyncIterator[Browser]:
    browser = Browser(ENGINE)
    yield browser
    await browser.close()


@pytest.fixture(scope="package")
def shared_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    postgres.create_database(DATABASE, template=TEMPLATE)
    yield postgres.url(DATABASE)
    postgres.drop_database(DATABASE)


@pytest.fixture
def desk(replica: Replica, browser: Browser, shared_database: str, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(replica, browser, shared_database, tmp_path / "archive")
    desk.forget_hosts()
    yield desk
    desk.close()
