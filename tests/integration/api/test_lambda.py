"""The API as a Lambda: through Mangum with the events of an HTTP API, and once in the real runtime."""

import base64
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest

from infra.local.events import http_event
from infra.local.lambda_runtime import LambdaRuntime
from nightjar.observability import configure_logging
from tests.integration.api.callers import OPERATOR_KEY, a_registration
from tests.integration.api.log_lines import all_lines, lines_of

KEY = {"authorization": f"Bearer {OPERATOR_KEY}"}
JSON = KEY | {"content-type": "application/json"}


@dataclass(frozen=True)
class Context:
    """What the runtime hands to a function, as far as it is looked at."""

    aws_request_id: str = "5b0f3f8e-0000-4000-8000-0123456789ab"
    function_name: str = "api"
    invoked_function_arn: str = "arn:aws:lambda:ap-northeast-2:123456789012:function:api"
    memory_limit_in_mb: int = 512


@pytest.fixture
def handler(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, log: StringIO) -> Iterator[Any]:
    from functions.api import app

    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    app._gateway.cache_clear()
    monkeypatch.setattr(
        app, "configure_logging", lambda service, level: configure_logging(service, level=level, stream=log)
    )
    yield lambda event: app.handler(event, Context())
    app._gateway.cache_clear()


def body_of(answer: Mapping[str, Any]) -> Any:
    return json.loads(answer["body"])


def test_a_request_of_an_http_api_is_answered(handler: Any) -> None:
    answer = handler(http_event("GET", "/api/v1/trackings?limit=2&status=active", headers=KEY))
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"] == "application/json"
    assert answer["isBase64Encoded"] is False
    assert set(body_of(answer)) == {"items", "next"}


@pytest.mark.parametrize("as_bytes", [False, True])
def test_a_body_arrives_as_text_or_in_base64(handler: Any, as_bytes: bool) -> None:
    text = json.dumps(a_registration(keyword="서울 국밥"), ensure_ascii=False)
    body = text.encode() if as_bytes else text
    answer = handler(http_event("POST", "/api/v1/trackings", headers=JSON, body=body))
    assert answer["statusCode"] == 201, answer
    assert body_of(answer)["keyword"] == "서울 국밥"
    handler(http_event("DELETE", f"/api/v1/trackings/{body_of(answer)['id']}", headers=KEY))


def test_korean_in_a_query_and_a_file_survive_the_gateway(handler: Any) -> None:
    file = "rank_type,keyword,target_url\nblog,서울 냉면,https://blog.naver.com/nj_lantern01/223400000101\n"
    sent = handler(
        http_event("POST", "/api/v1/trackings/import", headers=KEY | {"content-type": "text/csv"}, body=file.encode())
    )
    assert sent["statusCode"] == 202, sent
    found = handler(
        http_event("GET", "/api/v1/trackings?format=csv&keyword=%EC%84%9C%EC%9A%B8%20%EB%83%89%EB%A9%B4", headers=KEY)
    )
    text = base64.b64decode(found["body"]).decode() if found["isBase64Encoded"] else found["body"]
    assert "서울 냉면" in text
    assert text.startswith("\ufeffid,")


def test_a_small_crawl_is_waited_for_request_after_request(handler: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from functions.api.routes import crawl_starts

    monkeypatch.setattr(crawl_starts, "WAIT_SECONDS", 0.4)
    body = json.dumps({"url": "https://shop.example/", "limit": 1})
    for _ in range(2):  # each event has a loop of its own
        answer = handler(http_event("POST", "/api/v1/crawl", headers=JSON, body=body))
        assert answer["statusCode"] == 202, answer
        path = f"/api/v1/crawls/{body_of(answer)['task_id']}"
        assert body_of(handler(http_event("GET", path, headers=KEY)))["status"] == "pending"
        cancelled = handler(http_event("DELETE", f"/api/v1/tasks/{body_of(answer)['task_id']}", headers=KEY))
        assert (cancelled["statusCode"], body_of(cancelled)["status"]) == (200, "cancelled")
    for rest in ("/pages?format=ndjson", "/graph?format=cypher"):
        assert handler(http_event("GET", f"{path}{rest}", headers=KEY))["statusCode"] == 200


def test_the_gateways_request_id_is_the_correlation_id_unless_the_client_gave_one(handler: Any, log: StringIO) -> None:
    event: dict[str, Any] = http_event("GET", "/health")
    answer = handler(event)
    assert answer["headers"]["x-request-id"] == event["requestContext"]["requestId"]
    given = handler(http_event("GET", "/health", headers={"x-request-id": "from-the-client"}))
    assert given["headers"]["x-request-id"] == "from-the-client"
    lines = lines_of(log, "request")
    assert [line["correlation_id"] for line in lines] == [event["requestContext"]["requestId"], "from-the-client"]
    assert {line["function_request_id"] for line in lines} == {Context.aws_request_id}


@pytest.mark.parametrize(
    ("event", "status", "code"),
    [
        (http_event("GET", "/api/v1/trackings"), 401, "unauthorized"),
        (http_event("GET", "/nothing"), 404, "not_found"),
        (http_event("PUT", "/api/v1/trackings"), 405, "method_not_allowed"),
        (http_event("POST", "/api/v1/trackings", headers=JSON, body="{"), 422, "invalid"),
        (http_event("POST", "/api/v1/trackings", headers=JSON, body="x" * 1_000_001), 413, "too_large"),
        (http_event("POST", "/api/v1/trackings", headers=JSON, body=gzip.compress(b"{}")), 422, "invalid"),
    ],
)
def test_errors_have_the_same_envelope_in_lambda(handler: Any, event: dict[str, Any], status: int, code: str) -> None:
    answer = handler(event)
    assert (answer["statusCode"], body_of(answer)["error"]["code"]) == (status, code)


def test_requests_server_errors_and_cold_starts_are_counted(handler: Any, capsys: pytest.CaptureFixture[str]) -> None:
    handler(http_event("GET", "/health"))
    metrics: dict[str, Any] = {}
    for line in capsys.readouterr().out.splitlines():
        document = json.loads(line)
        assert document["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Nightjar"
        metrics |= document
    assert metrics["Requests"] == [1.0]
    assert metrics["ServerErrors"] == [0.0]


def test_in_the_real_runtime_the_first_request_is_answered_and_every_line_is_json(
    environment: dict[str, str],
) -> None:
    with LambdaRuntime("functions.api.app.handler", environment) as function:
        first: Any = function.invoke(http_event("GET", "/api/v1/trackings", headers=KEY))
        second: Any = function.invoke(http_event("POST", "/api/v1/trackings", headers=JSON, body="{"))
        written = function.log
    assert (first["statusCode"], second["statusCode"]) == (200, 422)
    ours = [line for line in written.splitlines() if line.startswith('{"method"')]
    assert [line["status"] for line in all_lines(StringIO("\n".join(ours)))] == [200, 422]
    assert '"ColdStart"' in written
    assert OPERATOR_KEY not in written
