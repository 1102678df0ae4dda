from collections.abc import Iterator

import pytest

from tests.acceptance.site_crawls.system import WebCrawls, a_system


@pytest.fixture(scope="package")
def shared_crawls() -> Iterator[WebCrawls]:
    """One system for all tests of site crawls with one worker."""
    with a_system() as system:
        yield system


@pytest.fixture
def crawls(shared_crawls: WebCrawls) -> Iterator[WebCrawls]:
    """The shared system, at rest."""
    yield shared_crawls
    shared_crawls.settle_down()
