"""The job of a store-owner crawl: log in only if needed, read all stores, save them.

The site is any `OwnerSite`. Credentials and cookies stay between the secret store and the browser: no payload, log
line, error, result or archive holds any of them.
"""

import asyncio
import random
from dataclasses import dataclass
from functools import partial

from crawl_worker.engine.attempt import Fault
from crawl_worker.engine.browser import Browser, BrowserProfile
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.politeness import HostGate
from crawl_worker.engine.reporter import Report
from crawl_worker.engine.site_turns import SiteTurns
from crawl_worker.engine.store import Store
from crawl_worker.sites.owner_site import OwnerSite, SessionExpired
from crawl_worker.tasks.account_keeping import AccountKeeping
from crawl_worker.tasks.store_reading import StoreReading
from nightjar.application import store_crawling
from nightjar.application.store_crawling import CrawledStores, CrawlRules, Fallen, Postponed
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.account import Account
from nightjar.domain.store import SavedStores
from nightjar.domain.task import Claim
from nightjar.errors import HostBusy, TaskFailure
from nightjar.observability import logger
from nightjar.ports import Archive, SecretStore

SHARE_FOR_DETAILS = 0.8
"""Of the time limit: then the details that are left stay unread, so that what was read is saved."""

log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlTools:
    """What all crawls of a child share. `rule` opens the site's stand-ins to its browser, and nothing else of ours."""

    store: Store
    browser: Browser
    rule: EgressRule
    secrets: SecretStore
    archive: Archive
    rules: CrawlRules


class StoreCrawlJob:
    """One attempt at one crawl. The gate is its own; `user_agent` is kept for all of it."""

    def __init__(self, tools: CrawlTools, site: OwnerSite, gate: HostGate, *, user_agent: str) -> None:
        self._tools = tools
        self._gate = gate
        self._site = site
        self._profile = BrowserProfile(user_agent=user_agent, width=site.config.width, height=site.config.height)
        self._report: Report | None = None
        self._account: Account | None = None
        self._keeping: AccountKeeping | None = None
        self._reading: StoreReading | None = None

    async def work(self, claim: Claim, report: Report) -> CrawledStores:
        """The whole list of the account's stores, with the details that could be read. Raises Fault."""
        details_until = asyncio.get_running_loop().time() + SHARE_FOR_DETAILS * self._limit(claim)
        self._report = report
        await report("initialization", message="Looking up the account")
        self._account = await self._tools.store.run(lambda uow: store_crawling.begin(uow, claim))
        self._keeping = AccountKeeping(
            self._tools.store, self._tools.secrets, self._tools.archive, claim, self._account
        )
        await report("authentication", message="Looking for a saved session")
        state = await self._keeping.saved_session()
        await report("browser_init", message="Starting the browser")
        async with self._tools.browser.page(self._profile, self._tools.rule, state=state, outlives=True) as page:
            visit = self._site.visit(page, SiteTurns(self._gate, self._site.config.home_url))
            self._reading = StoreReading(visit, self._keeping, page, report, details_until=details_until)
            return await self._reading.read(has_state=state is not None)

    async def settle(self, claim: Claim, outcome: CrawledStores | Fault) -> None:
        """Save and complete, put back, or fail: one transaction, whose last statement ends the task."""
        if isinstance(outcome, CrawledStores):
            await self._save(claim, outcome)
        elif isinstance(outcome, HostBusy):
            _log_postponed(await self._tools.store.run(partial(_put_back, claim, outcome)))
        else:
            await self._fail(claim, outcome)

    async def _save(self, claim: Claim, crawled: CrawledStores) -> None:
        if self._report is None or self._account is None:
            raise RuntimeError("stores are saved after they were read")
        counts = {"stores": len(crawled.stores), "details_failed": crawled.details_failed}
        await self._report("saving", message=f"Saving {len(crawled.stores)} stores", counts=counts)
        account = self._account
        saved = await self._tools.store.run(lambda uow: store_crawling.store_crawled(uow, claim, account, crawled))
        _log_saved(account, crawled, saved)

    async def _fail(self, claim: Claim, fault: TaskFailure) -> None:
        fallen = self._fallen(fault)
        account, rules = self._account, self._tools.rules
        jitter = random.random()  # noqa: S311  # spreads retries, guards nothing
        postponed = await self._tools.store.run(
            lambda uow: store_crawling.store_fault(uow, claim, account, fallen, rules=rules, jitter=jitter)
        )
        if postponed is not None:
            _log_postponed(postponed)
            return
        if isinstance(fault, SessionExpired) and self._keeping is not None:
            await self._keeping.forget_session()
        account_id = str(claim.payload["account_id"])
        log.warning(
            "store_crawl_failed", account_id=account_id, code=str(fault.code), cause=fault.message, **fault.details
        )

    def _fallen(self, fault: TaskFailure) -> Fallen:
        return Fallen(
            fault=fault,
            login=self._keeping.open_login if self._keeping else None,
            crawled=self._reading.so_far if self._reading else None,
            evidence=self._keeping.evidence if self._keeping else "",
        )

    def _limit(self, claim: Claim) -> float:
        limit = self._tools.rules.time_limit.total_seconds()
        return min(limit, claim.timeout_seconds or limit)


def _put_back(claim: Claim, busy: HostBusy, uow: UnitOfWork) -> Postponed:
    return store_crawling.put_back(uow, claim, busy)


def _log_postponed(postponed: Postponed) -> None:
    log.info(
        "store_crawl_postponed",
        cause=postponed.reason,
        not_before=postponed.not_before.isoformat(),
        costs_an_attempt=postponed.costs_an_attempt,
    )


def _log_saved(account: Account, crawled: CrawledStores, saved: SavedStores) -> None:
    log.info(
        "stores_saved",
        account_id=str(account.id),
        total=len(crawled.stores),
        created=saved.created,
        updated=saved.updated,
        missing=saved.missing,
        details_failed=crawled.details_failed,
    )
