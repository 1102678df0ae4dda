"""Site crawls: ordered, waited for, followed, cancelled, tried again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic, sleep
from uuid import UUID, uuid4

import pytest
from httpx import Response

from functions.api.factory import create_app
from functions.api.routes import crawl_starts
from functions.api.waiting import WaitingRoom
from nightjar.database.crawls import Crawl
from nightjar.domain.site_crawl import Engine, Scope
from nightjar.domain.task import TaskState
from nightjar.tasks import Queue
from nightjar.wiring import Api, build_api
from tests.integration.api.callers import OPERATOR_KEY, CallerClient, client_of, client_without_start_up, error_of
from tests.integration.api.conftest import Alone, environment_of
from tests.integration.api.crawled import START, Frontier, ordered

CRAWL = "/api/v1/crawl"


def crawl_of(api: Api, task_id: UUID) -> Crawl:
    with api.database.transaction() as uow:
        crawl = uow.crawls.get(task_id, owner=None)
    assert crawl is not None
    return crawl


def waits_shortly(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(crawl_starts, "WAIT_SECONDS", seconds)


def test_a_crawl_in_the_background_is_answered_with_its_task(owner: CallerClient) -> None:
    answer = owner.post(CRAWL, {"url": START, "background": True})
    assert (answer.status_code, answer.json()) == (202, {"task_id": answer.json()["task_id"], "status": "pending"})
    shown = owner.get(f"/api/v1/crawls/{answer.json()['task_id']}").json()
    assert (shown["status"], shown["url"], shown["scope"], shown["depth"]) == ("pending", START, "host", 3)
    assert (shown["limit"], shown["engine"], shown["structure"], shown["delay"]) == (1000, "auto", True, 2.0)
    assert shown["counts"] == dict.fromkeys(("discovered", "queued", "leased", "done", "failed", "skipped"), 0)
    assert (shown["pages_crawled"], shown["total_nodes"], shown["execution_time"]) == (0, 0, 0.0)
    assert (shown["error"], shown["pagination"], shown["engines"]) == (None, None, None)


def test_what_was_ordered_reaches_the_workers(owner: CallerClient, api: Api) -> None:
    task_id = ordered(
        owner,
        url="HTTPS://Shop.Example:443/a/../가게#top",
        depth=0,
        limit=10_000_000,
        engine="browser",
        scope="site",
        include=["^/goods/"],
        exclude=["[?&]sort=", "가"],
        screenshots=True,
        structure=False,
        delay=1.5,
        options={"timeout": 600},
    )
    crawl = crawl_of(api, task_id)
    assert crawl.start_url == "https://shop.example/%EA%B0%80%EA%B2%8C"
    assert (crawl.depth, crawl.page_limit, crawl.engine, crawl.scope) == (0, 10_000_000, Engine.BROWSER, Scope.SITE)
    assert (crawl.include, crawl.exclude) == (("^/goods/",), ("[?&]sort=", "가"))
    assert (crawl.screenshots, crawl.structure, crawl.delay) == (True, False, timedelta(seconds=1.5))
    assert (crawl.urgent, crawl.deadline is not None) == (False, True)
    with api.database.transaction() as uow:
        assert (task_id, "shop.example:443") in uow.crawls.due_hosts(limit=1000)
        assert uow.crawls.host(task_id, "shop.example:443") == ("https://shop.example:443", None)


def test_a_slice_is_on_its_queue_when_the_start_is_answered(alone: Alone) -> None:
    ordered(alone.operator)
    waiting = alone.api.queue().waiting_ids(Queue.CRAWLING)
    with alone.database.transaction() as uow:
        slices = uow.tasks.page(owner=None, kind="crawl_slice", states=None, before=None, limit=10)
    assert {one.id for one in slices} == waiting
    assert len(slices) == 1


def test_a_start_is_answered_while_redis_is_away(database_url: str) -> None:
    api = build_api(environment_of(database_url, "redis://127.0.0.1:1/0"), pool_size=2)
    with client_of(create_app(api)) as client:
        task_id = ordered(CallerClient(client, OPERATOR_KEY))
        assert crawl_of(api, task_id).state == "open"
    api.close()


@pytest.mark.parametrize("wrong", [
    {"url": "shop.example"}, {"url": "ftp://shop.example/"}, {"url": "javascript:alert(1)"}, {"url": "http://"},
    {"url": ""}, {"url": None}, {"url": 1}, {"url": "https://shop.example/\x00"}, {"url": "https://sh op.example/"},
    {"url": "https://me:secret@shop.example/"}, {"url": "https://shop.example/" + "a" * 2000},
    {"url": "http://10.0.0.1/"}, {"url": "http://[::1]/"}, {"url": "http://0x7f.1/"}, {"url": "http://2130706433/"},
    {"url": "http://[::ffff:169.254.169.254]/"}, {"url": "http://shop.example:8080/"}, {"url": "https://x.example:80/"},
    {"depth": -1}, {"depth": 21}, {"depth": 1.5}, {"depth": "3"}, {"depth": True}, {"limit": 0},
    {"limit": 10_000_001}, {"engine": "lynx"}, {"scope": "internet"}, {"background": "yes"}, {"delay": -1},
    {"delay": 3601}, {"delay": "1"}, {"include": "x"}, {"include": ["["]}, {"exclude": [r"(a)\1"]},
    {"exclude": ["(?=a)"]}, {"include": ["a" * 501]}, {"include": ["a"] * 51}, {"include": ["\x00"]},
    {"exclude": [""]}, {"exclude": ["((a{100}){100}){100}"]}, {"surprise": 1}, {"options": {"timeout": 0}},
])  # fmt: skip
def test_an_order_that_means_nothing_is_a_422_that_says_what_is_wrong(
    owner: CallerClient, wrong: dict[str, object]
) -> None:
    answer = owner.post(CRAWL, {"url": START, "background": True} | wrong)
    assert (answer.status_code, error_of(answer)["code"]) == (422, "invalid")
    assert next(iter(wrong)) in str(error_of(answer)["message"])
    assert "secret" not in answer.text
    assert owner.get("/api/v1/tasks").json()["items"] == []


def test_a_private_origin_may_be_crawled_where_the_settings_say_so(database_url: str, redis_url: str) -> None:
    settings = environment_of(database_url, redis_url, CRAWL_ALLOWED_ORIGINS="http://127.0.0.1:8080, https://[::1]")
    api = build_api(settings, pool_size=2)
    with client_of(create_app(api)) as client:
        caller = CallerClient(client, OPERATOR_KEY)
        for url in ("http://127.1:8080/a", "https://[0::1]/"):
            assert caller.post(CRAWL, {"url": url, "background": True}).status_code == 202
        for url in ("http://127.0.0.1:8081/a", "https://127.0.0.1:8080/", "http://[::1]/"):
            assert caller.post(CRAWL, {"url": url, "background": True}).status_code == 422
    api.close()


def test_a_small_crawl_is_waited_for_and_answered_with_its_pages(owner: CallerClient, api: Api) -> None:
    with ThreadPoolExecutor(max_workers=1) as pool:
        answering = pool.submit(owner.post, CRAWL, {"url": START, "limit": 10})
        task_id = _first_task(owner)
        assert crawl_of(api, task_id).urgent
        frontier = Frontier(api.database, task_id)
        frontier.has("done", 3)
        frontier.is_stored()
        frontier.ends()
        answer: Response = answering.result(timeout=10)
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["task_id"], shown["status"], shown["pages_crawled"]) == (str(task_id), "completed", 3)
    assert shown["engines"] == {"http": 3}
    pages = shown.pop("pages")
    assert shown == owner.get(f"/api/v1/crawls/{task_id}").json()
    assert pages == owner.get(f"/api/v1/crawls/{task_id}/pages").json()["items"]
    assert len(pages) == 3


def test_a_small_crawl_that_fails_is_answered_with_its_error(owner: CallerClient, api: Api) -> None:
    with ThreadPoolExecutor(max_workers=1) as pool:
        answering = pool.submit(owner.post, CRAWL, {"url": START, "limit": 1})
        Frontier(api.database, _first_task(owner)).ends(TaskState.FAILED)
        answer = answering.result(timeout=10)
    assert (answer.status_code, answer.json()["status"], answer.json()["pages"]) == (200, "failed", [])


def test_a_small_crawl_that_takes_longer_is_answered_with_its_task(
    owner: CallerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits_shortly(monkeypatch, 0.5)
    began = monotonic()
    answer = owner.post(CRAWL, {"url": START, "limit": 10})
    assert 0.4 < monotonic() - began < 3
    assert (answer.status_code, set(answer.json())) == (202, {"task_id", "status"})


@pytest.mark.parametrize("body", [{"limit": 11}, {"limit": 1, "background": True}])
def test_nobody_waits_for_a_crawl_that_is_large_or_in_the_background(
    owner: CallerClient, api: Api, body: dict[str, object]
) -> None:
    began = monotonic()
    answer = owner.post(CRAWL, {"url": START} | body)
    assert (answer.status_code, monotonic() - began < 2) == (202, True)
    assert not crawl_of(api, UUID(answer.json()["task_id"])).urgent


def test_who_waits_holds_no_connection_of_the_database(database_url: str, redis_url: str) -> None:
    """As in Lambda: one connection, no start-up."""
    api = build_api(environment_of(database_url, redis_url), pool_size=1)
    with client_without_start_up(create_app(api)) as client, ThreadPoolExecutor(max_workers=4) as pool:
        caller = CallerClient(client, OPERATOR_KEY)
        waiting = [pool.submit(caller.post, CRAWL, {"url": START, "limit": 1}) for _ in range(4)]
        while len(tasks := caller.get("/api/v1/tasks", kind="crawl").json()["items"]) < 4:
            sleep(0.05)
        began = monotonic()
        assert caller.get("/api/v1/trackings").status_code == 200
        assert monotonic() - began < 2
        for task in tasks:
            Frontier(api.database, UUID(task["task_id"])).ends()
        assert [one.result(timeout=10).status_code for one in waiting] == [200] * 4
    api.close()


def test_nobody_waits_where_too_many_wait_already(database_url: str, redis_url: str) -> None:
    api = build_api(environment_of(database_url, redis_url), pool_size=2)
    app = create_app(api)
    app.state.waiting_room = WaitingRoom(places=1)
    with client_of(app) as client, ThreadPoolExecutor(max_workers=1) as pool:
        caller = CallerClient(client, OPERATOR_KEY)
        waiting = pool.submit(caller.post, CRAWL, {"url": START, "limit": 1})
        first = _first_task(caller)
        began = monotonic()
        assert caller.post(CRAWL, {"url": START, "limit": 1}).status_code == 202
        assert monotonic() - began < 2
        Frontier(api.database, first).ends()
        assert waiting.result(timeout=10).status_code == 200, "and the place is free again"
        assert app.state.waiting_room._free == 1
    api.close()


def test_the_same_order_with_the_same_key_is_one_crawl(
    owner: CallerClient, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits_shortly(monkeypatch, 0.2)
    body = {"url": START, "limit": 5}
    first = owner.post(CRAWL, body, idempotency_key="k-1")
    again = owner.post(CRAWL, body, idempotency_key="k-1")
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert len(owner.get("/api/v1/tasks").json()["items"]) == 1
    Frontier(api.database, UUID(first.json()["task_id"])).ends()
    ended = owner.post(CRAWL, body, idempotency_key="k-1")
    assert (ended.status_code, ended.json()["task_id"]) == (200, first.json()["task_id"])
    other = owner.post(CRAWL, body | {"limit": 6}, idempotency_key="k-1")
    assert (other.status_code, error_of(other)["code"]) == (409, "conflict")


def test_many_orders_with_one_key_at_the_same_moment_are_one_crawl(owner: CallerClient) -> None:
    with ThreadPoolExecutor(max_workers=6) as pool:
        answers = list(pool.map(lambda _: owner.post(CRAWL, {"url": START}, idempotency_key="at-once"), range(6)))
    assert [answer.status_code for answer in answers] == [202] * 6
    assert len({answer.json()["task_id"] for answer in answers}) == 1


def test_a_crawl_of_somebody_else_is_a_404(owner: CallerClient, stranger: CallerClient, operator: CallerClient) -> None:
    task_id = ordered(owner)
    for rest in ("", "/pages", "/errors", "/errors?kind=skipped", "/pages?format=ndjson"):
        path = f"/api/v1/crawls/{task_id}{rest}"
        assert [caller.get(path).status_code for caller in (owner, operator, stranger)] == [200, 200, 404], path
        assert owner.get(f"/api/v1/crawls/{uuid4()}{rest}").status_code == 404


def test_a_task_of_another_kind_is_no_crawl(owner: CallerClient) -> None:
    registered = owner.registers()
    assert owner.get(f"/api/v1/crawls/{registered['task_id']}").status_code == 404


def _first_task(owner: CallerClient) -> UUID:
    until = monotonic() + 5
    while not (tasks := owner.get("/api/v1/tasks", kind="crawl").json()["items"]):
        assert monotonic() < until
        sleep(0.02)
    return UUID(tasks[0]["task_id"])
