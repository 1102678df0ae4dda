"""Trackings: seen by their owner, stopped, resumed, checked; their newest day and their history."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from uuid import UUID

import pytest

from nightjar.domain.rank import RankResult
from nightjar.wiring import Api
from tests.factories import exposed, not_exposed, unknown
from tests.integration.api.callers import CallerClient, error_of

MONDAY = date(2026, 3, 2)


def store(api: Api, result: RankResult, day: date) -> None:
    with api.database.transaction() as uow:
        uow.rank_history.save([result], checked_on=day, source="page", batch_id=None)


def id_of(tracking: dict[str, object]) -> int:
    return int(str(tracking["id"]))


def test_another_owners_tracking_is_a_404_for_everything(owner: CallerClient, stranger: CallerClient) -> None:
    path = f"/api/v1/trackings/{owner.registers()['id']}"
    answers = [
        stranger.get(path),
        stranger.patch(path, {"status": "stopped"}),
        stranger.delete(path),
        stranger.get(f"{path}/history"),
        stranger.get(f"{path}/history", format="csv"),
        stranger.post(f"{path}/check"),
    ]
    assert [(answer.status_code, error_of(answer)["code"]) for answer in answers] == [(404, "not_found")] * 6
    assert owner.get(path).json()["status"] == "active"
    assert stranger.get("/api/v1/trackings").json()["items"] == []


def test_an_operator_sees_everybodys_trackings(owner: CallerClient, operator: CallerClient) -> None:
    tracking = owner.registers()
    shown = operator.get(f"/api/v1/trackings/{tracking['id']}")
    assert shown.status_code == 200
    assert str(shown.json()["owner"]).startswith("shop")


@pytest.mark.parametrize("tracking_id", ["0", "-1", "x", "9223372036854775808", "1.5", "%00", "9" * 5000])
def test_an_id_that_cannot_be_one_is_a_422(owner: CallerClient, tracking_id: str) -> None:
    answer = owner.get(f"/api/v1/trackings/{tracking_id}")
    assert answer.status_code == 422
    assert "tracking_id" in str(error_of(answer)["message"])


def test_an_id_that_nobody_has_is_a_404(owner: CallerClient) -> None:
    assert owner.get("/api/v1/trackings/9223372036854775807").status_code == 404


def test_a_deleted_tracking_is_stopped_and_keeps_its_history(owner: CallerClient, api: Api) -> None:
    tracking_id = id_of(owner.registers())
    store(api, exposed(tracking_id, rank=7), MONDAY)
    assert owner.delete(f"/api/v1/trackings/{tracking_id}").status_code == 204
    assert owner.delete(f"/api/v1/trackings/{tracking_id}").status_code == 204
    shown = owner.get(f"/api/v1/trackings/{tracking_id}").json()
    assert (shown["status"], shown["last"]["rank"]) == ("stopped", 7)
    assert len(owner.get(f"/api/v1/trackings/{tracking_id}/history").json()["items"]) == 1


def test_a_tracking_is_stopped_and_resumed(owner: CallerClient) -> None:
    path = f"/api/v1/trackings/{owner.registers()['id']}"
    assert owner.patch(path, {"status": "stopped"}).json()["status"] == "stopped"
    assert owner.patch(path, {"status": "active"}).json()["status"] == "active"
    assert owner.patch(path, {"status": "active"}).status_code == 200


def test_a_stopped_tracking_is_not_resumed_beside_an_equal_active_one(owner: CallerClient) -> None:
    first = owner.registers()
    body = {name: first[name] for name in ("rank_type", "keyword", "device")}
    body["target_url"] = str(first["target_url"]).replace("/place/", "/restaurant/")
    owner.delete(f"/api/v1/trackings/{first['id']}")
    second = owner.registers(**body)
    refused = owner.patch(f"/api/v1/trackings/{first['id']}", {"status": "active"})
    assert refused.status_code == 409
    owner.delete(f"/api/v1/trackings/{second['id']}")
    assert owner.patch(f"/api/v1/trackings/{first['id']}", {"status": "active"}).status_code == 200


def test_resuming_and_registering_the_same_at_one_moment_leaves_one_active(owner: CallerClient) -> None:
    for _ in range(5):
        first = owner.registers()
        body = {name: first[name] for name in ("rank_type", "keyword", "device")}
        body["target_url"] = str(first["target_url"]).replace("/place/", "/restaurant/")
        path = f"/api/v1/trackings/{first['id']}"
        owner.delete(path)
        with ThreadPoolExecutor() as pool:
            resumed = pool.submit(owner.patch, path, {"status": "active"})
            registered = pool.submit(owner.post, "/api/v1/trackings", body)
        statuses = (resumed.result().status_code, registered.result().status_code)
        assert statuses in {(200, 409), (409, 201)}
        found = owner.get("/api/v1/trackings", keyword=first["keyword"], status="active").json()["items"]
        assert len(found) == 1


@pytest.mark.parametrize("body", [{}, {"status": "paused"}, {"status": None}, {"status": "active", "x": 1}, []])
def test_a_change_that_is_none_is_a_422(owner: CallerClient, body: object) -> None:
    assert owner.patch(f"/api/v1/trackings/{owner.registers()['id']}", body).status_code == 422


def test_the_newest_day_is_shown_and_an_unknown_one_leaves_the_last_known_rank(owner: CallerClient, api: Api) -> None:
    tracking_id = id_of(owner.registers())
    store(api, exposed(tracking_id, rank=4), MONDAY)
    last = owner.get(f"/api/v1/trackings/{tracking_id}").json()["last"]
    assert (last["checked_on"], last["outcome"], last["rank"], last["known_rank"]) == ("2026-03-02", "exposed", 4, 4)
    store(api, unknown(tracking_id, "blocked: refused"), MONDAY + timedelta(days=1))
    last = owner.get("/api/v1/trackings").json()["items"][0]["last"]
    assert {
        "checked_on": "2026-03-03",
        "outcome": "unknown",
        "rank": None,
        "reason": "blocked: refused",
        "known_on": "2026-03-02",
        "known_rank": 4,
        "session_number": 1,
        "source": "page",
    }.items() <= last.items()
    store(api, not_exposed(tracking_id), MONDAY + timedelta(days=2))
    last = owner.get(f"/api/v1/trackings/{tracking_id}").json()["last"]
    assert (last["outcome"], last["rank"], last["known_rank"]) == ("not_exposed", None, None)


def test_history_has_a_row_per_day_newest_first(owner: CallerClient, api: Api) -> None:
    tracking_id = id_of(owner.registers())
    results = (exposed(tracking_id, 3), not_exposed(tracking_id), unknown(tracking_id, "timeout: no answer"))
    for number, result in enumerate(results):
        store(api, result, MONDAY + timedelta(days=number))
    rows = owner.get(f"/api/v1/trackings/{tracking_id}/history").json()["items"]
    shown = [(row["checked_on"], row["outcome"], row["rank"], row["checked_count"], row["reason"]) for row in rows]
    assert shown == [
        ("2026-03-04", "unknown", None, None, "timeout: no answer"),
        ("2026-03-03", "not_exposed", None, 100, None),
        ("2026-03-02", "exposed", 3, 100, None),
    ]
    assert set(rows[0]) == {
        *("checked_on", "checked_at", "outcome", "rank", "session_number", "checked_count", "source", "reason")
    }


def test_a_check_by_hand_is_a_task_of_the_trackings_owner(owner: CallerClient, operator: CallerClient) -> None:
    tracking = owner.registers()
    answer = operator.post(f"/api/v1/trackings/{tracking['id']}/check")
    assert answer.status_code == 202
    task = answer.json()
    assert (task["kind"], task["status"]) == ("rank_check", "pending")
    assert owner.get(f"/api/v1/tasks/{task['task_id']}").status_code == 200


def test_a_check_by_hand_takes_a_time_out(owner: CallerClient, api: Api) -> None:
    answer = owner.post(f"/api/v1/trackings/{owner.registers()['id']}/check", {"options": {"timeout": 30}})
    with api.database.transaction() as uow:
        claim = uow.tasks.claim(UUID(answer.json()["task_id"]), lease=timedelta(seconds=1))
    assert claim is not None
    assert claim.timeout_seconds == 30


def test_a_stopped_tracking_is_not_checked(owner: CallerClient) -> None:
    path = f"/api/v1/trackings/{owner.registers()['id']}"
    owner.delete(path)
    answer = owner.post(f"{path}/check")
    assert answer.status_code == 409
    assert "active" in str(error_of(answer)["message"])


def test_trackings_are_found_by_status_type_and_keyword_however_it_is_spelled(owner: CallerClient) -> None:
    place = owner.registers(keyword="을지로 카페")
    blog = owner.registers(
        rank_type="blog", keyword="을지로 카페", target_url="https://blog.naver.com/nj_lantern01/223400000101"
    )
    stopped = owner.registers()
    owner.delete(f"/api/v1/trackings/{stopped['id']}")

    def found(**filters: str) -> list[object]:
        return [item["id"] for item in owner.get("/api/v1/trackings", **filters).json()["items"]]

    assert found(keyword=" 을지로   카페 ") == [blog["id"], place["id"]]
    assert found(rank_type="place", status="active") == [place["id"]]
    assert found(status="stopped") == [stopped["id"]]
    assert found(keyword="을지로카페") == []


@pytest.mark.parametrize(
    "filters",
    [{"status": "gone"}, {"rank_type": "map"}, {"keyword": ""}, {"keyword": "\x00"}, {"format": "xml"}, {"limit": "x"}],
)
def test_a_filter_that_means_nothing_is_a_422(owner: CallerClient, filters: dict[str, str]) -> None:
    answer = owner.get("/api/v1/trackings", **filters)
    assert answer.status_code == 422
    assert next(iter(filters)) in str(error_of(answer)["message"])
