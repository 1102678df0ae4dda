"""Tasks: followed, cancelled, tried again."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from nightjar.domain.kst import kst_day
from nightjar.domain.task import Claim
from nightjar.errors import ErrorCode
from nightjar.wiring import Api
from tests.integration.api.callers import CallerClient, error_of

LONG_AGO = text("UPDATE rank_checks SET checked_on = :day WHERE task_id = :task_id")

FIELDS = {
    *("task_id", "kind", "status", "step", "progress", "total", "message", "attempt", "created_at", "started_at"),
    *("finished_at", "result", "error", "retry_of"),
}


def claimed(api: Api, task_id: object) -> Claim:
    with api.database.transaction() as uow:
        claim = uow.tasks.claim(UUID(str(task_id)), lease=timedelta(minutes=1))
    assert claim is not None
    return claim


def completed(api: Api, task_id: object) -> None:
    claim = claimed(api, task_id)
    with api.database.transaction() as uow:
        uow.tasks.complete(claim, {"outcomes": {"exposed": 1}})


def test_a_task_is_followed_from_waiting_to_its_result(owner: CallerClient, api: Api) -> None:
    task_id = owner.registers()["task_id"]
    path = f"/api/v1/tasks/{task_id}"
    waiting = owner.get(path).json()
    assert set(waiting) == FIELDS
    assert (waiting["kind"], waiting["status"], waiting["attempt"]) == ("rank_check", "pending", 0)
    assert owner.get(f"{path}/result").status_code == 202
    claim = claimed(api, task_id)
    assert owner.get(path).json()["status"] == "in_progress"
    assert owner.get(f"{path}/result").status_code == 202
    with api.database.transaction() as uow:
        uow.tasks.complete(claim, {"outcomes": {"exposed": 1}})
    result = owner.get(f"{path}/result")
    assert result.status_code == 200
    assert (result.json()["status"], result.json()["result"]) == ("completed", {"outcomes": {"exposed": 1}})


def test_a_failed_task_says_why_in_its_result(owner: CallerClient, api: Api) -> None:
    task_id = owner.registers()["task_id"]
    claim = claimed(api, task_id)
    with api.database.transaction() as uow:
        uow.tasks.fail(claim, ErrorCode.TIMEOUT, "the list did not arrive", retryable=True)
    result = owner.get(f"/api/v1/tasks/{task_id}/result")
    assert result.status_code == 200
    assert result.json()["status"] == "failed"
    assert result.json()["error"] == {"code": "timeout", "message": "the list did not arrive", "retryable": True}


def test_a_waiting_task_is_cancelled_at_once_and_never_claimed(owner: CallerClient, api: Api) -> None:
    task_id = owner.registers()["task_id"]
    answer = owner.delete(f"/api/v1/tasks/{task_id}")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    with api.database.transaction() as uow:
        assert uow.tasks.claim(UUID(str(task_id)), lease=timedelta(minutes=1)) is None
    assert owner.get(f"/api/v1/tasks/{task_id}/result").status_code == 200


def test_a_running_task_is_asked_to_stop(owner: CallerClient, api: Api) -> None:
    task_id = owner.registers()["task_id"]
    claim = claimed(api, task_id)
    answer = owner.delete(f"/api/v1/tasks/{task_id}")
    assert (answer.status_code, answer.json()["status"]) == (202, "in_progress")
    assert owner.delete(f"/api/v1/tasks/{task_id}").status_code == 202
    with api.database.transaction() as uow:
        assert uow.tasks.renew(claim, lease=timedelta(minutes=1))
        uow.tasks.cancel(claim)
    assert owner.get(f"/api/v1/tasks/{task_id}").json()["status"] == "cancelled"


def test_an_ended_task_is_not_cancelled(owner: CallerClient, api: Api) -> None:
    task_id = owner.registers()["task_id"]
    completed(api, task_id)
    answer = owner.delete(f"/api/v1/tasks/{task_id}")
    assert answer.status_code == 409
    assert "completed" in str(error_of(answer)["message"])
    assert owner.get(f"/api/v1/tasks/{task_id}").json()["status"] == "completed"


def test_a_retry_is_a_new_task_for_today(owner: CallerClient, api: Api) -> None:
    tracking = owner.registers()
    with api.database.transaction() as uow:
        uow.connection.execute(LONG_AGO, {"task_id": UUID(str(tracking["task_id"])), "day": date(2026, 1, 5)})
    owner.delete(f"/api/v1/tasks/{tracking['task_id']}")
    before = kst_day(datetime.now(UTC))
    answer = owner.post(f"/api/v1/tasks/{tracking['task_id']}/retry")
    assert answer.status_code == 202
    again = answer.json()
    assert (again["status"], again["retry_of"]) == ("pending", tracking["task_id"])
    with api.database.transaction() as uow:
        check = uow.rank_checks.get(UUID(again["task_id"]))
    assert check is not None
    assert [tracking_id for tracking_id, _ in check.trackings] == [tracking["id"]]
    assert before <= check.checked_on <= kst_day(datetime.now(UTC))
    assert owner.get(f"/api/v1/tasks/{tracking['task_id']}").json()["status"] == "cancelled"


def test_an_open_task_is_not_tried_again(owner: CallerClient) -> None:
    task_id = owner.registers()["task_id"]
    answer = owner.post(f"/api/v1/tasks/{task_id}/retry")
    assert answer.status_code == 409
    assert "pending" in str(error_of(answer)["message"])


def test_a_check_of_trackings_that_are_all_stopped_is_not_tried_again(owner: CallerClient) -> None:
    tracking = owner.registers()
    owner.delete(f"/api/v1/tasks/{tracking['task_id']}")
    owner.delete(f"/api/v1/trackings/{tracking['id']}")
    answer = owner.post(f"/api/v1/tasks/{tracking['task_id']}/retry")
    assert answer.status_code == 409
    assert "stopped" in str(error_of(answer)["message"])
    assert len(owner.get("/api/v1/tasks").json()["items"]) == 1


def test_somebody_elses_task_is_a_404_for_everything(owner: CallerClient, stranger: CallerClient) -> None:
    for task_id in (owner.registers()["task_id"], uuid4()):
        path = f"/api/v1/tasks/{task_id}"
        answers = [
            stranger.get(path),
            stranger.get(f"{path}/result"),
            stranger.delete(path),
            stranger.post(f"{path}/retry"),
        ]
        assert [(answer.status_code, error_of(answer)["code"]) for answer in answers] == [(404, "not_found")] * 4
    assert stranger.get("/api/v1/tasks").json()["items"] == []


def test_tasks_are_found_by_kind_and_state(owner: CallerClient, api: Api) -> None:
    waiting, running, ended = (owner.registers()["task_id"] for _ in range(3))
    claimed(api, running)
    completed(api, ended)

    def found(**filters: str) -> list[object]:
        return [item["task_id"] for item in owner.get("/api/v1/tasks", **filters).json()["items"]]

    assert found() == [ended, running, waiting]
    assert found(state="active") == [running, waiting]
    assert found(state="pending", kind="rank_check") == [waiting]
    assert found(state="completed") == [ended]
    assert found(kind="nightly_fanout") == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/api/v1/tasks?state=lost", "state"),
        ("/api/v1/tasks?kind=anything", "kind"),
        ("/api/v1/tasks/1", "task_id"),
        ("/api/v1/tasks/%00/result", "task_id"),
    ],
)
def test_a_filter_or_id_that_means_nothing_is_a_422(owner: CallerClient, path: str, said: str) -> None:
    answer = owner.get(path)
    assert answer.status_code == 422
    assert said in str(error_of(answer)["message"])
