"""A crawl watched over WebSocket: its steps in order, its end once, nothing missed and nothing twice."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from nightjar.domain.progress import STORE_CRAWL_STEPS
from tests.acceptance.night import wait_until
from tests.acceptance.store_crawls.standing import frozen
from tests.acceptance.store_crawls.system import FINAL, CrawlSystem

Message = dict[str, Any]
TASK_ENDED = 1000


@contextmanager
def watching(system: CrawlSystem, task_id: str, *, after: str = "", key: str = "") -> Iterator[ClientConnection]:
    """A client of the live stream."""
    address = system.stack.api_url.replace("http", "ws", 1)
    query = f"?after={after}" if after else ""
    headers = {"Authorization": f"Bearer {key or system.key}"}
    with connect(f"{address}/api/v1/tasks/{task_id}/live{query}", additional_headers=headers, proxy=None) as client:
        yield client


@dataclass
class Viewer:
    """Watches a task to its end in a thread; connects again after its last message whenever it is cut off.

    `stay` is how many messages it takes of one connection before it leaves by itself; 0 is all.
    """

    system: CrawlSystem
    task_id: str
    stay: int = 0
    messages: list[Message] = field(default_factory=list)
    connections: int = 0
    close_code: int | None = None

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def join(self) -> "Viewer":
        """Wait for the end."""
        self._thread.join(60)
        assert not self._thread.is_alive(), self.messages[-1:]
        return self

    @property
    def steps(self) -> list[str]:
        """The steps, each time one began."""
        steps = [message["step"] for message in self.messages if message["status"] == "in_progress" and message["step"]]
        return [step for index, step in enumerate(steps) if not index or steps[index - 1] != step]

    @property
    def places(self) -> list[tuple[str, int]]:
        return [(message["epoch"], message["seq"]) for message in self.messages]

    def _watch(self) -> None:
        while not self.messages or self.messages[-1]["status"] not in FINAL:
            try:
                self._one_connection()
            except (ConnectionClosed, InvalidHandshake, OSError):
                threading.Event().wait(0.05)

    def _one_connection(self) -> None:
        last = self.messages[-1] if self.messages else None
        after = f"{last['epoch']}:{last['seq']}" if last else ""
        with watching(self.system, self.task_id, after=after) as client:
            self.connections += 1
            taken = 0
            while not self.stay or taken < self.stay:
                try:
                    message = json.loads(client.recv(timeout=30))
                except ConnectionClosed as closed:
                    self.close_code = closed.rcvd.code if closed.rcvd else None
                    raise
                self.system.answers.append(json.dumps(message))
                if message.get("type") != "ping":
                    self.messages.append(message)
                    taken += 1


def is_without_gap(viewer: Viewer) -> bool:
    """One epoch, counted from its first message without a hole or a double."""
    first = viewer.messages[0]["seq"]
    return viewer.places == [(viewer.messages[0]["epoch"], first + number) for number in range(len(viewer.messages))]


def test_a_crawl_is_seen_step_by_step_with_its_percent_and_ends_once(crawls: CrawlSystem) -> None:
    with frozen("login_page")(crawls) as standing:
        viewer = Viewer(crawls, standing.task_id)
        wait_until(lambda: bool(viewer.messages), 10)
    viewer.join()
    wait_until(lambda: viewer.close_code is not None or viewer.messages[-1]["status"] in FINAL, 5)
    assert viewer.messages[0]["step"] == "login_page"
    assert viewer.steps == list(STORE_CRAWL_STEPS)[3:-1]
    for message in viewer.messages:
        assert message["progress"] == (100 if message["status"] == "completed" else STORE_CRAWL_STEPS[message["step"]])
    assert [message["status"] for message in viewer.messages if message["status"] in FINAL] == ["completed"]
    assert max(message["counts"].get("stores", 0) for message in viewer.messages) == 2
    assert is_without_gap(viewer)


def test_clients_that_come_and_go_miss_nothing_and_see_nothing_twice(crawls: CrawlSystem) -> None:
    with frozen("login_page")(crawls) as standing:
        staying = Viewer(crawls, standing.task_id)
        leaving = [Viewer(crawls, standing.task_id, stay=number) for number in (1, 2, 3)]
        wait_until(lambda: all(viewer.messages for viewer in (staying, *leaving)), 10)
    staying.join()
    assert is_without_gap(staying)
    for viewer in leaving:
        assert viewer.join().connections > 2
        assert viewer.messages == staying.messages


def test_the_stream_closes_when_the_task_has_ended(crawls: CrawlSystem) -> None:
    task_id = crawls.crawl(crawls.new_owner())["task_id"]
    with watching(crawls, task_id) as client:
        messages = [json.loads(client.recv(timeout=10))]
        with pytest.raises(ConnectionClosed) as closed:
            messages.append(json.loads(client.recv(timeout=10)))
    assert [message["status"] for message in messages] == ["completed"]
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == TASK_ENDED


def test_a_restart_of_the_api_costs_a_watching_client_nothing(crawls: CrawlSystem) -> None:
    with frozen("login_submit")(crawls) as standing:
        viewer = Viewer(crawls, standing.task_id)
        wait_until(lambda: bool(viewer.messages), 10)
        crawls.stack.process("api").restart()
    viewer.join()
    assert viewer.connections > 1
    assert is_without_gap(viewer)
    assert viewer.steps == list(STORE_CRAWL_STEPS)[4:-1]
    assert [message["status"] for message in viewer.messages if message["status"] in FINAL] == ["completed"]


def test_a_redis_that_forgets_everything_costs_a_watching_client_no_step_and_no_end(crawls: CrawlSystem) -> None:
    with frozen("detail")(crawls) as standing:
        staying = Viewer(crawls, standing.task_id)
        leaving = Viewer(crawls, standing.task_id, stay=1)
        wait_until(lambda: bool(staying.messages and leaving.messages), 10)
        crawls.flush_redis()
    for viewer in (staying.join(), leaving.join()):
        assert len(set(viewer.places)) == len(viewer.places)
        progress = [message["progress"] for message in viewer.messages]
        assert progress == sorted(progress)
        assert [message["status"] for message in viewer.messages if message["status"] in FINAL] == ["completed"]


def test_a_cancelled_crawl_is_seen_to_end_once(crawls: CrawlSystem) -> None:
    with frozen("extraction")(crawls) as standing:
        viewer = Viewer(crawls, standing.task_id)
        wait_until(lambda: bool(viewer.messages), 10)
        crawls.shop.delete(f"/api/v1/tasks/{standing.task_id}")
        viewer.join()
    assert [message["status"] for message in viewer.messages if message["status"] != "in_progress"] == ["cancelled"]


def test_nobody_else_can_watch(crawls: CrawlSystem) -> None:
    with frozen("navigation")(crawls) as standing:
        stranger = str(crawls.stranger.headers["Authorization"]).removeprefix("Bearer ")
        with watching(crawls, standing.task_id, key=stranger) as client, pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4404
