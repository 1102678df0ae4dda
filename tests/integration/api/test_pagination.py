"""Lists of many pages: ordered and refused; how they are read is tested where workers are."""

from datetime import timedelta
from uuid import UUID

import pytest

from nightjar.domain.page_list import PageListOrder
from nightjar.domain.site_crawl import Engine
from nightjar.errors import ErrorCode
from nightjar.tasks import Queue
from nightjar.wiring import Api
from tests.integration.api.callers import CallerClient, error_of

PATH = "/api/v1/pagination"
LIST = "https://shop.example/goods?page={page}"


def test_an_order_is_answered_with_a_task_on_the_queue_of_lists(owner: CallerClient, api: Api) -> None:
    body = {"url_pattern": f"  {LIST}#top", "total_pages": 40, "engine": "http", "options": {"timeout": 90}}
    answer = owner.post(PATH, body)
    assert answer.status_code == 202
    shown = answer.json()
    assert (shown["kind"], shown["status"]) == ("process_pagination", "pending")
    assert UUID(shown["task_id"]) in api.queue().waiting_ids(Queue.PAGINATION)
    with api.database.transaction() as uow:
        claim = uow.tasks.claim(UUID(shown["task_id"]), lease=timedelta(seconds=60))
    assert claim is not None
    assert PageListOrder.of(claim.payload) == PageListOrder(url_pattern=LIST, total_pages=40, engine=Engine.HTTP)
    assert claim.timeout_seconds == 90


@pytest.mark.parametrize("wrong", [
    {"url_pattern": "https://shop.example/goods"}, {"url_pattern": "shop.example/{page}"}, {"url_pattern": ""},
    {"url_pattern": "https://{page}.example/"}, {"url_pattern": "https://shop.example:{page}/"},
    {"url_pattern": "https://shop.example/#{page}"}, {"url_pattern": "http://10.0.0.1/{page}"},
    {"url_pattern": "ftp://shop.example/{page}"}, {"url_pattern": None}, {"url_pattern": "https://a.example/\n{page}"},
    {"url_pattern": "https://shop.example/{page}" + "a" * 2000}, {"total_pages": 0}, {"total_pages": "40"},
    {"total_pages": 1.5}, {"total_pages": 10_000_001}, {"engine": "lynx"}, {"strategy": "all"},
])  # fmt: skip
def test_an_order_that_means_nothing_is_a_422(owner: CallerClient, wrong: dict[str, object]) -> None:
    answer = owner.post(PATH, {"url_pattern": LIST, "total_pages": 40} | wrong)
    assert (answer.status_code, error_of(answer)["code"]) == (422, "invalid")
    assert owner.get("/api/v1/tasks").json()["items"] == []


def test_the_same_order_with_the_same_key_is_one_task(owner: CallerClient) -> None:
    body = {"url_pattern": LIST, "total_pages": 40}
    first, again = (owner.post(PATH, body, idempotency_key="k-1") for _ in range(2))
    assert first.json() == again.json()
    other = owner.post(PATH, body | {"total_pages": 41}, idempotency_key="k-1")
    assert (other.status_code, error_of(other)["code"]) == (409, "conflict")
    assert len(owner.get("/api/v1/tasks").json()["items"]) == 1


def test_a_list_is_cancelled_and_tried_again_like_any_task(owner: CallerClient, api: Api) -> None:
    first = owner.post(PATH, {"url_pattern": LIST, "total_pages": 40}).json()["task_id"]
    assert owner.delete(f"/api/v1/tasks/{first}").json()["status"] == "cancelled"
    again = owner.post(f"/api/v1/tasks/{first}/retry")
    assert (again.status_code, again.json()["retry_of"]) == (202, first)
    task_id = UUID(again.json()["task_id"])
    assert task_id in api.queue().waiting_ids(Queue.PAGINATION)
    with api.database.transaction() as uow:
        claim = uow.tasks.claim(task_id, lease=timedelta(seconds=60))
        assert claim is not None
        assert PageListOrder.of(claim.payload).url_pattern == LIST
        uow.tasks.fail(claim, ErrorCode.TIMEOUT, "slow", retryable=True)
    assert owner.get(f"/api/v1/tasks/{task_id}/result").json()["error"]["code"] == "timeout"
