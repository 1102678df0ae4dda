"""A whole system around the replica of the web: API, worker, janitor, and what a test wants to see of their crawls."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import text

from infra.local.stack import API, JANITOR, WORKERS, Stack
from nightjar.database.engine import Database
from tests.acceptance.night import wait_until
from tests.doubles.web.replica import Json, WebReplica
from tests.doubles.web.truth import Expected, folded, is_endless

FINAL = ("completed", "failed", "cancelled")
STATES = ("queued", "leased", "done", "failed", "skipped")

SETTINGS = {
    "CRAWL_DELAY_SECONDS": "0.01",
    "CRAWL_RETRY_DELAY_SECONDS": "0.1",
    "CRAWL_TIMEOUT_SECONDS": "3",
    "LEASE_SECONDS": "3",
    "JANITOR_INTERVAL_SECONDS": "0.3",
    "WORKER_CONCURRENCY": "2",
}
"""The same code, shorter waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crawled:
    """A crawl that has ended, with all that the API tells of it, and its frontier counted one by one."""

    answer: Json
    pages: Sequence[Json]
    errors: Sequence[Json]
    skipped: Sequence[Json]
    frontier: Mapping[str, int]
    watched: Sequence[Mapping[str, int]]
    """Its counts at every look while it ran."""

    @property
    def counts(self) -> Mapping[str, int]:
        """As they stand at the end."""
        counts: Mapping[str, int] = self.answer["counts"]
        return counts

    @property
    def urls(self) -> list[str]:
        """Of its pages, where each was in the end."""
        return [page["final_url"] for page in self.pages]


class WebCrawls:
    """The running system, seen by a test."""

    def __init__(self, web: WebReplica, stack: Stack) -> None:
        self.web = web
        self.stack = stack
        self.database = Database(stack.database_url, name="test", pool_size=4)
        headers = {"Authorization": f"Bearer {stack.api_key}"}
        self.client = httpx.Client(base_url=stack.api_url, headers=headers, timeout=30)

    def close(self) -> None:
        """Give the connections back."""
        self.client.close()
        self.database.close()

    # --- crawls ---------------------------------------------------------------------------------------------------

    def ask(self, url: str, **order: object) -> httpx.Response:
        """Ask for a crawl, quick and without analysis unless told otherwise."""
        body = {"url": url, "engine": "http", "delay": 0, "background": True, "structure": False, **order}
        return self.client.post("/api/v1/crawl", json=body)

    def start(self, url: str, **order: object) -> str:
        """Start a crawl; its task."""
        answer = self.ask(url, **order)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["task_id"])

    def crawl(self, url: str, *, seconds: float = 60, **order: object) -> Crawled:
        """One crawl from its start to its end."""
        return self.finished(self.start(url, **order), seconds=seconds)

    def finished(self, task_id: str, *, seconds: float = 60) -> Crawled:
        """A crawl once it has ended. Its counts add up whenever somebody looks."""
        watched: list[Mapping[str, int]] = []

        def has_ended() -> bool:
            answer = self.crawl_now(task_id)
            counts = answer["counts"]
            assert counts["discovered"] == sum(counts[state] for state in STATES), counts
            watched.append(counts)
            return answer["status"] in FINAL

        wait_until(has_ended, seconds, lambda: (self.crawl_now(task_id), self._in_hand(task_id)))
        return Crawled(
            answer=self.crawl_now(task_id),
            pages=self.listed(task_id, "pages"),
            errors=self.listed(task_id, "errors"),
            skipped=self.listed(task_id, "errors", kind="skipped"),
            frontier=self._frontier(task_id),
            watched=watched,
        )

    def crawl_now(self, task_id: str) -> Json:
        """As the API shows it."""
        answer = self.client.get(f"/api/v1/crawls/{task_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def listed(self, task_id: str, what: str, **query: str) -> list[Json]:
        """All pages or errors of a crawl, streamed as NDJSON."""
        answer = self.client.get(f"/api/v1/crawls/{task_id}/{what}", params={"format": "ndjson", **query})
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]

    def rows(self, query: str, **values: object) -> list[Mapping[str, Any]]:
        """Rows of the database."""
        with self.database.transaction() as uow:
            return [row._asdict() for row in uow.connection.execute(text(query), values)]

    def settle_down(self) -> None:
        """After a test: no crawl runs, no host is held or remembered, and the replica is as at its start."""
        open_tasks = "SELECT id FROM tasks WHERE kind = 'crawl' AND state IN ('pending', 'in_progress')"
        for row in self.rows(open_tasks):
            self.client.delete(f"/api/v1/tasks/{row['id']}")
        slices = "SELECT id FROM tasks WHERE kind = 'crawl_slice' AND state IN ('pending', 'in_progress')"
        wait_until(lambda: not self.rows(slices), 30, lambda: self.rows("SELECT * FROM crawl_hosts LIMIT 5"))
        with self.database.transaction() as uow:
            uow.connection.exec_driver_sql("TRUNCATE robots, hosts, host_shares")
        self.web.control.reset()

    def _frontier(self, task_id: str) -> Mapping[str, int]:
        query = "SELECT state, count(*) AS urls FROM frontier WHERE crawl_id = :id GROUP BY state"
        return {row["state"]: row["urls"] for row in self.rows(query, id=task_id)}

    def _in_hand(self, task_id: str) -> list[str]:
        query = "SELECT url FROM frontier WHERE crawl_id = :id AND state IN ('leased', 'queued') LIMIT 10"
        return [row["url"] for row in self.rows(query, id=task_id)]


