"""The zips at work: in Lambda's own runtime, on a real Postgres and a real Redis."""

import json
from datetime import UTC, date, datetime

import pytest

from infra.local.events import http_event, nightly_event, scheduled_event
from infra.local.lambda_runtime import LambdaError
from nightjar.tasks import Queue
from tests.packaging.built import Built, Store
from tests.packaging.conftest import Runtimes
from tests.packaging.test_zips import FORBIDDEN

DAY = date(2026, 3, 2)
KEY = "nj_operator_key_of_this_test_only_0123456789"


def lines_of(log: str) -> list[dict[str, object]]:
    """The function's own lines; each has to be one JSON object. The emulator's are told by their beginnings."""
    of_emulator = ("START RequestId", "END RequestId", "REPORT RequestId", "INIT_", "EXTENSION", "XRAY")
    own = [line for line in log.splitlines() if line.strip() and not line.startswith(of_emulator)]
    return [json.loads(line) for line in own if not _is_emulators(line)]


def _is_emulators(line: str) -> bool:
    """`24 Nov 2026 10:00:00,000 [INFO] (rapid) ...`."""
    return " (rapid) " in line


def metrics_of(log: str) -> list[dict[str, object]]:
    return [line for line in lines_of(log) if "_aws" in line]


def follow_three_posts_in_two_searches(store: Store) -> None:
    store.follow("rice cake", "baker/1")
    store.follow("rice cake", "baker/2")
    store.follow("tea", "brewer/3")


def test_a_night_is_planned_and_published_once_however_often_its_event_comes(runtimes: Runtimes, store: Store) -> None:
    follow_three_posts_in_two_searches(store)
    event = nightly_event(DAY)
    function = runtimes.start("nightly_fanout")

    first = function.invoke(event)
    assert first == {
        "batch_id": 1, "run_key": DAY.isoformat(), "new": True, "total": 3, "checks": 2, "published": 2
    }  # fmt: skip
    sent = store.messages(Queue.NIGHTLY)
    assert len(sent) == store.count("rank_checks") == store.count("tasks") == 2

    second = function.invoke(event)
    assert second == {
        "batch_id": 1, "run_key": DAY.isoformat(), "new": False, "total": 0, "checks": 0, "published": 0
    }  # fmt: skip
    assert store.messages(Queue.NIGHTLY) == sent
    assert store.count("batches") == 1
    assert store.count("tasks") == 2


def test_a_night_is_told_in_json_lines_and_in_metrics(runtimes: Runtimes, store: Store) -> None:
    follow_three_posts_in_two_searches(store)
    function = runtimes.start("nightly_fanout")
    function.invoke(nightly_event(DAY, event_id="the-event"))

    lines = lines_of(function.log)
    started = next(line for line in lines if line.get("message") == "batch_started")
    assert started["correlation_id"] == "the-event"
    assert started["service"] == "nightly_fanout"
    [night, cold_start] = sorted(metrics_of(function.log), key=lambda line: "ColdStart" in line)
    assert cold_start["ColdStart"] == [1.0]
    expected = {"Deliveries": [1.0], "TrackingsPlanned": [3.0], "ChecksPlanned": [2.0], "ChecksPublished": [2.0]}
    assert {name: night[name] for name in expected} == expected
    assert night["service"] == "nightly_fanout"


def test_what_redis_lost_is_published_again_by_the_janitor(runtimes: Runtimes, store: Store) -> None:
    follow_three_posts_in_two_searches(store)
    runtimes.start("nightly_fanout").invoke(nightly_event(DAY))
    planned = store.messages(Queue.NIGHTLY)
    janitor = runtimes.start("janitor")
    janitor.invoke(scheduled_event(datetime.now(UTC)))
    assert store.messages(Queue.NIGHTLY) == planned, "nothing was lost, so nothing is added"

    store.lose_messages()
    answer = janitor.invoke(scheduled_event(datetime.now(UTC)))

    assert answer == {"returned": 0, "given_up": 0, "closed": [], "published": 2, "lost": 2}
    assert set(store.messages(Queue.NIGHTLY)) == set(planned)


def test_a_round_is_told_in_json_lines_and_in_metrics_of_every_queue(runtimes: Runtimes, store: Store) -> None:
    follow_three_posts_in_two_searches(store)
    runtimes.start("nightly_fanout").invoke(nightly_event(DAY))
    store.lose_messages()
    janitor = runtimes.start("janitor")
    janitor.invoke(scheduled_event(datetime.now(UTC)))

    measured = metrics_of(janitor.log)
    queues = {line["queue"]: line for line in measured if "queue" in line}
    assert set(queues) == {str(queue) for queue in Queue}
    nightly = queues["nightly"]
    assert (nightly["QueueDepth"], nightly["Lost"], nightly["Published"]) == ([2.0], [2.0], [2.0])
    assert isinstance(nightly["OldestWaitingSeconds"], list)
    assert nightly["OldestWaitingSeconds"][0] > 0
    assert "Lost" not in queues["stores"]
    assert [line["Rounds"] for line in measured if "Rounds" in line] == [[1.0]]
    assert all(line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Nightjar" for line in measured)  # type: ignore[index]


def test_the_first_event_loads_nothing_that_the_function_does_not_need(builds: dict[str, Built], store: Store) -> None:
    store.follow("tea", "brewer/3")
    night = builds["nightly_fanout"].call(nightly_event(DAY), store.settings)
    assert night.answer["published"] == 1
    assert night.imported(*FORBIDDEN["nightly_fanout"]) == set()

    janitor = builds["janitor"].call(scheduled_event(datetime.now(UTC)), store.settings)
    assert janitor.answer["published"] == 0
    assert janitor.imported(*FORBIDDEN["janitor"]) == set()


def test_the_api_registers_a_tracking_and_queues_its_first_check(runtimes: Runtimes, store: Store) -> None:
    api = runtimes.start("api", NIGHTJAR_BOOTSTRAP_API_KEY=KEY)
    answer = api.invoke(
        http_event(
            "POST",
            "/api/v1/trackings",
            headers={"authorization": f"Bearer {KEY}", "content-type": "application/json", "x-request-id": "me-1"},
            body=json.dumps(
                {"rank_type": "blog", "keyword": "tea", "target_url": "https://blog.naver.com/brewer/223000000003"}
            ),
        )
    )
    assert isinstance(answer, dict)
    assert answer["statusCode"] == 201, answer
    assert store.messages(Queue.INTERACTIVE) == [json.loads(answer["body"])["task_id"]]
    assert store.count("trackings") == 1
    assert "me-1" in {line.get("correlation_id") for line in lines_of(api.log)}
    assert KEY not in api.log


def test_a_round_that_fails_is_counted_and_says_why_in_one_json_line(runtimes: Runtimes) -> None:
    janitor = runtimes.start("janitor", DATABASE_URL="postgresql+pg8000://nobody@127.0.0.1:1/none")
    with pytest.raises(LambdaError, match="does not answer"):
        janitor.invoke(scheduled_event(datetime.now(UTC)))
    [measured] = metrics_of(janitor.log)
    assert measured["Rounds"] == [1.0]
    [failure] = [line for line in lines_of(janitor.log) if line.get("level") == "ERROR"]
    assert failure["errorType"] == "DatabaseUnavailable"
