"""Crawls of an owner's stores: started once at a time, followed, cancelled, tried again."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from uuid import UUID, uuid4

import pytest
import redis
from httpx import Response

from functions.api.factory import create_app
from nightjar.adapters.redis.cancel import cancel_channel
from nightjar.domain.account import LoginOutcome
from nightjar.domain.task import Claim
from nightjar.errors import ErrorCode
from nightjar.tasks import Queue
from nightjar.wiring import Api, build_api
from tests.integration.api.callers import OPERATOR_KEY, CallerClient, client_of, error_of
from tests.integration.api.conftest import Alone, environment_of
from tests.integration.api.test_accounts import given
from tests.integration.stores.records import pass_time

START = "/api/baemin/start-crawling"


def start(caller: CallerClient, account_id: str, *, options: object = None, **headers: str) -> Response:
    body = {"account_id": account_id} | ({"options": options} if options else {})
    return caller.post(START, body, **headers)


def started(caller: CallerClient, account_id: str) -> str:
    answer = start(caller, account_id)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["task_id"])


def claimed(api: Api, task_id: str) -> Claim:
    with api.database.transaction() as uow:
        claim = uow.tasks.claim(UUID(task_id), lease=timedelta(seconds=60))
    assert claim is not None
    return claim


def failed(api: Api, task_id: str) -> None:
    with api.database.transaction() as uow:
        claim = uow.tasks.claim(UUID(task_id), lease=timedelta(seconds=60))
        assert claim is not None
        uow.tasks.fail(claim, ErrorCode.TIMEOUT, "slow", retryable=True)


def login_ended(api: Api, account_id: str, outcome: LoginOutcome) -> None:
    with api.database.transaction() as uow:
        attempt = uow.accounts.begin_login(UUID(account_id), uuid4())
        assert attempt is not None
        uow.accounts.end_login(attempt.id, outcome)


def refused_for_the_sake_of(answer: Response) -> str:
    """The task that is under way."""
    return str(answer.json()["error"]["details"]["task"]["task_id"])


@contextmanager
def ear(environment: dict[str, str]) -> Iterator[redis.client.PubSub]:
    """Hears what workers hear about cancels."""
    with redis.Redis.from_url(environment["REDIS_URL"]) as client, client.pubsub() as heard:
        heard.subscribe(cancel_channel(""))
        assert heard.get_message(timeout=5)
        yield heard


def test_a_start_answers_with_a_task_that_waits_on_the_queue_of_stores(owner: CallerClient, api: Api) -> None:
    account_id = given(owner)
    answer = start(owner, account_id, options={"timeout": 120})
    assert answer.status_code == 202
    shown = answer.json()
    assert (shown["kind"], shown["status"], shown["progress"]) == ("crawl_baemin_stores", "pending", 0)
    assert owner.get(f"/api/baemin/task-status/{shown['task_id']}").json() == shown
    assert owner.get(f"/api/v1/tasks/{shown['task_id']}").json() == shown
    assert UUID(shown["task_id"]) in api.queue().waiting_ids(Queue.STORES)
    claim = claimed(api, shown["task_id"])
    assert claim.payload == {"account_id": account_id}
    assert (claim.queue, claim.timeout_seconds) == ("stores", 120)


@pytest.mark.parametrize("is_running", [False, True])
def test_a_second_start_is_refused_with_the_task_that_is_under_way(
    owner: CallerClient, api: Api, is_running: bool
) -> None:
    account_id = given(owner)
    first = started(owner, account_id)
    if is_running:
        claimed(api, first)
    answer = start(owner, account_id)
    assert answer.status_code == 409
    task = answer.json()["error"]["details"]["task"]
    assert (task["task_id"], task["status"]) == (first, "in_progress" if is_running else "pending")
    assert first in str(error_of(answer)["message"])
    assert len(owner.get("/api/v1/tasks").json()["items"]) == 1


def test_an_account_can_be_crawled_again_once_its_crawl_has_ended(owner: CallerClient, api: Api) -> None:
    account_id = given(owner)
    first = started(owner, account_id)
    failed(api, first)
    assert started(owner, account_id) != first


def test_accounts_do_not_wait_for_each_other(owner: CallerClient) -> None:
    assert started(owner, given(owner, "lantern001")) != started(owner, given(owner, "lantern002"))


def test_wrong_credentials_are_refused_until_others_are_given(owner: CallerClient, api: Api) -> None:
    account_id = given(owner)
    login_ended(api, account_id, LoginOutcome.INVALID_CREDENTIALS)
    answer = start(owner, account_id)
    assert (answer.status_code, error_of(answer)["code"]) == (409, "conflict")
    assert "did not accept the credentials" in str(error_of(answer)["message"])
    assert owner.get("/api/v1/tasks").json()["items"] == []
    given(owner)
    assert start(owner, account_id).status_code == 202


def test_a_blocked_account_is_refused_with_the_time_until_when(owner: CallerClient, api: Api) -> None:
    account_id = given(owner)
    login_ended(api, account_id, LoginOutcome.BLOCKED)
    given(owner)
    answer = start(owner, account_id)
    assert answer.status_code == 409
    until = answer.json()["error"]["details"]["blocked_until"]
    assert until in str(error_of(answer)["message"])
    pass_time(api.database, UUID(account_id))
    assert start(owner, account_id).status_code == 202


def test_who_did_what_the_site_asked_for_may_start_again(owner: CallerClient, api: Api) -> None:
    account_id = given(owner)
    login_ended(api, account_id, LoginOutcome.ACTION_REQUIRED)
    assert start(owner, account_id).status_code == 202


def test_the_same_start_with_the_same_key_is_one_crawl_even_after_it_ended(owner: CallerClient, api: Api) -> None:
    account_id = given(owner)
    first = start(owner, account_id, idempotency_key="k-1")
    again = start(owner, account_id, idempotency_key="k-1")
    assert (first.status_code, again.status_code) == (202, 202)
    failed(api, first.json()["task_id"])
    assert start(owner, account_id, idempotency_key="k-1").json() == first.json() == again.json()
    other = start(owner, given(owner, "lantern002"), idempotency_key="k-1")
    assert other.status_code == 409
    assert "Idempotency-Key" in str(error_of(other)["message"])


def test_a_key_whose_start_was_refused_can_be_used_once_the_crawl_has_ended(owner: CallerClient, api: Api) -> None:
    account_id = given(owner)
    first = started(owner, account_id)
    assert start(owner, account_id, idempotency_key="k-1").status_code == 409
    failed(api, first)
    assert start(owner, account_id, idempotency_key="k-1").status_code == 202


def test_a_waiting_crawl_is_cancelled_at_once_and_frees_its_account(owner: CallerClient, api: Api) -> None:
    account_id = given(owner)
    task_id = started(owner, account_id)
    answer = owner.delete(f"/api/baemin/cancel-task/{task_id}")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    with api.database.transaction() as uow:
        assert uow.tasks.claim(UUID(task_id), lease=timedelta(seconds=60)) is None
    assert started(owner, account_id) != task_id


@pytest.mark.parametrize("path", ["/api/baemin/cancel-task", "/api/v1/tasks"])
def test_a_running_crawl_is_asked_to_stop_and_its_worker_is_told_at_once(
    owner: CallerClient, api: Api, environment: dict[str, str], path: str
) -> None:
    task_id = started(owner, given(owner))
    claim = claimed(api, task_id)
    with ear(environment) as heard:
        answer = owner.delete(f"{path}/{task_id}")
        message = heard.get_message(timeout=5)
    assert (answer.status_code, answer.json()["status"]) == (202, "in_progress")
    assert message is not None
    assert message["data"].decode() == task_id
    with api.database.transaction() as uow:
        assert uow.tasks.renew(claim, lease=timedelta(seconds=60)), "the heartbeat says so too"


def test_deleting_the_account_of_a_running_crawl_tells_its_worker(
    owner: CallerClient, api: Api, environment: dict[str, str]
) -> None:
    account_id = given(owner)
    task_id = started(owner, account_id)
    claimed(api, task_id)
    with ear(environment) as heard:
        owner.delete(f"/api/v1/accounts/{account_id}")
        message = heard.get_message(timeout=5)
    assert message is not None
    assert message["data"].decode() == task_id


def test_an_ended_crawl_is_not_cancelled(owner: CallerClient, api: Api) -> None:
    task_id = started(owner, given(owner))
    failed(api, task_id)
    answer = owner.delete(f"/api/baemin/cancel-task/{task_id}")
    assert answer.status_code == 409
    assert "failed" in str(error_of(answer)["message"])


def test_somebody_elses_crawl_is_a_404(owner: CallerClient, stranger: CallerClient) -> None:
    task_id = started(owner, given(owner))
    answers = [
        stranger.get(f"/api/baemin/task-status/{task_id}"),
        stranger.delete(f"/api/baemin/cancel-task/{task_id}"),
        stranger.post(f"/api/v1/tasks/{task_id}/retry"),
    ]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert owner.get(f"/api/v1/tasks/{task_id}").json()["status"] == "pending"


def test_a_dead_redis_costs_a_cancel_less_than_a_second(database_url: str) -> None:
    api = build_api(environment_of(database_url, "redis://127.0.0.1:1/0"), pool_size=2)
    with client_of(create_app(api)) as client:
        operator = CallerClient(client, OPERATOR_KEY)
        task_id = started(operator, given(operator))
        claimed(api, task_id)
        began = monotonic()
        answer = operator.delete(f"/api/baemin/cancel-task/{task_id}")
        assert monotonic() - began < 1
    api.close()
    assert (answer.status_code, answer.json()["status"]) == (202, "in_progress")


def test_an_ended_crawl_is_tried_again_as_a_new_task(owner: CallerClient, api: Api) -> None:
    account_id = given(owner)
    first = started(owner, account_id)
    failed(api, first)
    answer = owner.post(f"/api/v1/tasks/{first}/retry", {"options": {"timeout": 60}})
    assert answer.status_code == 202
    again = answer.json()
    assert (again["kind"], again["retry_of"], again["status"]) == ("crawl_baemin_stores", first, "pending")
    claim = claimed(api, again["task_id"])
    assert (claim.payload, claim.timeout_seconds) == ({"account_id": account_id}, 60)
    assert owner.get(f"/api/v1/tasks/{first}").json()["status"] == "failed"
    assert start(owner, account_id).status_code == 409


def test_trying_again_obeys_what_a_start_obeys(owner: CallerClient, api: Api) -> None:
    account_id = given(owner)
    first = started(owner, account_id)
    failed(api, first)
    second = started(owner, account_id)
    answer = owner.post(f"/api/v1/tasks/{first}/retry")
    assert (answer.status_code, refused_for_the_sake_of(answer)) == (409, second)
    failed(api, second)
    login_ended(api, account_id, LoginOutcome.INVALID_CREDENTIALS)
    assert owner.post(f"/api/v1/tasks/{first}/retry").status_code == 409
    owner.delete(f"/api/v1/accounts/{account_id}")
    gone = owner.post(f"/api/v1/tasks/{first}/retry")
    assert (gone.status_code, "was deleted" in str(error_of(gone)["message"])) == (409, True)


@pytest.mark.parametrize(
    "body",
    [None, {}, {"account_id": "1"}, {"account_id": None}, {"account_id": str(uuid4()), "password": "hunter2"}],
)
def test_a_start_that_means_nothing_is_a_422(owner: CallerClient, body: object) -> None:
    answer = owner.post(START, body)
    assert answer.status_code == 422
    assert "account_id" in str(error_of(answer)["message"])
    assert "hunter2" not in answer.text


def test_two_hundred_starts_at_once_for_a_hundred_accounts_are_a_hundred_crawls(alone: Alone) -> None:
    accounts = [given(alone.operator, f"lantern{number:03}") for number in range(100)]
    with ThreadPoolExecutor(max_workers=40) as pool:
        answers = list(pool.map(lambda account_id: start(alone.operator, account_id), accounts * 2))
    assert Counter(answer.status_code for answer in answers) == {202: 100, 409: 100}
    accepted = {answer.json()["task_id"] for answer in answers if answer.status_code == 202}
    refused_for = {refused_for_the_sake_of(answer) for answer in answers if answer.status_code == 409}
    assert refused_for == accepted
    with alone.database.transaction() as uow:
        tasks = uow.tasks.page(owner=None, kind=None, states=None, before=None, limit=500)
        crawled = [uow.tasks.payload_of(task.id)["account_id"] for task in tasks]
    assert sorted(map(str, crawled)) == sorted(accounts), "none is lost, none is there twice"
    assert {str(task_id) for task_id in alone.api.queue().waiting_ids(Queue.STORES)} == accepted
