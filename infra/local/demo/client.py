"""The API as a client with a key uses it. Every call has a time limit; a refusal says what was asked and answered."""

import json
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx
from websockets.exceptions import ConnectionClosedOK, WebSocketException
from websockets.sync.client import connect

from infra.local.demo.followed import Batch, Day, Followed, History
from infra.local.demo.store_crawl import LiveStep

_TIMEOUT_SECONDS = 20.0
_WATCH_SECONDS = 90.0
"""For a task that is watched to end."""
_PAGE = 200


class ApiError(Exception):
    """The API did not answer, or refused."""


class Client:
    """The calls of the demo under one key. Use it as a context manager. Every method may raise ApiError."""

    def __init__(self, url: str, key: str) -> None:
        self._headers = {"Authorization": f"Bearer {key}"}
        self._live_url = f"{url.replace('http', 'ws', 1)}/api/v1"
        self._http = httpx.Client(base_url=url, headers=self._headers, timeout=_TIMEOUT_SECONDS)

    def __enter__(self) -> Self:
        """Nothing is opened before the first call."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._http.close()

    def issue_key(self, name: str) -> str:
        """A new owner's key."""
        return str(self._call("POST", "/keys", {"name": name, "role": "owner"}).json()["key"])

    def register(self, *, rank_type: str, keyword: str, target_url: str, target_key: str) -> Followed:
        """Follow a target from now on; its first check starts at once."""
        body = {"rank_type": rank_type, "keyword": keyword, "target_url": target_url}
        return Followed.from_json(self._call("POST", "/trackings", body).json(), target_key=target_key)

    def active_tasks(self) -> int:
        """Tasks of this owner that are not over, up to a page of them."""
        return len(self._call("GET", f"/tasks?state=active&limit={_PAGE}").json()["items"])

    def batch(self, batch_id: int) -> Batch:
        """A batch with its figures as of now."""
        return Batch.from_json(self._call("GET", f"/batches/{batch_id}").json())

    def batches(self) -> list[Batch]:
        """All batches, newest first."""
        return [Batch.from_json(item) for item in self._items("/batches")]

    def history(self, followed: Followed) -> History:
        """All days of a tracking, oldest first, and what is known of it now."""
        now = self._call("GET", f"/trackings/{followed.id}").json()
        days = [Day.from_json(row) for row in self._items(f"/trackings/{followed.id}/history")]
        return History(
            followed=followed,
            days=tuple(reversed(days)),
            current_session=now["current_session"],
            known_rank=now["last"] and now["last"]["known_rank"],
        )

    def history_csv(self, followed: Followed) -> str:
        """The same as the CSV file that the API exports, byte order mark included."""
        return self._call("GET", f"/trackings/{followed.id}/history?format=csv").content.decode("utf-8")

    def add_account(self, login_id: str, password: str) -> str:
        """Give the credentials of an owner at Baemin; the id of the account."""
        body = {"platform": "baemin", "login_id": login_id, "password": password}
        return str(self._call("POST", "/accounts", body).json()["id"])

    def start_crawl(self, account_id: str) -> str:
        """Start to read the stores of an account; the id of the task."""
        answer = self._call("POST", "/start-crawling", {"account_id": account_id}, root="/api/baemin")
        return str(answer.json()["task_id"])

    def cancel_crawl(self, task_id: str) -> None:
        """Ask a crawl to stop."""
        self._call("DELETE", f"/cancel-task/{task_id}", root="/api/baemin")

    def task_status(self, task_id: str) -> str:
        """How a task stands."""
        return str(self._call("GET", f"/tasks/{task_id}").json()["status"])

    def stores(self) -> list[Mapping[str, Any]]:
        """All stores of this owner, newest first."""
        return list(self._items("/stores"))

    def watch(self, task_id: str) -> Iterator[LiveStep]:
        """What is told of a task over the WebSocket, as it happens, until the server closes after its end."""
        address, until = f"{self._live_url}/tasks/{task_id}/live", time.monotonic() + _WATCH_SECONDS
        try:
            with connect(
                address, additional_headers=self._headers, proxy=None, open_timeout=_TIMEOUT_SECONDS
            ) as connection:
                while True:
                    told = json.loads(connection.recv(max(until - time.monotonic(), 0)))
                    if told.get("type") != "ping":
                        yield LiveStep.from_json(told)
        except ConnectionClosedOK:
            return
        except (WebSocketException, OSError) as error:  # of which a time-out is one
            raise ApiError(f"the live progress of task {task_id} broke off ({error!r})") from error

    def _items(self, path: str) -> Iterator[Mapping[str, Any]]:
        cursor = ""
        while True:
            page = self._call("GET", f"{path}?limit={_PAGE}{cursor}").json()
            yield from page["items"]
            if page["next"] is None:
                return
            cursor = f"&cursor={page['next']}"

    def _call(
        self, method: str, path: str, body: Mapping[str, object] | None = None, *, root: str = "/api/v1"
    ) -> httpx.Response:
        try:
            answer = self._http.request(method, f"{root}{path}", json=None if body is None else dict(body))
        except httpx.HTTPError as error:
            raise ApiError(f"the API gave no answer to {method} {path} ({error!r})") from error
        if not answer.is_success:
            asked = f" with {_tellable(body)}" if body else ""
            raise ApiError(f"the API answered {answer.status_code} to {method} {path}{asked}: {answer.text}")
        return answer


def _tellable(body: Mapping[str, object]) -> dict[str, object]:
    """A body as an error may show it."""
    return {name: "***" if name == "password" else value for name, value in body.items()}
