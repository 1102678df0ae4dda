"""A site with lists, and a reader of lists, in one asyncio loop a test."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from tests.doubles.faulty_site import FAULTS, FaultySite, faulty_site
from tests.integration.pagination.reader import ListReader

Answers = Callable[[str, Callable[[web.BaseRequest], web.StreamResponse]], None]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def site() -> AsyncIterator[FaultySite]:
    async with faulty_site() as running:
        yield running


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Lets a path of the site answer what a test wants."""

    def use(path: str, answer: Callable[[web.BaseRequest], web.StreamResponse]) -> None:
        def handle(request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
            async def answered() -> web.StreamResponse:
                return answer(request)

            return answered()

        monkeypatch.setitem(FAULTS, path, handle)

    return use


@pytest.fixture
async def reader(site: FaultySite, database_url: str) -> AsyncIterator[ListReader]:
    reader = ListReader(database_url, site.origin)
    yield reader
    await reader.close()
