"""Redis or Postgres away: what is answered, and that nothing is lost."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from functions.api.factory import create_app
from infra.local.addresses import free_port
from infra.local.postgres import EmbeddedPostgres
from infra.local.redis import EmbeddedRedis
from nightjar.adapters.redis.task_queue import RedisTaskQueue
from nightjar.application.publishing import publish_due
from nightjar.database.engine import Database
from nightjar.tasks import Queue
from nightjar.wiring import build_api
from tests.integration.api.callers import OPERATOR_KEY, CallerClient, Client, a_registration, client_of, error_of
from tests.integration.api.conftest import environment_of
from tests.integration.api.log_lines import lines_of

CUT_OFF = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = 'nightjar-api' AND datname = current_database()"
)
NO_KEY = {"NIGHTJAR_BOOTSTRAP_API_KEY": ""}
FILE = "rank_type,keyword,target_url\nblog,부산 여행,https://blog.naver.com/nj_lantern01/223400000101\n"


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path / "redis")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def caller(database_url: str, own_redis: EmbeddedRedis) -> Iterator[CallerClient]:
    api = build_api(environment_of(database_url, own_redis.url()), pool_size=4)
    with client_of(create_app(api)) as client:
        yield CallerClient(client, OPERATOR_KEY)


def test_work_that_is_started_while_redis_is_away_waits_and_is_published_when_it_is_back(
    caller: CallerClient, own_redis: EmbeddedRedis, database: Database
) -> None:
    caller.registers()  # the connection to Redis was in use before it broke
    own_redis.stop()
    registered = caller.post("/api/v1/trackings", a_registration())
    checked = caller.post(f"/api/v1/trackings/{registered.json()['id']}/check")
    caller.delete(f"/api/v1/tasks/{checked.json()['task_id']}")
    retried = caller.post(f"/api/v1/tasks/{checked.json()['task_id']}/retry")
    imported = caller.imports(FILE)
    run = caller.post("/api/v1/batches")
    assert [registered.status_code, checked.status_code, retried.status_code] == [201, 202, 202]
    assert [imported.status_code, run.status_code] == [202, 202]
    waiting = {UUID(answer.json()["task_id"]) for answer in (registered, retried)}

    own_redis.start()
    queue = RedisTaskQueue(own_redis.url())
    assert publish_due(database.transaction, queue, Queue.INTERACTIVE, window=100) == 2
    assert waiting <= queue.waiting_ids(Queue.INTERACTIVE)
    assert UUID(checked.json()["task_id"]) not in queue.waiting_ids(Queue.INTERACTIVE)
    assert publish_due(database.transaction, queue, Queue.NIGHTLY, window=100) == imported.json()["checks"] + 3
    queue.close()


def test_after_redis_is_back_the_next_request_publishes_at_once(caller: CallerClient, own_redis: EmbeddedRedis) -> None:
    caller.registers()
    own_redis.stop()
    assert caller.post("/api/v1/trackings", a_registration()).status_code == 201
    own_redis.start()
    task_id = UUID(str(caller.registers()["task_id"]))
    queue = RedisTaskQueue(own_redis.url())
    assert task_id in queue.waiting_ids(Queue.INTERACTIVE)
    queue.close()


def test_reading_needs_no_redis_and_ready_says_that_it_is_away(caller: CallerClient, own_redis: EmbeddedRedis) -> None:
    own_redis.stop()
    assert caller.get("/api/v1/trackings").status_code == 200
    everything = caller.get("/ready")
    assert everything.status_code == 503
    assert everything.json()["dependencies"]["database"] == {"ready": True, "reason": None}
    assert "Redis" in everything.json()["dependencies"]["queue"]["reason"]
    assert caller.get("/ready", only="database").status_code == 200
    figures = caller.get("/metrics")
    assert figures.status_code == 200
    assert "nightjar_broker_up 0.0" in figures.text
    assert "nightjar_queue_depth" not in figures.text


@pytest.fixture
def without_postgres(redis_url: str) -> Iterator[Client]:
    url = f"postgresql+pg8000://nightjar:a-secret-password@127.0.0.1:{free_port()}/nightjar"
    with client_of(create_app(build_api(environment_of(url, redis_url)))) as client:
        yield client


def test_without_postgres_every_request_is_a_503_that_asks_to_try_again(
    without_postgres: Client, log: StringIO
) -> None:
    caller = CallerClient(without_postgres, OPERATOR_KEY)
    answers = [
        caller.get("/api/v1/trackings"),
        caller.post("/api/v1/trackings", a_registration()),
        caller.imports(FILE),
        caller.get("/api/v1/trackings", format="csv"),
        caller.get("/metrics"),
    ]
    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert error_of(answer)["code"] == "unavailable"
        assert "127.0.0.1" not in answer.text
        assert "Traceback" not in answer.text
    failures = lines_of(log, "request_failed")
    assert len(failures) == len(answers)
    assert "127.0.0.1" in failures[0]["cause"]
    assert "a-secret-password" not in log.getvalue()


def test_without_postgres_the_process_lives_and_says_why_it_is_not_ready(without_postgres: Client) -> None:
    assert without_postgres.get("/health").status_code == 200
    answer = without_postgres.get("/ready")
    assert answer.status_code == 503
    assert "does not answer" in answer.json()["dependencies"]["database"]["reason"]
    assert answer.json()["dependencies"]["queue"]["ready"] is True
    assert without_postgres.get("/ready", params={"only": "queue"}).status_code == 200
    assert "a-secret-password" not in answer.text


def test_a_connection_that_the_server_cut_is_replaced(caller: CallerClient, database: Database) -> None:
    caller.get("/api/v1/trackings")
    with database.transaction() as uow:
        uow.connection.execute(CUT_OFF)
    assert caller.get("/api/v1/trackings").status_code == 200


def test_a_database_without_tables_is_not_ready_and_says_what_to_run(
    postgres: EmbeddedPostgres, redis_url: str
) -> None:
    postgres.create_database("without_tables")
    with client_of(
        create_app(build_api(environment_of(postgres.url("without_tables"), redis_url, **NO_KEY)))
    ) as client:
        reason = client.get("/ready").json()["dependencies"]["database"]["reason"]
    assert "nightjar.database.migrate" in reason
    postgres.drop_database("without_tables")
