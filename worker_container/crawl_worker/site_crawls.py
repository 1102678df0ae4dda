"""What a child needs for site crawls, put together from its parts."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from uuid import UUID

from crawl_worker.engine.browser import Browser
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.host_gate import GateRules, PostgresHostGate
from crawl_worker.engine.page_pool import PagePool
from crawl_worker.engine.settings import EngineSettings
from crawl_worker.engine.store import Store
from crawl_worker.engine.web_client import WebClient
from crawl_worker.sites.web.claiming import ClaimRules
from crawl_worker.sites.web.crawl_news import CrawlNews
from crawl_worker.sites.web.crawl_slice import CrawlSlice
from crawl_worker.sites.web.polite_pages import PageTools, PolitePages
from crawl_worker.sites.web.slice_parts import SliceRules, SliceTools
from crawl_worker.tasks.crawl_slice import CrawlSliceJob
from crawl_worker.tasks.pagination_job import PaginationJob
from crawl_worker.tasks.structure_job import StructureJob, StructureTools
from nightjar.domain.site_crawl import Engine
from nightjar.ports import Archive, ProgressChannel, TaskQueue
from nightjar.settings import RankSettings

REQUESTS_OF_A_PAGE = 2
"""`auto` asks over HTTP first, then perhaps with the browser."""

RELEASE_MARGIN = timedelta(seconds=15)
"""Beyond the longest request: a host that is held longer than this has a dead holder."""


class SiteCrawls:
    """Makes the jobs of slices and of lists, and stops what its owner cancels."""

    def __init__(
        self,
        *,
        store: Store,
        claims: Store,
        queue: TaskQueue,
        channel: ProgressChannel,
        archive: Callable[[], Archive],
        browser: Browser,
        engine: EngineSettings,
        ranks: RankSettings,
        gate_rules: GateRules,
        lease: timedelta,
        time_limit: timedelta,
    ) -> None:
        rule = EgressRule(allowed_origins=engine.allowed_origins)
        self.web = WebClient(engine, rule)
        self.pool = PagePool(browser, engine)
        self._archive = cache(archive)
        self._store = store
        self._claims = claims
        self._queue = queue
        self._channel = channel
        self._rule = rule
        self._engine = engine
        self._ranks = ranks
        self._gate_rules = gate_rules
        self._lease = lease
        self._time_limit = time_limit
        self._working: CrawlSlice | None = None

    def slice_job(self) -> CrawlSliceJob:
        """The job of one attempt at a slice: with one user agent from the list, for the crawls that it opens."""
        tools = SliceTools(
            store=self._store,
            claims=self._claims,
            queue=self._queue,
            channel=self._channel,
            archive=self._archive(),
            web=self.web,
            pool=self.pool,
            rule=self._rule,
        )
        claims = ClaimRules(
            max_per_host=self._engine.max_per_host,
            user_agent=random.choice(self._engine.user_agents),  # noqa: S311  # a choice, not a secret
            request_budget=REQUESTS_OF_A_PAGE * self._engine.timeout + RELEASE_MARGIN,
            lease=self._lease,
            robots_retry=self._ranks.retry_delay,
        )
        rules = SliceRules(claims=claims, retry_delay=self._ranks.retry_delay, pause=self._ranks.delay)
        return CrawlSliceJob(tools, rules, watch=self._watch)

    def list_job(self) -> PaginationJob:
        """The job of one attempt at a list that goes over many pages."""
        tools = PageTools(
            store=self._store,
            web=self.web,
            pool=self.pool,
            new_gate=lambda delay: PostgresHostGate(self._store, replace(self._gate_rules, delay=delay)),
            delay=self._ranks.delay,
            request_timeout=self._engine.timeout,
        )
        user_agent = random.choice(self._engine.user_agents)  # noqa: S311  # a choice, not a secret

        def pages_of(engine: Engine) -> PolitePages:
            return PolitePages(tools, engine=engine, user_agent=user_agent)

        return PaginationJob(self._store, pages_of, retry_delay=self._ranks.retry_delay, time_limit=self._time_limit)

    def structure_job(self) -> StructureJob:
        """The job of one attempt at analysing the pages of a crawl."""
        news = CrawlNews(self._store, self._channel)
        tools = StructureTools(store=self._store, queue=self._queue, archive=self._archive(), news=news)
        return StructureJob(tools)

    def cancel(self, task_id: UUID) -> None:
        """Drop what is in hand of a crawl, if it is one that is being worked at here."""
        if self._working is not None:
            self._working.cancel(task_id)

    async def close(self) -> None:
        """Close the connections and the browser pages."""
        await self.web.close()
        await self.pool.close()

    def _watch(self, working: CrawlSlice | None) -> None:
        self._working = working
