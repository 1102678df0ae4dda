"""Events as AWS delivers them: EventBridge's scheduled event, an HTTP API's request, a WebSocket API's messages."""

import base64
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from urllib.parse import parse_qsl, urlsplit

KST = timezone(timedelta(hours=9), "KST")
REGION = "ap-northeast-2"
_ACCOUNT = "123456789012"  # the account number that AWS's own examples use
_API = "nightjar0local"


def scheduled_event(at: datetime, *, event_id: str | None = None) -> dict[str, object]:
    """The event that a rule with a schedule sends at the moment `at` (with a time zone).

    EventBridge delivers at least once: a second delivery carries the same `event_id`.
    """
    moment = at.astimezone(UTC).replace(microsecond=0)
    return {
        "version": "0",
        "id": event_id or str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": _ACCOUNT,
        "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{_ACCOUNT}:rule/nightjar-nightly"],
        "detail": {},
    }


def nightly_event(day: date, *, hour: int = 1, minute: int = 0, event_id: str | None = None) -> dict[str, object]:
    """The nightly event of a KST day, at CRAWL_SCHEDULE_HOUR:CRAWL_SCHEDULE_MINUTE of that day in KST."""
    return scheduled_event(datetime.combine(day, time(hour, minute), tzinfo=KST), event_id=event_id)


def http_event(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: str | bytes | None = None,
    at: datetime | None = None,
) -> dict[str, object]:
    """The event of an HTTP API for one request. `url` is path and query, as a client would write them.

    Header names arrive in lower case; a repeated query parameter arrives once, its values joined by commas; a body of
    bytes arrives in base64.
    """
    parts = urlsplit(url)
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    sent = {name.lower(): value for name, value in (headers or {}).items()}
    domain = f"{_API}.execute-api.{REGION}.amazonaws.com"
    event: dict[str, object] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": parts.path,
        "rawQueryString": parts.query,
        "headers": {"host": domain, "x-forwarded-proto": "https", **sent},
        "requestContext": {
            "accountId": _ACCOUNT,
            "apiId": _API,
            "domainName": domain,
            "domainPrefix": _API,
            "http": {
                "method": method.upper(),
                "path": parts.path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.10",
                "userAgent": sent.get("user-agent", "nightjar-local"),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": "$default",
            "stage": "$default",
            "time": moment.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(moment.timestamp() * 1000),
        },
        "isBase64Encoded": isinstance(body, bytes),
    }
    parameters = _joined(parts.query)
    if parameters:
        event["queryStringParameters"] = parameters
    if body is not None:
        event["body"] = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    return event


def websocket_event(
    route: str,
    connection_id: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
    at: datetime | None = None,
) -> dict[str, object]:
    """The event of a WebSocket API for one route: $connect, $disconnect, $default or an action.

    Only $connect and $disconnect carry headers, with their names as the client wrote them; only messages have a body.
    """
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    kind = {"$connect": "CONNECT", "$disconnect": "DISCONNECT"}.get(route, "MESSAGE")
    domain = f"{_API}.execute-api.{REGION}.amazonaws.com"
    context: dict[str, object] = {
        "routeKey": route,
        "eventType": kind,
        "messageDirection": "IN",
        "stage": "live",
        "connectionId": connection_id,
        "connectedAt": int(moment.timestamp() * 1000),
        "requestTime": moment.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(moment.timestamp() * 1000),
        "requestId": str(uuid.uuid4()),
        "extendedRequestId": str(uuid.uuid4()),
        "identity": {"sourceIp": "203.0.113.10"},
        "domainName": domain,
        "apiId": _API,
    }
    event: dict[str, object] = {"requestContext": context, "isBase64Encoded": False}
    if kind == "MESSAGE":
        context["messageId"] = str(uuid.uuid4())
        return event | {"body": body if body is not None else ""}
    sent = {"Host": domain, "X-Forwarded-Proto": "https", **(headers or {})}
    return event | {"headers": sent, "multiValueHeaders": {name: [value] for name, value in sent.items()}}


def _joined(query: str) -> dict[str, str]:
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        values.setdefault(name, []).append(value)
    return {name: ",".join(several) for name, several in values.items()}
