"""What a worker posts to API Gateway, and what becomes of it where API Gateway refuses, fails or is slow."""

import json
import time
from collections.abc import Iterator
from uuid import UUID, uuid4

import boto3
import pytest
from botocore.stub import Stubber

from nightjar.adapters.aws import live_poster
from nightjar.adapters.aws.connections import Connections, Posted
from nightjar.adapters.aws.live_poster import LivePoster
from nightjar.database.engine import Database, DatabaseUnavailable
from nightjar.domain.progress import LiveMessage, Position, row_message
from nightjar.domain.task import TaskState
from tests.factories import a_task
from tests.integration.live.conftest import event
from tests.integration.live.gateway import Gateway
from tests.integration.local.processes import eventually


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "of-this-test-only")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as gateway:
        yield gateway


@pytest.fixture
def poster(gateway: Gateway, database: Database) -> Iterator[LivePoster]:
    poster = LivePoster(Connections(gateway.endpoint), database.transaction, released=lambda: None)
    poster.start()
    yield poster
    poster.close()


def message(task_id: UUID, seq: int, status: TaskState = TaskState.IN_PROGRESS) -> LiveMessage:
    return row_message(event(task_id, seq, status=status), Position("epoch", seq))


def watching(database: Database, task_id: UUID, *connections: str) -> None:
    with database.transaction() as uow:
        for connection in connections:
            uow.live_connections.open(connection, owner="shop", role="owner")
            uow.live_connections.watch(connection, task_id)


def watchers(database: Database, task_id: UUID) -> list[str]:
    with database.transaction() as uow:
        return sorted(uow.live_connections.watchers(task_id, limit=100))


def numbers(gateway: Gateway, connection: str) -> list[int]:
    return [json.loads(text)["seq"] for text in gateway.posted[connection]]


# --- one post, against botocore's own model of the service -----------------------------------------------------------


@pytest.fixture
def stubbed() -> Iterator[tuple[Connections, Stubber]]:
    client = boto3.session.Session().client("apigatewaymanagementapi", endpoint_url="https://live.test/live")
    with Stubber(client) as stubber:
        yield Connections("https://live.test/live", client=client), stubber


def fails(stubber: Stubber, code: str, status: int, times: int = 1) -> None:
    for _ in range(times):
        stubber.add_client_error("post_to_connection", service_error_code=code, http_status_code=status)


def delivers(stubber: Stubber) -> None:
    stubber.add_response("post_to_connection", {}, {"ConnectionId": "c=1", "Data": b"{}"})


def test_a_message_is_delivered(stubbed: tuple[Connections, Stubber]) -> None:
    connections, stubber = stubbed
    delivers(stubber)
    assert connections.post("c=1", "{}") is Posted.DELIVERED
    stubber.assert_no_pending_responses()


def test_a_connection_that_is_gone_is_told_apart(stubbed: tuple[Connections, Stubber]) -> None:
    connections, stubber = stubbed
    fails(stubber, "GoneException", 410)
    assert connections.post("c=1", "{}") is Posted.GONE
    stubber.assert_no_pending_responses()


def test_a_throttled_post_is_tried_again_and_then_delivered(stubbed: tuple[Connections, Stubber]) -> None:
    connections, stubber = stubbed
    fails(stubber, "LimitExceededException", 429)
    delivers(stubber)
    assert connections.post("c=1", "{}") is Posted.DELIVERED


def test_throttling_that_does_not_end_is_skipped_after_two_more_tries(stubbed: tuple[Connections, Stubber]) -> None:
    connections, stubber = stubbed
    fails(stubber, "ThrottlingException", 429, times=3)
    started = time.monotonic()
    assert connections.post("c=1", "{}") is Posted.SKIPPED
    assert time.monotonic() - started < 1
    stubber.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("InternalServerError", 500),
        ("ServiceUnavailable", 503),
        ("ForbiddenException", 403),
        ("PayloadTooLargeException", 413),
    ],
)
def test_every_other_fault_is_skipped_at_once(stubbed: tuple[Connections, Stubber], code: str, status: int) -> None:
    connections, stubber = stubbed
    fails(stubber, code, status)
    assert connections.post("c=1", "{}") is Posted.SKIPPED
    stubber.assert_no_pending_responses()


def test_a_service_that_is_not_there_is_skipped() -> None:
    assert Connections("http://127.0.0.1:1/live").post("c=1", "{}") is Posted.SKIPPED


