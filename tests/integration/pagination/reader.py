"""A reader of lists: the real attempt, gate, database, HTTP client and browser, against a site of the test's own."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from crawl_worker.engine.attempt import AttemptRules, Attempts
from crawl_worker.engine.browser import Browser
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.host_gate import GateRules, PostgresHostGate
from crawl_worker.engine.page_pool import PagePool
from crawl_worker.engine.politeness import HostGate
from crawl_worker.engine.settings import EngineSettings
from crawl_worker.engine.store import Store
from crawl_worker.engine.web_client import WebClient
from crawl_worker.sites.web.polite_pages import PageTools, PolitePages
from crawl_worker.tasks.pagination_job import PaginationJob
from nightjar.database.engine import Database
from nightjar.database.tasks import NewTask
from nightjar.domain.page_list import PageListOrder
from nightjar.domain.site_crawl import Engine
from nightjar.domain.task import Task
from nightjar.tasks import Queue, TaskKind
from tests.integration.baemin.desk import Diary, NoQueue

OWNER = "shop"


@dataclass
class ListReader:
    """Reads lists as a worker does. `delay` is the pause that the settings ask for."""

    database_url: str
    origin: str
    delay: timedelta = timedelta(milliseconds=10)
    time_limit: timedelta = timedelta(seconds=60)
    diary: Diary = field(default_factory=Diary)

    def __post_init__(self) -> None:
        settings = EngineSettings(timeout=timedelta(seconds=5), crawl_pages=1)
        self.database = Database(self.database_url, name="lists", pool_size=2)
        self.store = Store(Database(self.database_url, name="lists-store"), name="store")
        self.pulse = Store(Database(self.database_url, name="lists-pulse"), name="pulse")
        self.browser = Browser(settings)
        self.pool = PagePool(self.browser, settings)
        self.web = WebClient(settings, EgressRule(frozenset({self.origin})))

    async def close(self) -> None:
        await self.pool.close()
        await self.browser.close()
        await self.web.close()
        self.store.close()
        self.pulse.close()
        self.database.close()

    async def reads(self, path: str, total_pages: int, *, engine: Engine = Engine.HTTP, seconds: int = 60) -> Task:
        """The task of a new list after one attempt at it."""
        url_pattern = path if "://" in path else f"{self.origin}{path}"
        order = PageListOrder(url_pattern=url_pattern, total_pages=total_pages, engine=engine)
        new = NewTask(
            kind=TaskKind.PROCESS_PAGINATION,
            queue=Queue.PAGINATION,
            correlation_id="c",
            owner=OWNER,
            payload=order.payload(),
            timeout_seconds=seconds,
        )
        with self.database.transaction() as uow:
            task_id = uow.tasks.add(new)
        return await self.attempt(task_id)

    async def attempt(self, task_id: UUID) -> Task:
        attempts = Attempts(
            store=self.store,
            pulse=self.pulse,
            queue=NoQueue(),  # type: ignore[arg-type]  # only its way of publishing is used
            channel=self.diary,
            rules=AttemptRules(lease=timedelta(seconds=10), soft_limit=self.time_limit),
            stopping=asyncio.Event(),
        )
        await attempts.run(task_id, self.job())
        with self.database.transaction() as uow:
            task = uow.tasks.get(task_id, owner=OWNER)
        assert task is not None
        return task

    def job(self) -> PaginationJob:
        tools = PageTools(
            store=self.store,
            web=self.web,
            pool=self.pool,
            new_gate=self._gate,
            delay=self.delay,
            request_timeout=timedelta(seconds=5),
        )

        def pages_of(engine: Engine) -> PolitePages:
            return PolitePages(tools, engine=engine, user_agent="NightjarTest/1.0")

        return PaginationJob(self.store, pages_of, retry_delay=timedelta(0), time_limit=self.time_limit)

    def _gate(self, delay: timedelta) -> HostGate:
        rules = GateRules(delay=delay, cooldown=timedelta(seconds=60), patience=timedelta(seconds=5))
        return PostgresHostGate(self.store, rules)


def results_of(task: Task) -> list[dict[str, Any]]:
    """The pages that were read, once all of a list is over."""
    assert (task.state, task.error_message) == ("completed", None)
    assert task.result is not None
    results: list[dict[str, Any]] = task.result["results"]  # type: ignore[assignment]  # a list in JSON
    return results


def errors_of(task: Task) -> dict[int, str]:
    """The codes of the pages that were not read."""
    assert task.result is not None
    return {one["page"]: one["code"] for one in task.result["errors"]}  # type: ignore[attr-defined]
