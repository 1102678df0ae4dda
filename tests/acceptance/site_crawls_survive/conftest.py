from collections.abc import Iterator

import pytest

from tests.acceptance.site_crawls_survive.system import SiteCrawlSystem, a_system


@pytest.fixture(scope="package")
def shared_site_crawls() -> Iterator[SiteCrawlSystem]:
    """One system for all tests of this folder."""
    with a_system() as system:
        yield system


@pytest.fixture
def crawls(shared_site_crawls: SiteCrawlSystem) -> Iterator[SiteCrawlSystem]:
    """The shared system, at rest."""
    yield shared_site_crawls
    shared_site_crawls.settle_down()
