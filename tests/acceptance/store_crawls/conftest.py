from collections.abc import Iterator

import pytest

from tests.acceptance.store_crawls.leaks import leaks, left_behind
from tests.acceptance.store_crawls.system import CrawlSystem, a_system


@pytest.fixture(scope="package")
def shared_crawls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CrawlSystem]:
    """One system for all tests of store crawls; when all have run, nothing that they did has left a secret anywhere."""
    with a_system(tmp_path_factory.mktemp("crawls")) as system:
        yield system
        assert leaks(system.replica.control.secrets(), dict(left_behind(system))) == []


@pytest.fixture
def crawls(shared_crawls: CrawlSystem) -> Iterator[CrawlSystem]:
    """The shared system, at rest."""
    yield shared_crawls
    shared_crawls.settle_down()
