"""A whole system beside slow sites: API, a worker, the janitor, and what a test wants to see of site crawls."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from sqlalchemy import text

from crawl_worker.sites.web.warc import read_record
from infra.local.stack import API, JANITOR, WORKERS, Stack
from infra.local.supervisor import RestartPolicy
from nightjar.adapters.archive.folder import FolderArchive
from nightjar.database.engine import Database
from tests.acceptance.night import FAST, wait_until
from tests.acceptance.site_crawls_survive.slow_site import SlowSite, serving
from tests.acceptance.store_crawls.system import FINAL, WITNESS
from tests.doubles.web.replica import WebReplica

WORKER = "worker-1"
SOON_AGAIN = RestartPolicy(first_delay=0.1, longest_delay=0.1, most=1000)
SETTINGS = {**FAST, "LEASE_SECONDS": "2", "CRAWL_TIMEOUT_SECONDS": "30"}

# In one statement, so that both sides are of one moment.
COUNTED = """
    SELECT c.queued, c.leased, c.done, c.failed, c.skipped, c.discovered, c.page_limit, f.*,
           (SELECT count(*) FROM pages AS p WHERE p.crawl_id = c.task_id) AS pages
    FROM crawls AS c, LATERAL (
        SELECT count(*) FILTER (WHERE state = 'queued') AS queued_rows,
               count(*) FILTER (WHERE state = 'leased') AS leased_rows,
               count(*) FILTER (WHERE state = 'done') AS done_rows,
               count(*) FILTER (WHERE state = 'failed') AS failed_rows,
               count(*) FILTER (WHERE state = 'skipped') AS skipped_rows,
               count(*) AS rows FROM frontier WHERE crawl_id = c.task_id) AS f
    WHERE c.task_id = :id
"""


@dataclass(frozen=True, slots=True)
class SlowSites:
    """One for a crawl that is disturbed, one for a crawl beside it."""

    busy: SlowSite
    beside: SlowSite


class SiteCrawlSystem:
    """The running system, seen by a test."""

    def __init__(self, stack: Stack, sites: SlowSites, web: WebReplica) -> None:
        self.stack = stack
        self.sites = sites
        self.web = web
        self.database = Database(stack.database_url, name="test", pool_size=4)
        self.archive = FolderArchive(Path(stack.env["ARCHIVE_URL"]))
        with self.database.transaction() as uow:
            uow.connection.exec_driver_sql(WITNESS)
        headers = {"Authorization": f"Bearer {stack.api_key}"}
        self.api = httpx.Client(base_url=stack.api_url, headers=headers, timeout=30)

    def close(self) -> None:
        """Give the connections back."""
        self.api.close()
        self.database.close()

    # --- crawls ---------------------------------------------------------------------------------------------------

    def start(self, url: str, **order: object) -> str:
        """Start a crawl without a pause between requests; its task."""
        body = {"url": url, "depth": 20, "limit": 10_000, "engine": "http", "delay": 0, "structure": False}
        answer = self.api.post("/api/v1/crawl", json=body | {"background": True} | order)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["task_id"])

    def task(self, task_id: str) -> dict[str, Any]:
        """As the API shows it."""
        answer = self.api.get(f"/api/v1/tasks/{task_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def state(self, task_id: str) -> str:
        """As its row has it."""
        return str(self.rows("SELECT state FROM tasks WHERE id = :id", id=task_id)[0]["state"])

    def await_end(self, task_id: str, *, seconds: float = 45) -> dict[str, Any]:
        """The task once it has ended."""
        wait_until(lambda: self.state(task_id) in FINAL, seconds, lambda: self.how_it_stands(task_id))
        return self.task(task_id)

    def await_pages(self, task_id: str, number: int, *, seconds: float = 30) -> None:
        """Wait until so many pages are stored."""
        wait_until(lambda: self.counted(task_id)["done"] >= number, seconds, lambda: self.how_it_stands(task_id))

    def counted(self, task_id: str) -> Mapping[str, Any]:
        """The counts of a crawl, and its rows counted at the same moment."""
        return self.rows(COUNTED, id=task_id)[0]

    def counts(self, task_id: str) -> Mapping[str, int]:
        """The counts of a crawl alone, as people see them."""
        counted = self.counted(task_id)
        return {name: counted[name] for name in ("discovered", "queued", "leased", "done", "failed", "skipped")}

    def pages(self, task_id: str) -> Sequence[Mapping[str, Any]]:
        """Its stored pages."""
        return self.rows("SELECT * FROM pages WHERE crawl_id = :id ORDER BY id", id=task_id)

    def body_of(self, page: Mapping[str, Any]) -> tuple[str, bytes]:
        """URL and body of a page as the archive has them at the place that its row names."""
        data = self.archive.get(page["archive_object"], page["archive_offset"], page["archive_length"])
        archived = read_record(data)
        return archived.url, archived.body

    def states(self, task_id: str) -> list[str]:
        """Every state that the task was ever in, and each write that came after its end."""
        query = "SELECT state FROM seen_states WHERE task_id = :id ORDER BY n"
        return [row["state"] for row in self.rows(query, id=task_id)]

    def how_it_stands(self, task_id: str) -> object:
        """For the message of a test that fails."""
        slices = (
            "SELECT id, state, attempt, lease_until, not_before, published_at FROM tasks WHERE kind = 'crawl_slice'"
        )
        hosts = "SELECT host, due_at, clock_timestamp() AS now FROM crawl_hosts WHERE crawl_id = :id"
        return self.counted(task_id), self.rows(hosts, id=task_id), self.rows(slices)[-3:]

    def rows(self, query: str, **values: object) -> list[Mapping[str, Any]]:
        """Rows of the database."""
        with self.database.transaction() as uow:
            return [row._asdict() for row in uow.connection.execute(text(query), values)]

    # --- processes ------------------------------------------------------------------------------------------------

    def worker_family(self) -> list[psutil.Process]:
        """The worker's main process, its children and their browsers."""
        pid = self.stack.process(WORKER).pid
        if pid is None:
            return []
        worker = psutil.Process(pid)
        return [worker, *worker.children(recursive=True)]

    def settle_down(self) -> None:
        """After a test: nobody works."""
        for row in self.rows("SELECT id FROM tasks WHERE kind = 'crawl' AND state IN ('pending', 'in_progress')"):
            self.api.delete(f"/api/v1/tasks/{row['id']}")
        wait_until(lambda: self.stack.process(WORKER).is_alive, 20)
        self.sites.busy.requests.clear()
        self.sites.beside.requests.clear()
        self.web.control.reset()


@contextmanager
def a_system() -> Iterator[SiteCrawlSystem]:
    """One worker with two children, the janitor, the API, two slow sites and the replica of the web."""
    sites = SlowSites(busy=SlowSite(pages=240, delay=0.12), beside=SlowSite(pages=120, delay=0.12))
    with serving(sites.busy, sites.beside), WebReplica() as web:
        origins = ",".join([sites.busy.origin, sites.beside.origin, *web.origins])
        settings = {**SETTINGS, "CRAWL_ALLOWED_ORIGINS": origins}
        with Stack(settings, processes={API, WORKERS, JANITOR}, interactive_worker=False, policy=SOON_AGAIN) as stack:
            system = SiteCrawlSystem(stack, sites, web)
            yield system
            system.close()
