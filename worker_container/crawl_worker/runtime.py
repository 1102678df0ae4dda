"""What a child process is made of: put together after the fork, taken apart before the exit."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from crawl_worker.engine.attempt import AttemptRules, Attempts
from crawl_worker.engine.browser import Browser, BrowserProfile
from crawl_worker.engine.child import Child, ParentPipe
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.fetcher import PoliteFetcher
from crawl_worker.engine.host_gate import GateRules, PostgresHostGate
from crawl_worker.engine.http import HttpClient
from crawl_worker.engine.settings import EngineSettings
from crawl_worker.engine.store import Store
from crawl_worker.site_crawls import SiteCrawls
from crawl_worker.sites.baemin.settings import BaeminSettings
from crawl_worker.sites.naver.settings import NaverSettings
from crawl_worker.sites.naver.sources import rank_sources
from crawl_worker.store_crawls import StoreCrawls, secrets_or_none
from crawl_worker.tasks.rank_check import RankCheckJob
from nightjar.adapters.aws.live_poster import LivePoster
from nightjar.adapters.redis.cancel import listen
from nightjar.adapters.redis.progress import RedisProgressChannel
from nightjar.application.rank_checking import CheckRules
from nightjar.database.engine import Database
from nightjar.ports import RankSources
from nightjar.settings import WorkerSettings, worker_settings
from nightjar.tasks import TaskKind
from nightjar.wiring import FanOut, archive, build_fan_out, live_poster, secret_store, task_queue

SLOT_PATIENCE = timedelta(seconds=15)
"""How long a child waits for a host that others use, beyond two turns; then its task waits in the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildParts:
    """Everything that belongs to one child."""

    child: Child
    store: Store
    claims: Store
    pulse: Store
    attempts: Attempts
    channel: RedisProgressChannel
    poster: LivePoster | None
    fan_out: FanOut
    http: HttpClient
    browser: Browser
    gate_rules: GateRules
    engine: EngineSettings
    naver: NaverSettings
    secrets_database: Database
    store_crawls: StoreCrawls
    site_crawls: SiteCrawls
    settings: WorkerSettings

    def run_crawl_slice(self, task_id: UUID) -> None:
        """One attempt at a slice of site crawls, in the child's loop; the calling thread waits."""
        self.child.run(self.attempts.run(task_id, self.site_crawls.slice_job()))

    def run_list(self, task_id: UUID) -> None:
        """One attempt at a list of many pages, in the child's loop; the calling thread waits."""
        self.child.run(self.attempts.run(task_id, self.site_crawls.list_job()))

    def run_analysis(self, task_id: UUID) -> None:
        """One attempt at analysing the pages of a site crawl, in the child's loop; the calling thread waits."""
        self.child.run(self.attempts.run(task_id, self.site_crawls.structure_job()))

    def run_store_crawl(self, kind: TaskKind, task_id: UUID) -> None:
        """One attempt at a store-owner crawl, in the child's loop; the calling thread waits."""
        self.child.run(self.attempts.run(task_id, self.store_crawls.job(kind)))

    def run_rank_check(self, task_id: UUID) -> None:
        """One attempt at a rank check, in the child's loop; the calling thread waits."""
        job = RankCheckJob(
            self.store,
            self._new_rank_sources,
            depths=self.settings.ranks.depths,
            rules=CheckRules(retry_delay=self.settings.ranks.retry_delay, cooldown=self.settings.ranks.cooldown),
        )
        self.child.run(self.attempts.run(task_id, job))

    def stop(self) -> None:
        """Close the browser, the connections and the loop."""
        self.child.stop(self._close())
        if self.poster:
            self.poster.close()
        self.store.close()
        self.claims.close()
        self.pulse.close()
        self.secrets_database.close()
        self.fan_out.close()

    async def _close(self) -> None:
        await asyncio.gather(self.site_crawls.close(), self.http.close(), self.channel.close())
        await self.browser.close()

    def _new_rank_sources(self, urgent: bool) -> RankSources:
        """Sources for one task: one user agent from the list, kept for all its requests."""
        user_agent = random.choice(self.engine.user_agents)  # noqa: S311  # a choice, not a secret
        gate = PostgresHostGate(self.store, self.gate_rules, urgent=urgent)
        fetcher = PoliteFetcher(gate, self.http, self.browser, profile=BrowserProfile(user_agent=user_agent))
        return rank_sources(
            self.naver, fetcher, sources=self.settings.ranks.sources, user_agents=self.engine.user_agents
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPlan:
    """All settings of a worker, read and checked before it forks."""

    settings: WorkerSettings
    engine: EngineSettings
    naver: NaverSettings
    baemin: BaeminSettings


def plan_worker(environment: Mapping[str, str], *, cores: int) -> WorkerPlan:
    """Read all settings. Raises BadSettings or Invalid, naming what is wrong."""
    return WorkerPlan(
        settings=worker_settings(environment, cores=cores),
        engine=EngineSettings.from_environment(environment),
        naver=NaverSettings.from_environment(environment),
        baemin=BaeminSettings.from_environment(environment),
    )


def build_child(environment: Mapping[str, str], plan: WorkerPlan, parent: ParentPipe) -> ChildParts:
    """Put a child together, after the fork: no connection, thread or loop is inherited."""
    settings, engine, naver = plan.settings, plan.engine, plan.naver
    rule = EgressRule(allowed_origins=frozenset(naver.origins()) - frozenset(NaverSettings().origins()))
    ranks = settings.ranks
    child = Child(parent)
    me = f"nightjar-worker-{uuid4().hex[:8]}"  # a cancelled statement is found by the name of its connection
    store = Store(Database(settings.stores.database_url, name=me, asks_first=False), name="store")
    claims = Store(Database(settings.stores.database_url, name=f"{me}-claims", asks_first=False), name="claims")
    pulse = Store(Database(settings.stores.database_url, name=f"{me}-pulse"), name="pulse")
    gate_rules = GateRules(delay=ranks.delay, cooldown=ranks.cooldown, patience=SLOT_PATIENCE + 2 * ranks.delay)
    queue = task_queue(settings.stores, origin="worker")
    rules = AttemptRules(lease=settings.lease, soft_limit=settings.soft_time_limit)
    prefix = settings.stores.redis_key_prefix
    poster = live_poster(settings.stores, settings.live_endpoint)
    channel = RedisProgressChannel(settings.stores.live_url, prefix, published=poster.offer if poster else None)
    attempts = Attempts(store=store, pulse=pulse, queue=queue, channel=channel, rules=rules, stopping=child.stopping)
    browser = Browser(engine)
    secrets_database = Database(settings.stores.database_url, name=f"{me}-secrets")
    store_crawls = StoreCrawls(
        store=store,
        browser=browser,
        gate_rules=gate_rules,
        secrets=secrets_or_none(lambda: secret_store(settings.secrets, secrets_database.transaction)),
        archive=archive(settings.archive_url),
        baemin=plan.baemin,
        user_agents=engine.user_agents,
        settings=settings,
    )
    site_crawls = SiteCrawls(
        store=store,
        claims=claims,
        queue=queue,
        channel=channel,
        archive=lambda: archive(settings.archive_url),
        browser=browser,
        engine=engine,
        ranks=ranks,
        gate_rules=gate_rules,
        lease=settings.lease,
        time_limit=settings.soft_time_limit,
    )
    child.start()
    if poster:
        poster.start()
    child.run(channel.start())
    child.spawn(attempts.listen_for_cancels(listen(settings.stores.live_url, prefix), also_tell=site_crawls.cancel))
    return ChildParts(
        child=child,
        store=store,
        claims=claims,
        pulse=pulse,
        attempts=attempts,
        channel=channel,
        poster=poster,
        fan_out=build_fan_out(environment),
        http=HttpClient(engine, rule),
        browser=browser,
        gate_rules=gate_rules,
        secrets_database=secrets_database,
        store_crawls=store_crawls,
        site_crawls=site_crawls,
        engine=engine,
        naver=naver,
        settings=settings,
    )
