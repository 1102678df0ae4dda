"""The API over a real Postgres and a real Redis.

Most tests share one database: each takes owners of its own, who see nothing of anybody else. A test that looks at
everything, or counts, takes the fixture `alone`, which has a database to itself.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import count

import pytest
import structlog

from functions.api.factory import create_app
from infra.local.postgres import EmbeddedPostgres
from infra.local.redis import EmbeddedRedis
from nightjar.database.engine import Database
from nightjar.observability import configure_logging
from nightjar.wiring import Api, build_api
from tests.conftest import TEMPLATE
from tests.doubles.naver.replica import Replica
from tests.integration.api.callers import OPERATOR_KEY, CallerClient, Client, client_of

_numbers = count(1)


def environment_of(database_url: str, redis_url: str, **settings: str) -> dict[str, str]:
    """What the API is set up with."""
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "NIGHTJAR_BOOTSTRAP_API_KEY": OPERATOR_KEY,
        "NAVER_PLACE_SOURCE": "page",
        "NAVER_BLOG_SOURCE": "page",
        "NAVER_CAFE_SOURCE": "page",
        "NAVER_SHORT_URL": "http://127.0.0.1:1",
        "SECRETS_KEY": "bmlnaHRqYXIgdGVzdHMgZW5jcnlwdCB3aXRoIHRoaXM=",
    } | settings


@dataclass(frozen=True, slots=True)
class Alone:
    """An API with a database of its own."""

    api: Api
    client: Client
    operator: CallerClient
    database: Database


@pytest.fixture(scope="session")
def short_links() -> Iterator[str]:
    """The address of a short host whose codes are place1, blog1, cafe1, twohops, interstitial, loop, elsewhere ..."""
    with Replica() as replica:
        yield replica.settings["NAVER_SHORT_URL"]


@pytest.fixture(scope="session")
def environment(postgres: EmbeddedPostgres, redis_server: EmbeddedRedis, short_links: str) -> dict[str, str]:
    postgres.create_database("shared_by_the_api_tests", template=TEMPLATE)
    url = postgres.url("shared_by_the_api_tests")
    return environment_of(url, redis_server.url(), NAVER_SHORT_URL=short_links)


@pytest.fixture(scope="session")
def api(environment: dict[str, str]) -> Iterator[Api]:
    api = build_api(environment, pool_size=8)
    yield api
    api.close()


@pytest.fixture(scope="session")
def client(api: Api) -> Iterator[Client]:
    """Without a key."""
    with client_of(create_app(api)) as client:
        yield client


@pytest.fixture(scope="session")
def operator(client: Client) -> CallerClient:
    return CallerClient(client, OPERATOR_KEY)


@pytest.fixture(scope="session")
def owner_named(operator: CallerClient) -> Callable[[str], CallerClient]:
    """The client of an owner with a fresh key."""
    return operator.issues_a_key_to


@pytest.fixture
def owner(operator: CallerClient) -> CallerClient:
    return operator.issues_a_key_to(f"shop {next(_numbers)}")


@pytest.fixture
def stranger(operator: CallerClient) -> CallerClient:
    return operator.issues_a_key_to(f"stranger {next(_numbers)}")


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What is logged from now on, as JSON lines."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = StringIO()
    configure_logging("api", stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def alone(database_url: str, redis_url: str, database: Database) -> Iterator[Alone]:
    api = build_api(environment_of(database_url, redis_url), pool_size=8)
    with client_of(create_app(api)) as client:
        yield Alone(api, client, CallerClient(client, OPERATOR_KEY), database)
