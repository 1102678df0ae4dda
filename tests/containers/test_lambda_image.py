"""The zips for the cloud's Python, in the image that AWS publishes for it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import httpx
import pytest

from infra.local.addresses import LOOPBACK, accepts_connections, free_port
from infra.local.events import http_event, nightly_event
from nightjar.database.engine import Database
from nightjar.tasks import Queue
from tests.acceptance.night import wait_until
from tests.containers.engine import ON_HOST, Container
from tests.packaging.built import Store

IMAGE = "public.ecr.aws/lambda/python:3.13"
DAY = date(2026, 3, 2)


@contextmanager
def function(name: str, folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """The address that takes events; the image's own emulator, on a free port instead of 8080."""
    port, runtime_port = free_port(), free_port()
    options = (*ON_HOST, "--volume", f"{folder}:/var/task:ro", "--entrypoint", "/usr/local/bin/aws-lambda-rie")
    command = (
        *("--runtime-interface-emulator-address", f"{LOOPBACK}:{port}"),
        *("--runtime-api-address", f"{LOOPBACK}:{runtime_port}"),
        "/var/runtime/bootstrap",
    )
    variables = {**environment, "_HANDLER": f"functions.{name}.app.handler", "AWS_LAMBDA_FUNCTION_TIMEOUT": "30"}
    with Container(IMAGE, *command, environment=variables, options=options) as running:
        wait_until(lambda: accepts_connections(port), 20, lambda: running.log)
        yield f"http://{LOOPBACK}:{port}/2015-03-31/functions/function/invocations"


@pytest.fixture
def store(database: Database, database_url: str, redis_url: str) -> Store:
    """The real Postgres and Redis of this test."""
    return Store(database=database, database_url=database_url, redis_url=redis_url)


def test_a_night_is_fanned_out_and_the_janitor_makes_its_round(cloud_packages: dict[str, Path], store: Store) -> None:
    store.follow("tea", "brewer/3")
    with function("nightly_fanout", cloud_packages["nightly_fanout"], store.settings) as address:
        answer = httpx.post(address, json=nightly_event(DAY), timeout=40).json()
    assert (answer["new"], answer["total"], answer["published"]) == (True, 1, 1), answer
    store.lose_messages()
    with function("janitor", cloud_packages["janitor"], store.settings) as address:
        answer = httpx.post(address, json=nightly_event(DAY), timeout=40).json()
    assert (answer["lost"], answer["published"]) == (1, 1), answer
    assert len(store.messages(Queue.NIGHTLY)) == 1


def test_the_api_answers(cloud_packages: dict[str, Path], store: Store) -> None:
    with function("api", cloud_packages["api"], store.settings) as address:
        answer = httpx.post(address, json=http_event("GET", "/ready?only=database"), timeout=40).json()
    assert answer["statusCode"] == 200, answer
    assert json.loads(answer["body"])
