"""Site crawls as tasks: listed, cancelled, tried again; and what works at them, which belongs to nobody."""

from datetime import timedelta
from uuid import UUID

import pytest

from functions.api.factory import create_app
from nightjar.application.site_crawls import payload_of
from nightjar.application.tried_again import order_from
from nightjar.domain.site_crawl import CrawlOrder, Engine, Scope
from nightjar.domain.task import TaskState
from nightjar.tasks import Queue
from nightjar.wiring import Api, build_api
from tests.integration.api.callers import OPERATOR_KEY, CallerClient, client_of, error_of
from tests.integration.api.conftest import Alone, environment_of
from tests.integration.api.crawled import START, Frontier, ordered
from tests.integration.api.test_store_crawls import ear


def task_path(task_id: object) -> str:
    return f"/api/v1/tasks/{task_id}"


def test_a_crawl_is_a_task_like_any(owner: CallerClient, api: Api) -> None:
    task_id = ordered(owner)
    assert [task["task_id"] for task in owner.get("/api/v1/tasks", kind="crawl").json()["items"]] == [str(task_id)]
    shown = owner.get(task_path(task_id)).json()
    assert (shown["kind"], shown["status"], shown["progress"]) == ("crawl", "pending", 0)
    assert owner.get(f"{task_path(task_id)}/result").status_code == 202
    Frontier(api.database, task_id).ends()
    ended = owner.get(f"{task_path(task_id)}/result")
    assert (ended.status_code, ended.json()["status"], ended.json()["progress"]) == (200, "completed", 100)
    assert ended.json()["result"]["browser_share"] == 0


@pytest.mark.parametrize("is_running", [False, True])
def test_a_cancelled_crawl_is_over_at_once_and_keeps_what_it_found(
    owner: CallerClient, api: Api, environment: dict[str, str], is_running: bool
) -> None:
    task_id = ordered(owner)
    frontier = Frontier(api.database, task_id)
    frontier.has("done", 3)
    frontier.has("queued", 4)
    frontier.is_stored()
    if is_running:
        with api.database.transaction() as uow:
            uow.crawls.start_task(task_id)
    with ear(environment) as heard:
        answer = owner.delete(task_path(task_id))
        message = heard.get_message(timeout=5)
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert message is not None
    assert str(task_id) in str(message["data"])
    shown = owner.get(f"/api/v1/crawls/{task_id}").json()
    assert (shown["status"], shown["end_reason"], shown["pages_crawled"]) == ("cancelled", "cancelled", 3)
    assert (shown["counts"]["queued"], shown["counts"]["skipped"]) == (0, 4)
    assert len(owner.get(f"/api/v1/crawls/{task_id}/pages").json()["items"]) == 3
    again = owner.delete(task_path(task_id))
    assert (again.status_code, error_of(again)["code"]) == (409, "conflict")


def test_a_cancel_counts_while_redis_is_away(database_url: str) -> None:
    api = build_api(environment_of(database_url, "redis://127.0.0.1:1/0"), pool_size=2)
    with client_of(create_app(api)) as client:
        caller = CallerClient(client, OPERATOR_KEY)
        answer = caller.delete(task_path(ordered(caller)))
    api.close()
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")


def test_a_crawl_of_somebody_else_cannot_be_cancelled_or_tried_again(
    owner: CallerClient, stranger: CallerClient, api: Api
) -> None:
    task_id = ordered(owner)
    assert stranger.delete(task_path(task_id)).status_code == 404
    Frontier(api.database, task_id).ends()
    assert stranger.post(f"{task_path(task_id)}/retry").status_code == 404


def test_a_crawl_is_tried_again_as_it_was_ordered(owner: CallerClient, api: Api) -> None:
    order = {"url": f"{START}a?b=c", "depth": 5, "limit": 7, "engine": "http", "scope": "site", "include": ["^/a"]}
    order |= {"exclude": ["x", "y"], "screenshots": True, "structure": False, "delay": 0.5}
    first = ordered(owner, **order)
    assert owner.post(f"{task_path(first)}/retry").status_code == 409
    Frontier(api.database, first).ends(TaskState.FAILED)
    answer = owner.post(f"{task_path(first)}/retry", {"options": {"timeout": 60}}, idempotency_key="again")
    assert answer.status_code == 202
    second = answer.json()["task_id"]
    assert (answer.json()["retry_of"], answer.json()["kind"]) == (str(first), "crawl")
    one, two = (owner.get(f"/api/v1/crawls/{task_id}").json() for task_id in (first, second))
    of_the_order = set(order)
    assert {name: one.get(name) for name in of_the_order} == {name: two.get(name) for name in of_the_order}
    assert (two["status"], two["retry_of"], two["error"]) == ("pending", str(first), None)
    with api.database.transaction() as uow:
        crawl = uow.crawls.get(UUID(second), owner=None)
    assert crawl is not None
    assert crawl.deadline is not None
    same = owner.post(f"{task_path(first)}/retry", {"options": {"timeout": 60}}, idempotency_key="again")
    assert same.json()["task_id"] == second
    assert len(owner.get("/api/v1/tasks", kind="crawl").json()["items"]) == 2


def test_a_retry_has_a_slice_on_its_queue(alone: Alone) -> None:
    first = ordered(alone.operator)
    Frontier(alone.database, first).ends(TaskState.FAILED)
    with alone.database.transaction() as uow:
        slices = uow.tasks.page(owner=None, kind="crawl_slice", states=None, before=None, limit=10)
        for one in slices:
            claim = uow.tasks.claim(one.id, lease=timedelta(seconds=60))
            assert claim is not None
            uow.tasks.complete(claim, {})
    before = alone.api.queue().waiting_ids(Queue.CRAWLING)
    assert alone.operator.post(f"{task_path(first)}/retry").status_code == 202
    assert len(alone.api.queue().waiting_ids(Queue.CRAWLING) - before) == 1


def test_an_order_is_read_as_it_was_written() -> None:
    order = CrawlOrder(
        url=START,
        depth=0,
        limit=9,
        engine=Engine.BROWSER,
        scope=Scope.SITE,
        include=("a", "b"),
        exclude=("c",),
        screenshots=True,
        structure=False,
        delay=timedelta(seconds=1.25),
    )
    for one in (order, CrawlOrder(url=START)):
        assert order_from(payload_of(one)) == one


def test_slices_are_nobodys_and_seen_by_operators_who_ask_for_them(alone: Alone) -> None:
    shop = alone.operator.issues_a_key_to("shop")
    crawl_id = ordered(shop)
    with alone.database.transaction() as uow:
        (piece,) = uow.tasks.page(owner=None, kind="crawl_slice", states=None, before=None, limit=10)
    assert piece.owner is None
    assert shop.get(task_path(piece.id)).status_code == 404
    assert shop.delete(task_path(piece.id)).status_code == 404
    assert shop.get("/api/v1/tasks", kind="crawl_slice").json()["items"] == []
    listed = [task["task_id"] for task in alone.operator.get("/api/v1/tasks").json()["items"]]
    assert listed == [str(crawl_id)]
    asked_for = alone.operator.get("/api/v1/tasks", kind="crawl_slice").json()["items"]
    assert [task["task_id"] for task in asked_for] == [str(piece.id)]
    for answer in (
        alone.operator.delete(task_path(piece.id)),
        alone.operator.post(f"{task_path(piece.id)}/retry"),
    ):
        assert (answer.status_code, error_of(answer)["code"]) == (409, "conflict")
    assert alone.operator.get(task_path(piece.id)).json()["status"] == "pending"