# --- the poster ------------------------------------------------------------------------------------------------------


def test_everybody_who_watches_gets_every_message_in_order_and_nobody_else(
    gateway: Gateway, poster: LivePoster, database: Database
) -> None:
    mine, other = a_task(database), a_task(database)
    watching(database, mine, "a=", "b=")
    watching(database, other, "elsewhere")
    for seq in range(1, 21):
        poster.offer(message(mine, seq))
    assert eventually(lambda: len(gateway.posted["b="]) == len(gateway.posted["a="]) == 20, seconds=5)
    assert numbers(gateway, "a=") == numbers(gateway, "b=") == list(range(1, 21))
    assert gateway.posted["elsewhere"] == []


def test_a_connection_that_is_gone_loses_its_row_and_a_failing_one_keeps_it(
    gateway: Gateway, poster: LivePoster, database: Database
) -> None:
    task_id = a_task(database)
    watching(database, task_id, "gone", "fails", "throttled", "good")
    gateway.answers = {"gone": [410], "fails": [500], "throttled": [429, 200]}
    poster.offer(message(task_id, 1))
    assert eventually(lambda: watchers(database, task_id) == ["fails", "good", "throttled"], seconds=5)
    poster.offer(message(task_id, 2))
    assert eventually(lambda: numbers(gateway, "good") == [1, 2], seconds=5)
    assert gateway.tries["gone"] == 1, "who is gone is not posted to again"
    assert gateway.tries["fails"] == 2
    assert numbers(gateway, "throttled") == [1, 2]


def test_who_comes_between_two_looks_gets_what_was_posted_since(
    gateway: Gateway, poster: LivePoster, database: Database
) -> None:
    task_id = a_task(database)
    watching(database, task_id, "early")
    poster.offer(message(task_id, 1))
    assert eventually(lambda: numbers(gateway, "early") == [1], seconds=5)
    watching(database, task_id, "late")
    poster.offer(message(task_id, 2))
    poster.offer(message(task_id, 3, TaskState.COMPLETED))
    assert eventually(lambda: numbers(gateway, "late") == [2, 3], seconds=5)
    assert numbers(gateway, "early") == [1, 2, 3]


def test_a_slow_gateway_costs_who_offers_nothing_and_only_the_newest_are_kept(
    gateway: Gateway, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stuck(Connections):
        def post(self, connection_id: str, text: str) -> Posted:  # noqa: ARG002
            time.sleep(0.2)
            return Posted.DELIVERED

    monkeypatch.setattr(live_poster, "CLOSE_SECONDS", 0.2)
    task_id = a_task(database)
    watching(database, task_id, "slow")
    poster = LivePoster(Stuck(gateway.endpoint), database.transaction, released=lambda: None)
    poster.start()
    started = time.monotonic()
    for seq in range(5000):
        poster.offer(message(task_id, seq))
    offered = time.monotonic() - started
    assert len(poster._waiting) <= live_poster.QUEUE_LIMIT
    poster.close()
    assert offered < 2
    assert time.monotonic() - started < offered + 1.5


def test_without_the_database_the_poster_goes_on_when_it_is_back(gateway: Gateway, database: Database) -> None:
    task_id = a_task(database)
    watching(database, task_id, "a=")
    away = True

    def transactions():  # type: ignore[no-untyped-def]  # as Database.transaction
        if away:
            raise DatabaseUnavailable("Postgres does not answer")
        return database.transaction()

    poster = LivePoster(Connections(gateway.endpoint), transactions, released=lambda: None)
    poster.start()
    poster.offer(message(task_id, 1))
    time.sleep(0.3)
    away = False
    assert eventually(lambda: numbers(gateway, "a=") == [1], seconds=5)
    poster.close()


def test_a_task_that_nobody_watches_is_looked_up_once_a_second_at_most(gateway: Gateway, database: Database) -> None:
    looks = 0

    def counted():  # type: ignore[no-untyped-def]  # as Database.transaction
        nonlocal looks
        looks += 1
        return database.transaction()

    poster = LivePoster(Connections(gateway.endpoint), counted, released=lambda: None)
    poster.start()
    task_id = uuid4()
    for seq in range(50):
        poster.offer(message(task_id, seq))
        time.sleep(0.01)
    poster.close()
    assert looks <= 2
