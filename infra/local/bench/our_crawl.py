"""Our crawl of the bench's site: from POST /api/v1/crawl to the end of the task, and what it left behind."""

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from sqlalchemy import text
from warcio.archiveiterator import ArchiveIterator  # type: ignore[import-untyped]

from infra.local.bench.contest import CRAWL_SECONDS, Crawled
from infra.local.bench.memory import PeakMemory
from infra.local.stack import API, JANITOR, WORKERS, Stack
from nightjar.database.engine import Database
from tests.doubles.web.static_site import LINKS

LOOK_SECONDS = 0.02
SLOWEST_RATE = 50
"""Pages a second below which a crawl is given up."""

DEPTH = 10

STATE = text("SELECT state FROM tasks WHERE id = :id")
COUNTS = text("SELECT discovered, done, failed, skipped FROM crawls WHERE task_id = :id")
WHOLE_PAGES = text("""
    SELECT count(*), count(DISTINCT url), count(*) FILTER (
        WHERE url IS NOT NULL AND status = 200 AND json_array_length(headers) > 0 AND title <> ''
          AND length(text) > 1000 AND json_array_length(links) = :links AND fetched_at IS NOT NULL
          AND elapsed_ms IS NOT NULL AND archive_length > 0)
    FROM pages WHERE crawl_id = :id
""")


def crawl_stack(*sites: str, children: int) -> Stack:
    """A whole system with one worker of `children` processes that may crawl these sites on loopback."""
    addresses = [urlsplit(site) for site in sites]
    settings = {
        "CRAWL_ALLOWED_ORIGINS": ",".join(f"{address.scheme}://{address.netloc}" for address in addresses),
        "WORKER_CONCURRENCY": str(children),
    }
    return Stack(settings, processes={API, WORKERS, JANITOR}, interactive_worker=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OurCrawl:
    """What one crawl asks for."""

    url: str
    pages: int
    structure: bool
    engine: str = "http"

    def run(self, stack: Stack, meanwhile: AbstractContextManager[object] | None = None) -> Crawled:
        """Crawl; `meanwhile` is open from the request to the end of the task.

        Raises RuntimeError if not exactly `pages` whole rows and as many archived responses are there.
        """
        worker = stack.process("worker-1").pid
        if worker is None:
            raise RuntimeError("the worker does not run")
        database = Database(stack.database_url, name="bench")
        with PeakMemory(worker) as memory, meanwhile or nullcontext():
            started = time.perf_counter()
            task_id = self._start(stack)
            self._await_end(database, task_id)
            seconds = time.perf_counter() - started
        self._check(database, task_id)
        database.close()
        archived = _responses(Path(stack.env["ARCHIVE_URL"]) / "crawls" / str(task_id))
        if archived != self.pages:
            raise RuntimeError(f"{archived} responses are archived instead of {self.pages}")
        return Crawled(pages=self.pages, seconds=seconds, tree_mb=memory.tree_mb)

    def _start(self, stack: Stack) -> UUID:
        body = {"url": self.url, "depth": DEPTH, "limit": self.pages, "delay": 0.0, "engine": self.engine}
        answer = httpx.post(
            f"{stack.api_url}/api/v1/crawl",
            json={**body, "structure": self.structure, "background": True},
            headers={"Authorization": f"Bearer {stack.api_key}"},
        )
        if answer.status_code != httpx.codes.ACCEPTED:
            raise RuntimeError(f"the crawl was not started: {answer.status_code} {answer.text}")
        return UUID(answer.json()["task_id"])

    def _await_end(self, database: Database, task_id: UUID) -> None:
        deadline = time.monotonic() + max(CRAWL_SECONDS, self.pages / SLOWEST_RATE)
        while True:
            with database.transaction() as uow:
                state = uow.connection.execute(STATE, {"id": task_id}).scalar_one()
            if state == "completed":
                return
            if state in {"failed", "cancelled"} or time.monotonic() > deadline:
                raise RuntimeError(f"the crawl is {state}")
            time.sleep(LOOK_SECONDS)

    def _check(self, database: Database, task_id: UUID) -> None:
        with database.transaction() as uow:
            rows = uow.connection.execute(WHOLE_PAGES, {"id": task_id, "links": LINKS}).one()
            counts = uow.connection.execute(COUNTS, {"id": task_id}).one()
        if tuple(rows) != (self.pages,) * 3:
            raise RuntimeError(f"pages, distinct URLs, whole rows: {tuple(rows)} instead of {self.pages}; {counts}")


def _responses(folder: Path) -> int:
    """How many answers the archive of a crawl holds: responses as they came, and what the browser showed."""
    found = 0
    for name in folder.glob("*.warc.gz"):
        with name.open("rb") as archive:
            found += sum(record.rec_type in {"response", "resource"} for record in ArchiveIterator(archive))
    return found
