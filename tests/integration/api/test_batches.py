"""Runs by hand: whose trackings they check, who sees them, what they count."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from sqlalchemy import text

from nightjar.adapters.redis.task_queue import RedisTaskQueue
from nightjar.domain.kst import kst_day
from nightjar.tasks import Queue
from tests.factories import a_night
from tests.integration.api.callers import CallerClient, error_of
from tests.integration.api.conftest import Alone
from tests.integration.api.log_lines import lines_of

DEADLINE = text("SELECT deadline_at - started_at FROM batches")


def test_an_owner_runs_its_own_trackings_and_an_operator_everybodys(alone: Alone) -> None:
    first, second = (alone.operator.issues_a_key_to(name) for name in ("first", "second"))
    first.registers()
    second.registers()
    second.registers()
    totals = [caller.post("/api/v1/batches").json()["total"] for caller in (first, second, alone.operator)]
    assert totals == [1, 2, 3]


def test_a_run_is_published_and_shown_with_its_figures(alone: Alone, redis_url: str) -> None:
    alone.operator.registers()
    before = datetime.now(UTC)
    answer = alone.operator.post("/api/v1/batches")
    assert answer.status_code == 202
    batch = answer.json()
    assert {
        "kind": "manual",
        "total": 1,
        "success": 0,
        "failed": 0,
        "pending": 1,
        "failed_items": [],
        "finished_at": None,
    }.items() <= batch.items()
    assert kst_day(before) <= date.fromisoformat(batch["run_key"]) <= kst_day(datetime.now(UTC))
    queue = RedisTaskQueue(redis_url)
    assert queue.depth(Queue.NIGHTLY) == 1
    queue.close()
    shown = alone.operator.get(f"/api/v1/batches/{batch['id']}").json()
    assert shown["elapsed_seconds"] >= batch["elapsed_seconds"] >= 0
    assert shown | {"elapsed_seconds": 0} == batch | {"elapsed_seconds": 0}


def test_the_figures_of_a_run_follow_its_checks(alone: Alone) -> None:
    trackings = [alone.operator.registers()["id"] for _ in range(2)]
    batch = alone.operator.post("/api/v1/batches").json()
    with alone.database.transaction() as uow:
        tasks = uow.tasks.page(owner=None, kind=None, states=["pending"], before=None, limit=10)
        ours = sorted((task for task in tasks if task.batch_id == batch["id"]), key=lambda task: task.id)
        claims = [uow.tasks.claim(task.id, lease=timedelta(minutes=1)) for task in ours]
        assert claims[0] is not None
        uow.tasks.complete(claims[0], {})
        uow.rank_checks.settle(ours[0].id, succeeded=1, failed=0, reason=None)
        uow.rank_checks.settle(ours[1].id, succeeded=0, failed=1, reason="blocked: refused")
    shown = alone.operator.get("/api/v1/batches").json()["items"][0]
    assert (shown["success"], shown["failed"], shown["pending"]) == (1, 1, 0)
    assert shown["failed_items"][0]["reason"] == "blocked: refused"
    assert shown["failed_items"][0]["tracking_id"] in trackings


def test_a_run_over_nothing_is_over_at_once_and_announced(alone: Alone, log: StringIO) -> None:
    batch = alone.operator.post("/api/v1/batches", x_request_id="by-hand-1").json()
    shown = alone.operator.get(f"/api/v1/batches/{batch['id']}").json()
    assert (shown["total"], shown["pending"]) == (0, 0)
    assert shown["finished_at"] is not None
    assert len(lines_of(log, "batch_started")) == 1
    completed = lines_of(log, "batch_completed")
    assert [(line["batch_id"], line["total"], line["correlation_id"]) for line in completed] == [
        (batch["id"], 0, "by-hand-1")
    ]


def test_a_night_is_seen_by_operators_only_and_somebody_elses_run_by_nobody(alone: Alone) -> None:
    owner, stranger = (alone.operator.issues_a_key_to(name) for name in ("owner", "stranger"))
    owner.registers()
    night = a_night(alone.database).batch_id
    mine = owner.post("/api/v1/batches").json()["id"]
    assert [item["id"] for item in owner.get("/api/v1/batches").json()["items"]] == [mine]
    assert [item["id"] for item in alone.operator.get("/api/v1/batches").json()["items"]] == [mine, night]
    for caller, batch in ((owner, night), (stranger, mine), (stranger, night)):
        answer = caller.get(f"/api/v1/batches/{batch}")
        assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found")
    assert alone.operator.get(f"/api/v1/batches/{night}").json()["kind"] == "nightly"


def test_a_check_of_a_run_is_not_cancelled_singly(owner: CallerClient) -> None:
    owner.registers()
    owner.post("/api/v1/batches")
    tasks = owner.get("/api/v1/tasks", state="pending").json()["items"]
    answer = owner.delete(f"/api/v1/tasks/{tasks[0]['task_id']}")
    assert answer.status_code == 409
    assert "batch" in str(error_of(answer)["message"])


def test_a_longer_time_out_moves_the_deadline_of_a_run(alone: Alone) -> None:
    alone.operator.registers()
    alone.operator.post("/api/v1/batches", {"options": {"timeout": 7200}})
    with alone.database.transaction() as uow:
        deadline = uow.connection.execute(DEADLINE).scalar_one()
    assert timedelta(hours=2) <= deadline < timedelta(hours=2, minutes=1)


@pytest.mark.parametrize("body", [{"options": {"timeout": -1}}, {"owner": "shop"}, [], {"options": []}])
def test_a_body_with_something_wrong_is_a_422(owner: CallerClient, body: object) -> None:
    assert owner.post("/api/v1/batches", body).status_code == 422


@pytest.mark.parametrize("batch_id", ["0", "x", "9223372036854775808"])
def test_an_id_that_cannot_be_one_is_a_422(owner: CallerClient, batch_id: str) -> None:
    assert owner.get(f"/api/v1/batches/{batch_id}").status_code == 422
