"""Idempotency-Key: the same request twice, or at the same moment, does its work once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from httpx import Response

from tests.integration.api.callers import CallerClient, a_registration, error_of
from tests.integration.api.conftest import Alone

FILE = "rank_type,keyword,target_url\nblog,부산 여행,https://blog.naver.com/nj_lantern01/223400000101\n"


def tasks_of(caller: CallerClient) -> int:
    return len(caller.get("/api/v1/tasks", limit=200).json()["items"])


def test_the_same_registration_again_gets_the_same_answer(owner: CallerClient) -> None:
    body = a_registration()
    first = owner.post("/api/v1/trackings", body, idempotency_key="k-1")
    again = owner.post("/api/v1/trackings", body, idempotency_key="k-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert tasks_of(owner) == 1


def test_every_request_that_starts_work_does_so_once_for_a_key(owner: CallerClient) -> None:
    tracking = owner.registers()
    ended = owner.registers()["task_id"]
    owner.delete(f"/api/v1/tasks/{ended}")
    starts = {
        f"/api/v1/trackings/{tracking['id']}/check": 1,
        f"/api/v1/tasks/{ended}/retry": 1,
        "/api/v1/batches": 2,
    }
    for number, (path, started) in enumerate(starts.items()):
        before = tasks_of(owner)
        answers = [owner.post(path, {"options": {}}, idempotency_key=f"k-{number}") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [202] * 3
        assert answers[0].json() == answers[1].json() == answers[2].json()
        assert tasks_of(owner) == before + started


def test_the_same_import_again_gets_the_same_answer(owner: CallerClient) -> None:
    first, again = (owner.imports(FILE, idempotency_key="file-1") for _ in range(2))
    assert first.json() == again.json()
    assert [line["status"] for line in again.json()["items"]] == ["created"]
    assert [line["status"] for line in owner.imports(FILE).json()["items"]] == ["exists"]


def test_another_request_with_the_same_key_is_a_409(owner: CallerClient) -> None:
    first = owner.post("/api/v1/trackings", a_registration(), idempotency_key="k-1")
    others = [
        owner.post("/api/v1/trackings", a_registration(), idempotency_key="k-1"),
        owner.post(f"/api/v1/trackings/{first.json()['id']}/check", idempotency_key="k-1"),
        owner.post("/api/v1/batches", idempotency_key="k-1"),
        owner.imports(FILE, idempotency_key="k-1"),
    ]
    assert [(answer.status_code, error_of(answer)["code"]) for answer in others] == [(409, "conflict")] * 4
    assert tasks_of(owner) == 1


def test_a_key_belongs_to_its_owner(owner: CallerClient, stranger: CallerClient) -> None:
    body = a_registration()
    answers = [caller.post("/api/v1/trackings", body, idempotency_key="same") for caller in (owner, stranger)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] != answers[1].json()["id"]


def test_a_key_whose_request_failed_can_be_used_again(owner: CallerClient) -> None:
    body = a_registration()
    existing = owner.registers(**body)
    assert owner.post("/api/v1/trackings", body, idempotency_key="k-1").status_code == 409
    owner.delete(f"/api/v1/trackings/{existing['id']}")
    assert owner.post("/api/v1/trackings", body, idempotency_key="k-1").status_code == 201


def test_many_at_the_same_moment_do_the_work_once(owner: CallerClient) -> None:
    for attempt in range(3):
        body = a_registration()

        def register(_number: int, body: dict[str, object] = body, key: str = f"at-once-{attempt}") -> Response:
            return owner.post("/api/v1/trackings", body, idempotency_key=key)

        before = tasks_of(owner)
        with ThreadPoolExecutor(max_workers=6) as pool:
            answers = list(pool.map(register, range(6)))
        assert [answer.status_code for answer in answers] == [201] * 6
        assert len({answer.json()["task_id"] for answer in answers}) == 1
        assert tasks_of(owner) == before + 1


def test_without_a_key_many_at_the_same_moment_register_once_and_the_rest_are_told(owner: CallerClient) -> None:
    body = a_registration()
    with ThreadPoolExecutor(max_workers=6) as pool:
        answers = list(pool.map(lambda _: owner.post("/api/v1/trackings", body), range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 5]
    assert tasks_of(owner) == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 201, "\xe9"])
def test_a_key_that_is_none_is_a_422(owner: CallerClient, key: str) -> None:
    answer = owner.send(
        "POST",
        "/api/v1/trackings",
        json=a_registration(),
        headers={"idempotency-key": key.encode("latin-1")},  # type: ignore[dict-item]  # bytes as they are sent
    )
    assert answer.status_code == 422
    assert "Idempotency-Key" in str(error_of(answer)["message"])


def test_old_answers_are_forgotten(alone: Alone) -> None:
    body = a_registration()
    first = alone.operator.post("/api/v1/trackings", body, idempotency_key="k-1")
    with alone.database.transaction() as uow:
        assert uow.idempotent_requests.delete_expired(age=timedelta(days=1)) == 0
        assert uow.idempotent_requests.delete_expired(age=timedelta(0)) == 1
    again = alone.operator.post("/api/v1/trackings", body, idempotency_key="k-1")
    assert (first.status_code, again.status_code) == (201, 409)