# --- comparing with the truth --------------------------------------------------------------------------------------


def differences(web: WebReplica, host: str, crawled: Crawled, truth: Expected) -> list[str]:
    """Where what was found is not the truth: pages by depth, skips by reason, failures by code."""
    return [
        *_unequal("pages at depth", _by_depth(web, host, crawled), _depths(truth)),
        *_unequal("skipped as", _skips(web, host, crawled), _folded_all(host, truth.skipped)),
        *_unequal("failed as", _failures(web, host, crawled), _folded_all(host, truth.failed)),
        *(f"twice: {url}" for url, times in Counter(crawled.urls).items() if times > 1),
    ]


def endless_urls(web: WebReplica, host: str, crawled: Crawled) -> list[str]:
    """The pages that were read of families without end."""
    return [url for url in crawled.urls if is_endless(host, web.target(host, url))]


def _by_depth(web: WebReplica, host: str, crawled: Crawled) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for page in crawled.pages:
        found.setdefault(str(page["depth"]), set()).add(web.target(host, page["final_url"]))
    return _ended_all(host, found)


def _depths(truth: Expected) -> Mapping[str, frozenset[str]]:
    return {str(depth): found for depth, found in truth.pages_at_depth.items() if found} | (
        {"None": truth.sitemap_only} if truth.sitemap_only else {}
    )


def _skips(web: WebReplica, host: str, crawled: Crawled) -> Mapping[str, frozenset[str]]:
    return _by(host, "reason", crawled.skipped, lambda url: web.target(host, url))


def _failures(web: WebReplica, host: str, crawled: Crawled) -> Mapping[str, frozenset[str]]:
    return _by(host, "code", crawled.errors, lambda url: web.target(host, url))


def _by(host: str, name: str, rows: Sequence[Json], target: Callable[[str], str]) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row[name], set()).add(target(row["url"]))
    return _ended_all(host, found)


def _ended_all(host: str, groups: Mapping[str, set[str]]) -> Mapping[str, frozenset[str]]:
    """Without the families that have no end."""
    ended = {name: {target for target in found if not is_endless(host, target)} for name, found in groups.items()}
    return _folded_all(host, {name: frozenset(found) for name, found in ended.items() if found})


def _folded_all(host: str, groups: Mapping[str, frozenset[str]]) -> Mapping[str, frozenset[str]]:
    return {name: folded(host, found) for name, found in groups.items()}


def _unequal(what: str, found: Mapping[str, frozenset[str]], true: Mapping[str, frozenset[str]]) -> list[str]:
    lines = []
    for name in sorted(found.keys() | true.keys()):
        here, there = found.get(name, frozenset()), true.get(name, frozenset())
        lines += [f"{what} {name}: also {target}" for target in sorted(here - there)]
        lines += [f"{what} {name}: not {target}" for target in sorted(there - here)]
    return lines


@contextmanager
def a_system(settings: Mapping[str, str] | None = None, *, workers: int = 1) -> Iterator[WebCrawls]:
    """One worker with two children unless told otherwise."""
    with WebReplica() as web:
        chosen = {**SETTINGS, "CRAWL_ALLOWED_ORIGINS": " ".join(web.origins), **(settings or {})}
        processes = {API, WORKERS, JANITOR}
        with Stack(chosen, processes=processes, workers=workers, interactive_worker=False) as stack:
            system = WebCrawls(web, stack)
            yield system
            system.close()


def seconds_of(action: Callable[[], object]) -> float:
    """How long it took."""
    began = time.monotonic()
    action()
    return time.monotonic() - began
