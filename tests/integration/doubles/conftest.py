from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from crawl_worker.engine.chromium import find_chromium
from tests.doubles.baemin.replica import Replica as OwnerSite
from tests.doubles.naver.replica import Replica

DAY = "2026-03-02"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = find_chromium()
    assert program, "no Chromium is installed; `make setup` installs one"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def running() -> Iterator[Replica]:
    with Replica("--day", DAY) as replica:
        yield replica


@pytest.fixture
def replica(running: Replica) -> Replica:
    """The running replica of Naver as it was at its start."""
    running.control.reset()
    running.control.set_day(DAY)
    return running


@pytest.fixture(scope="module")
def running_site() -> Iterator[OwnerSite]:
    with OwnerSite() as site:
        yield site


@pytest.fixture
def site(running_site: OwnerSite) -> OwnerSite:
    """The running replica of the Baemin owner site as it was at its start."""
    running_site.control.reset()
    return running_site
