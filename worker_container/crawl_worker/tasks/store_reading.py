"""The way of one crawl through an owner site, in steps that are reported as they begin."""

import asyncio

from crawl_worker.engine.browser import BrowserPage
from crawl_worker.engine.reporter import Report
from crawl_worker.sites.owner_site import DetailUnread, OwnerVisit, RawStore, SessionExpired
from crawl_worker.tasks.account_keeping import AccountKeeping
from nightjar.application.store_crawling import CrawledStores
from nightjar.errors import RetryLater, TaskFailure
from nightjar.observability import logger

FAILURES_IN_A_ROW = 5
"""Details that fail one after the other are not the fault of single stores: the rest is left alone."""

UNREAD = (DetailUnread, RetryLater)
"""What one store's detail may raise without ending the crawl. A block or a dead session ends it."""

log = logger(__name__)


class StoreReading:
    """One reading. `details_until` is the loop's time after which no further detail is asked for."""

    def __init__(
        self, visit: OwnerVisit, keeping: AccountKeeping, page: BrowserPage, report: Report, *, details_until: float
    ) -> None:
        self._visit = visit
        self._keeping = keeping
        self._page = page
        self._report = report
        self._details_until = details_until
        self._has_logged_in = False
        self._listed: list[RawStore] = []
        self._details_failed = 0

    @property
    def so_far(self) -> CrawledStores | None:
        """The whole list with the details read up to now; None while the list is not whole."""
        if not self._listed:
            return None
        return CrawledStores(
            stores=tuple(store.as_store() for store in self._listed), details_failed=self._details_failed
        )

    async def read(self, *, has_state: bool) -> CrawledStores:
        """All stores. A session that ends on the way is renewed by one login, if there was none yet. Raises Fault."""
        try:
            if not (has_state and await self._visit.restore()):
                await self._log_in()
            try:
                return await self._read_stores()
            except SessionExpired:
                if self._has_logged_in:
                    raise
            await self._log_in()
            return await self._read_stores()
        except TaskFailure as fault:
            await self._keeping.keep_evidence(self._visit, fault)
            raise

    async def _log_in(self) -> None:
        self._has_logged_in = True
        await self._report("login_page", message="Opening the login page")
        if not await self._visit.open_login():
            return  # the site knows us: no password is needed
        await self._report("login_submit", message="Logging in")
        outcome = await self._visit.log_in(self._keeping.reveal)
        outcome.raise_unless_ok()
        await self._keeping.save_session(self._page)
        await self._keeping.login_succeeded()

    async def _read_stores(self) -> CrawledStores:
        await self._report("navigation", message="Opening the owner's home page")
        await self._visit.open_home()
        await self._visit.dismiss_popups()
        await self._report("extraction", message="Reading the list of stores")
        self._listed = list(await self._visit.discover_stores())
        await self._read_details()
        await self._report("parsing", message="Checking what was read", counts=self._counts(len(self._listed)))
        await self._keeping.save_session(self._page)
        return CrawledStores(
            stores=tuple(store.as_store() for store in self._listed), details_failed=self._details_failed
        )

    async def _read_details(self) -> None:
        """Details one after the other, each allowed to fail; they stop when time is up or nothing is answered."""
        await self._read_what_all_share()
        self._details_failed = 0
        in_a_row = 0
        for index, store in enumerate(self._listed):
            is_over = asyncio.get_running_loop().time() > self._details_until
            if is_over or in_a_row >= FAILURES_IN_A_ROW or not await self._read_detail(index, store):
                self._details_failed += 1
                in_a_row += 1
            else:
                in_a_row = 0
            await self._report(
                "extraction",
                message=f"Reading store {index + 1} of {len(self._listed)}",
                counts=self._counts(index + 1),
            )

    async def _read_detail(self, index: int, store: RawStore) -> bool:
        try:
            self._listed[index] = await self._visit.enrich(store)
        except UNREAD as error:
            log.info("detail_unread", platform_store_id=store.store_id, cause=str(error))
            return False
        return True

    async def _read_what_all_share(self) -> None:
        try:
            self._listed = list(await self._visit.enrich_all(self._listed))
        except UNREAD as error:
            log.info("detail_unread", platform_store_id=None, cause=str(error))

    def _counts(self, done: int) -> dict[str, int]:
        return {"stores": len(self._listed), "details": done, "details_failed": self._details_failed}
