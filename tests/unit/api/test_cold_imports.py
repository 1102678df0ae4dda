"""What a cold start loads. Each package here costs as much as a dozen requests take."""

import subprocess
import sys

import pytest

LOADED = """
import sys
{statement}
print(" ".join(sorted(name for name in sys.modules)))
"""
# The metrics library looks at botocore's version, half a millisecond; a session of it costs a hundred times that.
ENTRY = "import functions.api.app, functions.api.routes.trackings"
NOT_AT_START = (
    *("redis", "prometheus_client", "nightjar.adapters.redis.task_queue", "nightjar.adapters.short_links"),
    *("sqlalchemy.orm", "celery", "kombu", "boto3", "botocore.session", "playwright", "alembic", "uvicorn"),
    *("cryptography", "nightjar.adapters.redis.cancel", "nightjar.adapters.secrets"),
    *("nightjar.application.importing", "nightjar.application.tracking_csv", "functions.api.exports"),
    *("nightjar.application.registering", "nightjar.domain.naver_link", "functions.api.openapi"),
    *("functions.api.routes.keys", "functions.api.routes.tasks", "functions.api.routes.batches"),
    *("nightjar.application.janitor", "nightjar.application.rank_checking", "nightjar.application.rank_run"),
    *("nightjar.database.tasks", "nightjar.database.batches", "nightjar.database.outbox"),
    *("functions.api.routes.crawls", "functions.api.routes.crawl_starts", "nightjar.database.crawls", "ada_url", "re2"),
)


@pytest.fixture(scope="module")
def at_start() -> set[str]:
    command = [sys.executable, "-c", LOADED.format(statement=ENTRY)]
    return set(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.split())


@pytest.mark.parametrize("name", NOT_AT_START)
def test_what_a_first_get_does_not_need_is_not_loaded(at_start: set[str], name: str) -> None:
    assert name not in at_start


def test_a_get_of_a_crawl_reads_no_url_and_no_pattern() -> None:
    statement = "import functions.api.app, functions.api.routes.crawls"
    command = [sys.executable, "-c", LOADED.format(statement=statement)]
    loaded = set(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.split())
    assert not loaded & {"ada_url", "re2", "nightjar.application.graph_export", "nightjar.application.site_crawls"}


def test_what_it_needs_is(at_start: set[str]) -> None:
    assert {"fastapi", "mangum", "nightjar.wiring", "functions.api.routes.trackings"} <= at_start


def test_importing_the_entry_point_opens_nothing() -> None:
    statement = f"{ENTRY}; assert functions.api.app._gateway.cache_info().currsize == 0"
    command = [sys.executable, "-c", LOADED.format(statement=statement)]
    subprocess.run(command, check=True, capture_output=True, timeout=60, env={"PYTHONPATH": "."})
