"""The service itself: its name, its health, its figures, its documentation."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from nightjar.wiring import Api
from tests.factories import a_night
from tests.integration.api.callers import OPERATOR_KEY, Client, error_of
from tests.integration.api.conftest import Alone

WAITING_FOR_AN_HOUR = text("UPDATE tasks SET created_at = created_at - interval '1 hour'")


def test_the_front_page_says_what_this_is_and_where_to_go_on(client: Client) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert {"name": "nightjar", "docs": "/docs"}.items() <= answer.json().items()
    assert answer.json()["version"]


def test_health_and_readiness_need_no_key(client: Client) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    ready = client.get("/ready")
    assert ready.status_code == 200
    assert ready.json()["dependencies"]["queue"] == {"ready": True, "reason": None}
    assert set(client.get("/ready", params={"only": "database"}).json()["dependencies"]) == {"database"}
    assert client.get("/ready", params={"only": "moon"}).status_code == 422


def figures(alone: Alone) -> dict[tuple[str, str], float]:
    """By name and first label."""
    body = alone.client.get("/metrics").text
    samples = [sample for family in text_string_to_metric_families(body) for sample in family.samples]
    return {(sample.name, "/".join(sample.labels.values())): sample.value for sample in samples}


def test_the_figures_are_true(alone: Alone) -> None:
    running = alone.operator.registers()["task_id"]
    alone.operator.registers()
    alone.operator.registers()
    a_night(alone.database)
    with alone.database.transaction() as uow:
        uow.connection.execute(WAITING_FOR_AN_HOUR)
        assert uow.tasks.claim(UUID(str(running)), lease=timedelta(minutes=1))
        holder = uuid4()
        assert uow.hosts.take("m.place.naver.com:443", holder=holder, budget=timedelta(seconds=1))
        uow.hosts.block("m.place.naver.com:443", delay=timedelta(0), cooldown=timedelta(minutes=5))
    found = figures(alone)
    assert found["nightjar_open_tasks", "interactive/pending"] == 2
    assert found["nightjar_open_tasks", "interactive/in_progress"] == 1
    assert found["nightjar_open_tasks", "nightly/pending"] == 3
    assert 3600 <= found["nightjar_oldest_waiting_seconds", "interactive"] < 3700
    assert found["nightjar_open_batches", ""] == 1
    assert found["nightjar_host_cooldown_until", "m.place.naver.com:443"] > 1_700_000_000
    assert found["nightjar_queue_depth", "interactive"] == 3
    assert found["nightjar_broker_up", ""] == 1


def test_the_figures_tell_nobodys_secrets(alone: Alone, api: Api) -> None:
    tracking = alone.operator.registers(keyword="아무도 모르는 말")
    body = alone.client.get("/metrics").text
    for secret in (OPERATOR_KEY, "아무도", str(tracking["task_id"]), api.settings.stores.database_url):
        assert secret not in body


@pytest.mark.parametrize("path", ["/nothing", "/api/v1", "/api/v1/trackings/", "/api/v1/tracking", "/API/v1/trackings"])
def test_an_unknown_path_is_a_404_in_the_envelope(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/v1/trackings"),
        ("POST", "/health"),
        ("POST", "/api/v1/trackings/1"),
        ("PATCH", "/api/v1/batches/1"),
        ("DELETE", "/api/v1/batches"),
        ("GET", "/api/v1/tasks/1/retry"),
    ],
)
def test_a_wrong_method_is_a_405_in_the_envelope(client: Client, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, error_of(answer)["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"]


def test_the_documentation_knows_every_path_the_keys_and_the_errors(client: Client) -> None:
    assert client.get("/docs").status_code == 200
    document = client.get("/openapi.json").json()
    assert {
        *("/", "/health", "/ready", "/metrics", "/api/v1/keys", "/api/v1/keys/{key_id}", "/api/v1/trackings"),
        *("/api/v1/trackings/import", "/api/v1/trackings/{tracking_id}", "/api/v1/trackings/{tracking_id}/history"),
        *("/api/v1/trackings/{tracking_id}/check", "/api/v1/batches", "/api/v1/batches/{batch_id}"),
        *("/api/v1/tasks", "/api/v1/tasks/{task_id}", "/api/v1/tasks/{task_id}/result"),
        *("/api/v1/tasks/{task_id}/retry", "/api/v1/accounts", "/api/v1/accounts/{account_id}", "/api/v1/stores"),
        *("/api/v1/crawl", "/api/v1/crawls/{task_id}", "/api/v1/crawls/{task_id}/pages", "/api/v1/pagination"),
        *(f"/api/v1/crawls/{{task_id}}/{what}" for what in ("errors", "sections", "graph")),
        *("/api/baemin/start-crawling", "/api/baemin/task-status/{task_id}", "/api/baemin/cancel-task/{task_id}"),
    } == set(document["paths"])
    assert document["components"]["securitySchemes"]["APIKey"]["scheme"] == "bearer"
    registering = document["paths"]["/api/v1/trackings"]["post"]
    assert registering["security"] == [{"APIKey": []}]
    assert "security" not in document["paths"]["/health"]["get"]
    assert "422" not in registering["responses"]
    assert "4XX" in registering["responses"]
    assert document["components"]["schemas"]["RegisterRequest"]["examples"][0]["rank_type"] == "place"
    crawling = document["paths"]["/api/v1/crawl"]["post"]
    assert set(crawling["responses"]) == {"200", "202", "4XX", "5XX"}
    graph = document["paths"]["/api/v1/crawls/{task_id}/graph"]["get"]["responses"]["200"]["content"]
    assert set(graph) == {"application/json", "application/graphml+xml", "text/x-cypher"}
    importing = document["paths"]["/api/v1/trackings/import"]["post"]
    assert list(importing["requestBody"]["content"]) == ["text/csv"]
