"""POST /api/v1/trackings: what is accepted, what is refused and how, and what it starts."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from functions.api.factory import create_app
from nightjar.adapters.redis.task_queue import RedisTaskQueue
from nightjar.domain.kst import kst_day
from nightjar.tasks import Queue
from nightjar.wiring import Api, build_api
from tests.integration.api.callers import CallerClient, Client, a_registration, client_of, error_of
from tests.integration.api.conftest import Alone


def test_a_registered_tracking_is_shown_in_one_spelling(owner: CallerClient) -> None:
    body = {
        "rank_type": "place",
        "keyword": "  강남   파스타 ",
        "target_url": "https://pcmap.place.naver.com/restaurant/1234567890/review?entry=pll",
        "location": {"x": 127.027_619_94, "y": 37.5},
    }
    answer = owner.post("/api/v1/trackings", body)
    assert answer.status_code == 201
    shown = answer.json()
    assert {
        "status": "active",
        "rank_type": "place",
        "keyword": "강남 파스타",
        "target_url": "https://m.place.naver.com/place/1234567890/home",
        "vertical": "restaurant",
        "location": {"x": 127.0276199, "y": 37.5},
        "device": "mobile",
        "current_session": 1,
        "last": None,
    }.items() <= shown.items()
    assert owner.get(f"/api/v1/trackings/{shown['id']}").json() == {
        name: value for name, value in shown.items() if name != "task_id"
    }


@pytest.mark.parametrize(
    ("rank_type", "target_url", "device"),
    [
        ("place", "https://map.naver.com/p/entry/place/1234567890", "mobile"),
        ("blog", "https://blog.naver.com/nj_lantern01/223400000101", "pc"),
        ("cafe", "https://cafe.naver.com/njcafetable/1200101", "pc"),
    ],
)
def test_the_device_follows_from_the_rank_type_unless_it_is_given(
    owner: CallerClient, rank_type: str, target_url: str, device: str
) -> None:
    body = a_registration(rank_type=rank_type, target_url=target_url)
    other = "pc" if device == "mobile" else "mobile"
    assert owner.registers(**body)["device"] == device
    assert owner.registers(**body | {"device": other})["device"] == other


def test_registering_starts_a_check_of_today_on_the_interactive_queue(alone: Alone, redis_url: str) -> None:
    before = kst_day(datetime.now(UTC))
    shown = alone.operator.registers()
    task_id = UUID(str(shown["task_id"]))
    with alone.database.transaction() as uow:
        check = uow.rank_checks.get(task_id)
    assert check is not None
    assert before <= check.checked_on <= kst_day(datetime.now(UTC))
    assert [tracking_id for tracking_id, _ in check.trackings] == [shown["id"]]
    queue = RedisTaskQueue(redis_url)
    assert queue.waiting_ids(Queue.INTERACTIVE) == {task_id}
    queue.close()
    assert alone.operator.get(f"/api/v1/tasks/{task_id}").json()["status"] == "pending"


def test_a_time_out_given_by_the_client_is_stored_with_the_task(owner: CallerClient, api: Api) -> None:
    shown = owner.registers(options={"timeout": 45})
    with api.database.transaction() as uow:
        claim = uow.tasks.claim(UUID(str(shown["task_id"])), lease=timedelta(seconds=1))
    assert claim is not None
    assert claim.timeout_seconds == 45


def test_the_same_tracking_again_is_a_409_with_its_id(owner: CallerClient, stranger: CallerClient) -> None:
    body = a_registration()
    first = owner.registers(**body)
    spelled_otherwise = body | {"keyword": f" {body['keyword']}  ", "target_url": f"{body['target_url']}?entry=pll"}
    again = owner.post("/api/v1/trackings", spelled_otherwise)
    assert again.status_code == 409
    error = error_of(again)
    assert (error["code"], error["details"]) == ("conflict", {"id": first["id"]})
    assert owner.post("/api/v1/trackings", body | {"device": "pc"}).status_code == 201
    assert owner.post("/api/v1/trackings", body | {"location": {"x": 127, "y": 37}}).status_code == 201
    assert stranger.post("/api/v1/trackings", body).status_code == 201


def test_a_cafe_given_by_number_is_stored_by_name_once_the_name_is_known(owner: CallerClient, api: Api) -> None:
    with api.database.transaction() as uow:
        uow.cafes.learn({"njknowncafe": "10009999"})
    shown = owner.registers(rank_type="cafe", target_url="https://cafe.naver.com/ca-fe/cafes/10009999/articles/7")
    assert shown["target_url"] == "https://cafe.naver.com/njknowncafe/7"


@pytest.mark.parametrize(
    ("rank_type", "code", "target_url"),
    [
        ("place", "place1", "https://m.place.naver.com/place/9900000101/home"),
        ("place", "twohops", "https://m.place.naver.com/place/9900000101/home"),
        ("place", "interstitial", "https://m.place.naver.com/place/9900000201/home"),
        ("blog", "blog1", "https://blog.naver.com/nj_lantern01/223400000101"),
        ("cafe", "cafe1", "https://cafe.naver.com/njcafetable/1200101"),
    ],
)
def test_a_short_link_is_followed(owner: CallerClient, rank_type: str, code: str, target_url: str) -> None:
    shown = owner.registers(rank_type=rank_type, target_url=f"https://naver.me/{code}")
    assert shown["target_url"] == target_url


@pytest.mark.parametrize(
    ("code", "said"), [("elsewhere", "elsewhere than Naver"), ("loop", "circle"), ("missing", "no short link")]
)
def test_a_short_link_that_leads_nowhere_of_ours_is_refused(owner: CallerClient, code: str, said: str) -> None:
    answer = owner.post("/api/v1/trackings", a_registration(target_url=f"https://naver.me/{code}"))
    assert answer.status_code == 422
    assert said in str(error_of(answer)["message"])


def test_a_short_link_to_another_kind_of_target_is_refused(owner: CallerClient) -> None:
    answer = owner.post("/api/v1/trackings", a_registration(target_url="https://naver.me/blog1"))
    assert answer.status_code == 422
    assert "cannot be tracked as place" in str(error_of(answer)["message"])


def test_a_short_host_that_does_not_answer_is_a_503_that_asks_to_try_again(alone: Alone) -> None:
    answer = alone.operator.post("/api/v1/trackings", a_registration(target_url="https://naver.me/place1"))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert error_of(answer)["code"] == "upstream_unavailable"
    assert alone.operator.get("/api/v1/trackings").json()["items"] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"target_url": "https://example.com/restaurant/1234567890"}, "Accepted for place"),
        ({"target_url": "https://blog.naver.com.evil.example/a/1"}, "Accepted for place"),
        ({"target_url": "javascript:alert(1)"}, "Accepted for place"),
        ({"target_url": ""}, "Accepted for place"),
        ({"target_url": "x" * 5000}, "2048"),
        ({"target_url": "https://map.naver.com/p/search/강남%20파스타"}, "names no place"),
        ({"target_url": "https://blog.naver.com/nj_lantern01/223400000101"}, "cannot be tracked as place"),
        ({"target_url": None}, "target_url"),
        ({"keyword": "   "}, "keyword must not be blank"),
        ({"keyword": "a\x00b"}, "control characters"),
        ({"keyword": "half a character: \ud800"}, "control characters"),
        ({"target_url": "1234567890\udfff"}, "characters that no link has"),
        ({"keyword": "가" * 201}, "at most 200"),
        ({"keyword": 5}, "keyword must be a valid string"),
        ({"keyword": ["강남"]}, "keyword must be a valid string"),
        ({"rank_type": "map"}, "'place', 'blog' or 'cafe'"),
        ({"rank_type": None}, "'place', 'blog' or 'cafe'"),
        ({"device": "tablet"}, "'pc' or 'mobile'"),
        ({"location": {"x": 127.0}}, "location.y is missing"),
        ({"location": {"x": 37.5, "y": 127.0}}, "latitude between -90 and 90"),
        ({"location": {"x": 181, "y": 37.5}}, "longitude between -180 and 180"),
        ({"location": {"x": "127", "y": 37.5}}, "location.x must be a valid number"),
        ({"location": {"x": True, "y": 37.5}}, "location.x must be a valid number"),
        ({"location": {"x": float("nan"), "y": 37.5}}, "location.x must be a finite number"),
        ({"location": {"x": 1, "y": float("-inf")}}, "location.y must be a finite number"),
        ({"location": {"x": 1, "y": 2, "z": 3}}, "location.z is not a known field"),
        ({"location": [127, 37]}, "location must be a JSON object"),
        ({"options": {"timeout": 0}}, "options.timeout"),
        ({"options": {"timeout": "60"}}, "options.timeout"),
        ({"options": {"time_out": 60}}, "options.time_out is not a known field"),
        ({"target": "x"}, "target is not a known field"),
    ],
)
def test_a_body_with_something_wrong_is_a_422_that_says_what_is_accepted(
    owner: CallerClient, change: dict[str, object], said: str
) -> None:
    body = json.dumps(a_registration() | change).encode()
    answer = owner.send("POST", "/api/v1/trackings", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422, answer.text
    error = error_of(answer)
    assert error["code"] == "invalid"
    assert said in str(error["message"])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"nonsense",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe{}",
        b"[" * 50_000,
        b'{"keyword": ' + b"9" * 5000 + b"}",
    ],
)
def test_a_body_that_is_no_json_object_is_a_422_with_the_fields_that_are_accepted(
    owner: CallerClient, content: bytes
) -> None:
    answer = owner.send("POST", "/api/v1/trackings", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 422, answer.text
    message = str(error_of(answer)["message"])
    assert "{rank_type, keyword, target_url, location? {x, y}, device?, options? {timeout?}}" in message


@pytest.mark.parametrize("headers", [{}, {"content-type": "application/x-www-form-urlencoded"}])
def test_json_that_is_not_called_json_is_refused_with_what_to_send(
    owner: CallerClient, headers: dict[str, str]
) -> None:
    body = json.dumps(a_registration()).encode()
    answer = owner.send("POST", "/api/v1/trackings", content=body, headers=headers)
    assert answer.status_code == 422
    assert "Content-Type: application/json" in str(error_of(answer)["message"])


@pytest.mark.parametrize(
    ("rank_type", "target_url", "setting"),
    [
        ("place", "https://map.naver.com/p/entry/place/1234567890", "NAVER_PLACE_SOURCE"),
        ("blog", "https://blog.naver.com/nj_lantern01/223400000101", "NAVER_BLOG_SOURCE"),
        ("cafe", "https://cafe.naver.com/njcafetable/1200101", "NAVER_CAFE_SOURCE"),
    ],
)
def test_a_source_that_is_off_is_a_422_that_names_the_setting(
    environment: dict[str, str], owner: CallerClient, rank_type: str, target_url: str, setting: str
) -> None:
    off = {name: value for name, value in environment.items() if not name.endswith("_SOURCE")}
    api = build_api(off)
    with client_of(create_app(api)) as client:
        answer = CallerClient(client, owner.key).post(
            "/api/v1/trackings", a_registration(rank_type=rank_type, target_url=target_url)
        )
    assert answer.status_code == 422
    error = error_of(answer)
    assert error["code"] == "source_off"
    assert setting in str(error["message"])


def test_without_a_key_nothing_is_registered(client: Client) -> None:
    assert client.post("/api/v1/trackings", json=a_registration()).status_code == 401


def test_the_task_carries_the_request_id_of_the_request(owner: CallerClient, api: Api) -> None:
    answer = owner.post("/api/v1/trackings", a_registration(), x_request_id="night-42")
    assert answer.headers["x-request-id"] == "night-42"
    with api.database.transaction() as uow:
        claim = uow.tasks.claim(UUID(answer.json()["task_id"]), lease=timedelta(seconds=1))
    assert claim is not None
    assert claim.correlation_id == "night-42"
