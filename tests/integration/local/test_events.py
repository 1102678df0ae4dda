import base64
import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from infra.local.events import http_event, nightly_event, scheduled_event


def test_a_scheduled_event_has_the_fields_of_eventbridge() -> None:
    event = scheduled_event(datetime(2026, 11, 22, 16, 0, 5, 999, tzinfo=UTC))

    assert set(event) == {
        "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail",
    }  # fmt: skip
    assert event["detail-type"] == "Scheduled Event"
    assert event["source"] == "aws.events"
    assert event["detail"] == {}
    assert event["time"] == "2026-11-22T16:00:05Z"
    assert uuid.UUID(str(event["id"]))


def test_two_events_differ_in_their_id_and_a_second_delivery_does_not() -> None:
    moment = datetime(2026, 11, 22, tzinfo=UTC)

    assert scheduled_event(moment)["id"] != scheduled_event(moment)["id"]
    assert scheduled_event(moment, event_id="same") == scheduled_event(moment, event_id="same")


def test_the_nightly_event_of_a_korean_day_carries_the_utc_time_of_its_schedule() -> None:
    assert nightly_event(date(2026, 11, 22))["time"] == "2026-11-21T16:00:00Z"
    assert nightly_event(date(2026, 11, 22), hour=9, minute=30)["time"] == "2026-11-22T00:30:00Z"
    assert nightly_event(date(2026, 1, 1), hour=0)["time"] == "2025-12-31T15:00:00Z"


def test_a_moment_in_another_zone_is_sent_in_utc() -> None:
    seoul = timezone(timedelta(hours=9))

    assert scheduled_event(datetime(2026, 11, 22, 1, tzinfo=seoul))["time"] == "2026-11-21T16:00:00Z"


def context_of(event: dict[str, Any]) -> Any:
    return event["requestContext"]


def test_a_request_arrives_as_payload_version_two() -> None:
    event = http_event("get", "/api/v1/trackings?limit=2", headers={"Authorization": "Bearer key", "User-Agent": "me"})

    assert event["version"] == "2.0"
    assert (event["rawPath"], event["rawQueryString"]) == ("/api/v1/trackings", "limit=2")
    assert context_of(event)["http"]["method"] == "GET"
    assert context_of(event)["http"]["path"] == "/api/v1/trackings"
    assert context_of(event)["http"]["userAgent"] == "me"
    assert context_of(event)["stage"] == "$default"
    headers = event["headers"]
    assert isinstance(headers, dict)
    assert headers["authorization"] == "Bearer key"
    assert "body" not in event


def test_repeated_parameters_are_joined_and_a_query_without_any_is_left_out() -> None:
    assert http_event("GET", "/?a=1&a=2&b=")["queryStringParameters"] == {"a": "1,2", "b": ""}
    assert "queryStringParameters" not in http_event("GET", "/")


def test_an_escaped_path_stays_escaped() -> None:
    assert http_event("GET", "/api/%EA%B0%80?q=%EB%82%98")["rawPath"] == "/api/%EA%B0%80"


def test_text_arrives_as_it_is_and_bytes_in_base64() -> None:
    text = http_event("POST", "/", body='{"a": 1}')
    data = http_event("POST", "/", body=b"\xff\x00")

    assert (text["body"], text["isBase64Encoded"]) == ('{"a": 1}', False)
    assert data["isBase64Encoded"] is True
    assert base64.b64decode(str(data["body"])) == b"\xff\x00"


def test_the_time_of_a_request_is_given_twice_and_agrees() -> None:
    context = context_of(http_event("GET", "/", at=datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)))

    assert context["time"] == "22/Nov/2026:01:02:03 +0000"
    assert context["timeEpoch"] == 1795309323000
