"""What the tests of the API share: who calls, and a few bodies that are always accepted."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from httpx import Response

OPERATOR_KEY = "nj_the-operator-key-of-these-tests-0123456789"
PLACE_URL = "https://m.place.naver.com/restaurant/1234567890/home"
_numbers = count(1)


class Client:
    """Plain requests to an application in this process, from any thread."""

    def __init__(self, portal: BlockingPortal, client: httpx.AsyncClient) -> None:
        self.portal = portal
        self._client = client

    def request(self, method: str, path: str, **arguments: Any) -> Response:
        return self.portal.call(partial(self._client.request, method, path, **arguments))

    def get(self, path: str, **arguments: Any) -> Response:
        return self.request("GET", path, **arguments)

    def post(self, path: str, **arguments: Any) -> Response:
        return self.request("POST", path, **arguments)


@contextmanager
def client_of(app: FastAPI) -> Iterator[Client]:
    """A client while the application lives: its start-up has run, its shut-down follows."""
    with (
        client_without_start_up(app) as client,
        client.portal.wrap_async_context_manager(app.router.lifespan_context(app)),
    ):
        yield client


@contextmanager
def client_without_start_up(app: FastAPI) -> Iterator[Client]:
    """A client as in Lambda, where an application is not started."""
    with start_blocking_portal() as portal:
        transport = httpx.ASGITransport(app=app)
        client = httpx.AsyncClient(transport=transport, base_url="http://nightjar.test", timeout=60)
        with portal.wrap_async_context_manager(client):
            yield Client(portal, client)


class CallerClient:
    """Requests of one key holder."""

    def __init__(self, client: Client, key: str) -> None:
        self._client = client
        self.key = key

    def get(self, path: str, **parameters: object) -> Response:
        return self.send("GET", path, params={name: str(value) for name, value in parameters.items()} or None)

    def post(self, path: str, json: object = None, **headers: str) -> Response:
        return self.send("POST", path, json=json, headers=headers)

    def patch(self, path: str, json: object) -> Response:
        return self.send("PATCH", path, json=json)

    def delete(self, path: str) -> Response:
        return self.send("DELETE", path)

    def send(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        sent = {"authorization": f"Bearer {self.key}"}
        sent |= {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        return self._client.request(method, path, json=json, content=content, params=params, headers=sent)

    def issues_a_key_to(self, name: str) -> "CallerClient":
        """An owner of this name."""
        answer = self.post("/api/v1/keys", {"name": name, "role": "owner", "owner": name})
        assert answer.status_code == 201, answer.text
        return CallerClient(self._client, answer.json()["key"])

    def registers(self, **body: object) -> dict[str, object]:
        """A new tracking of this caller."""
        answer = self.post("/api/v1/trackings", a_registration(**body))
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def imports(self, text: str | bytes, **headers: str) -> Response:
        content = text.encode() if isinstance(text, str) else text
        return self.send(
            "POST", "/api/v1/trackings/import", content=content, headers={"content-type": "text/csv"} | headers
        )


def a_registration(**body: object) -> dict[str, object]:
    """A body that registers a tracking which nobody has yet."""
    number = next(_numbers)
    return {
        "rank_type": "place",
        "keyword": f"강남 파스타 {number}",
        "target_url": f"https://m.place.naver.com/restaurant/{1_000_000_000 + number}/home",
    } | body


def error_of(answer: Response) -> dict[str, object]:
    """The error of an answer, in the one envelope that all errors have."""
    body = answer.json()
    assert set(body) == {"error"}, body
    assert set(body["error"]) == {"code", "message", "details"}, body
    assert body["error"]["message"]
    return dict(body["error"])
