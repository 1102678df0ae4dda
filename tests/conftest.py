"""What all tests share: a clean environment, one Postgres and one Redis a session, a fresh database a test."""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import redis
from xdist.remote import Producer  # type: ignore[import-untyped]

from infra.local.postgres import EmbeddedPostgres
from infra.local.redis import EmbeddedRedis
from nightjar.database.engine import Database
from nightjar.database.migrate import migrate
from tests.distribution import ByWhatTheyShare

OURS = ("NIGHTJAR_", "NAVER_", "BAEMIN_", "CRAWL_", "CELERY_", "WORKER_", "TASK_", "BROKER_", "RANK_DEPTH_",
        "SECRET_", "SECRETS_", "AWS_")  # fmt: skip
OURS_EXACTLY = {"DATABASE_URL", "REDIS_URL", "REDIS_KEY_PREFIX", "LEASE_SECONDS", "PUBLISH_WINDOW",
                "JANITOR_INTERVAL_SECONDS", "LOG_LEVEL", "ARCHIVE_URL", "LIVE_ENDPOINT"}  # fmt: skip
TEMPLATE = "nightjar_template"
_numbers = count(1)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByWhatTheyShare:
    """Whatever --dist says: files and folders go out as wholes, the longest first."""
    return ByWhatTheyShare(config, log)


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_outside() -> None:
    for name in list(os.environ):
        if name in OURS_EXACTLY or name.startswith(OURS):
            del os.environ[name]


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A server with a migrated template database."""
    folder: Path = tmp_path_factory.mktemp("postgres")
    server = EmbeddedPostgres(folder, durable=False)
    server.start()
    server.create_database(TEMPLATE)
    migrate(server.url(TEMPLATE))
    yield server
    server.stop()


@pytest.fixture
def database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A migrated, empty database of this test's own."""
    name = f"test_{next(_numbers)}"
    postgres.create_database(name, template=TEMPLATE)
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Transactions on this test's database."""
    database = Database(database_url, name="test", pool_size=8)
    yield database
    database.close()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """A Redis for tests that do not break it."""
    server = EmbeddedRedis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(redis_server: EmbeddedRedis) -> str:
    """The address of an empty Redis."""
    url = redis_server.url()
    with redis.Redis.from_url(url) as client:
        client.flushall()
    return url
