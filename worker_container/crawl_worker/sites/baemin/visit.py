"""One crawl at the owner site: its pages are opened in turns, read, and judged before the host is let go."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from playwright.async_api import Error as PlaywrightError

from crawl_worker.engine.browser import BrowserPage
from crawl_worker.engine.browser_errors import failure_of, meaning_of
from crawl_worker.engine.site_turns import SiteTurns
from crawl_worker.sites.baemin.answers import (
    DETAIL_PATH,
    OWNER_PATH,
    PROFILE_PATHS,
    Answer,
    business_no,
    read_search,
    with_detail,
)
from crawl_worker.sites.baemin.login import LoginForm
from crawl_worker.sites.baemin.popups import dismiss_popups
from crawl_worker.sites.baemin.screen import Screen, look
from crawl_worker.sites.baemin.select import ShopSelect, read_select
from crawl_worker.sites.baemin.settings import BaeminSettings
from crawl_worker.sites.baemin.store_list import StoreList
from crawl_worker.sites.baemin.traffic import Traffic
from crawl_worker.sites.baemin.verdicts import is_logged_out, is_owner_page, layout_changed, no_form, refuse
from crawl_worker.sites.owner_site import (
    DetailUnread,
    LoginOutcome,
    Outcome,
    RawStore,
    RevealCredentials,
    SiteConfig,
    failure,
)

T = TypeVar("T")

LOOK_SECONDS = 0.1

PICTURE_MS = 5_000

_EMPTY_FIELDS = """
() => document.querySelectorAll("input, textarea").forEach((field) => {
  field.value = ""; field.setAttribute("value", ""); field.type === "password" && (field.placeholder = "");
})
"""


class BaeminVisit:
    """As `OwnerVisit`."""

    def __init__(self, page: BrowserPage, turns: SiteTurns, site: BaeminSettings, config: SiteConfig) -> None:
        self._page = page
        self._turns = turns
        self._site = site
        self._config = config
        self._waits = config.waits
        self._traffic = Traffic(page, site)

    async def restore(self) -> bool:
        """Whether the cookies that the context has still hold. Raises as `open_home` for all else."""
        async with self._turn(self._waits.home):
            await self._go(self._config.home_url)
            return await self._until(self._home_or_door, self._waits.home, self._unlike_home)

    async def open_login(self) -> bool:
        """Open the login page and wait for its form; False if the site knows us already."""
        async with self._turn(self._waits.form):
            await self._go(self._config.login_url)
            return await self._until(self._form_or_home, self._waits.form, self._without_form)

    async def log_in(self, reveal: RevealCredentials) -> LoginOutcome:
        """Send the password once. A block is raised inside the turn; every other outcome is returned."""
        async with self._turn(self._waits.login):
            form = LoginForm(self._page, self._site, self._traffic)
            outcome = await form.send(reveal, patience=self._waits.login)
            if outcome.outcome is Outcome.BLOCKED:
                outcome.raise_unless_ok()
            return outcome

    async def open_home(self) -> None:
        """Have the home page before us: where the login has led there, it is not asked for again."""
        async with self._turn(self._waits.home):
            if not self._leads_home():
                await self._go(self._config.home_url)
            if not await self._until(self._home_or_door, self._waits.home, self._unlike_home):
                raise _logged_out()

    async def dismiss_popups(self) -> int:
        """Close what covers the page."""
        return await self._traffic.unless_leaving(dismiss_popups(self._page)) or 0

    async def discover_stores(self) -> tuple[RawStore, ...]:
        """All stores of the login, from the page's select and from the search calls that the page itself makes."""
        async with self._turn(self._waits.stores):
            found = await self._wait_for_list()
            return found.stores()

    async def enrich(self, store: RawStore) -> RawStore:
        """The store with the detail that its own page asks for. Raises DetailUnread."""
        async with self._turn(self._waits.detail):
            path = f"/shops/{store.store_id}/manage"
            answer = await self._answer_of_page(path, lambda one: _is_detail(one, store.store_id))
            read = with_detail(store, answer.document)
            if read is None:
                raise DetailUnread(f"the answer for store {store.store_id} is not understood")
            return read

    async def enrich_all(self, stores: Sequence[RawStore]) -> tuple[RawStore, ...]:
        """The stores with the owner's registration number. Raises DetailUnread."""
        async with self._turn(self._waits.detail):
            answer = await self._answer_of_page("/mypage/owner", lambda one: bool(OWNER_PATH.fullmatch(one.path)))
            number = business_no(answer.document)
            if number is None:
                raise DetailUnread("the answer about the owner holds no registration number")
            return tuple(replace(store, business_no=number) for store in stores)

    async def evidence(self) -> bytes | None:
        """A picture of what is shown, with all fields emptied; None where the page does not let itself be changed."""
        try:
            async with asyncio.timeout(PICTURE_MS / 1000):
                await self._page.evaluate(_EMPTY_FIELDS)
                return await self._page.screenshot(timeout=PICTURE_MS, animations="disabled", caret="hide")
        except (TimeoutError, PlaywrightError):
            return None

    # --- pages ----------------------------------------------------------------------------------------------------

    def _turn(self, wait: timedelta) -> AbstractAsyncContextManager[None]:
        return self._turns.turn(self._config.navigation + wait)

    async def _go(self, url: str) -> None:
        """Ask for a document. Where it leads elsewhere at once, that is judged by what is shown."""
        self._traffic.forget()
        try:
            limit = self._config.navigation.total_seconds() * 1000
            await self._page.goto(url, wait_until="domcontentloaded", timeout=limit)
        except PlaywrightError as error:
            if "ERR_ABORTED" not in error.message and "interrupted by another navigation" not in error.message:
                raise failure_of(error, url) from error

    async def _until(
        self, judge: Callable[[Screen], T | None], patience: timedelta, at_the_end: Callable[[Screen], Exception]
    ) -> T:
        """Look until `judge` knows; then raise what `at_the_end` makes of the last look."""
        until = asyncio.get_running_loop().time() + patience.total_seconds()
        last: Screen | None = None
        while asyncio.get_running_loop().time() < until:
            if self._traffic.document_failure:
                raise meaning_of(self._traffic.document_failure, self._page.url)
            last = await self._look() or last
            found = judge(last) if last is not None else None
            if found is not None:
                return found
            await asyncio.sleep(LOOK_SECONDS)
        if last is None:
            raise failure(Outcome.TIMEOUT, f"{self._page.url} was not ready within {patience.total_seconds():g} s")
        raise at_the_end(last)

    async def _look(self) -> Screen | None:
        """What is shown, refused if it stands in place of a page; None while another document is on its way."""
        screen = await self._traffic.unless_leaving(look(self._page, self._traffic.status))
        if screen is not None:
            refuse(screen, self._site)
        return screen

    def _leads_home(self) -> bool:
        """Whether the home page is here, or on its way."""
        home = self._config.home_url
        return home in (self._traffic.heading_to, self._page.url)

    # --- judgements -----------------------------------------------------------------------------------------------

    def _home_or_door(self, screen: Screen) -> bool | None:
        """True with two signs of a session (an owner's address, and what only an owner sees), False at a door."""
        if is_logged_out(screen, self._site):
            return False
        signs = screen.has_navigation or screen.shops > 0 or self._is_known_to_service()
        return True if is_owner_page(screen, self._site) and signs else None

    def _form_or_home(self, screen: Screen) -> bool | None:
        if screen.form:
            return True
        return False if is_owner_page(screen, self._site) and screen.has_navigation else None

    def _is_known_to_service(self) -> bool:
        answer = self._traffic.find(lambda one: one.path in PROFILE_PATHS and one.is_ok)
        return answer is not None and isinstance(answer.document, dict) and "shopOwnerNumber" in answer.document

    @staticmethod
    def _unlike_home(screen: Screen) -> Exception:
        if screen.is_empty:
            return failure(Outcome.TIMEOUT, "the owner's home page stayed empty", surface="empty_home")
        return _as_failure(layout_changed("the owner's home page has no navigation that we know"))

    @staticmethod
    def _without_form(screen: Screen) -> Exception:
        return _as_failure(no_form(screen))

    # --- lists and details ----------------------------------------------------------------------------------------

    async def _wait_for_list(self) -> StoreList:
        until = asyncio.get_running_loop().time() + self._waits.stores.total_seconds()
        still = self._waits.still.total_seconds()
        counted = -1
        while True:
            await self._refuse_being_sent_away()
            select = await self._traffic.unless_leaving(read_select(self._page)) or ShopSelect()
            found = StoreList(select=select, search=read_search(self._traffic.answers))
            is_growing = len(found.select.stores) != counted
            counted = len(found.select.stores)
            if not (is_growing or self._traffic.heading_to) and found.is_settled(
                still_for=self._traffic.still_for, still=still
            ):
                return found
            if asyncio.get_running_loop().time() > until:
                return found
            await asyncio.sleep(LOOK_SECONDS)

    async def _answer_of_page(self, path: str, wanted: Callable[[Answer], bool]) -> Answer:
        """Open a page and wait for the answer to a call that it makes. Raises DetailUnread where there is none."""
        try:
            await self._go(f"{self._site.self_url}{path}")
            answer = await self._wait_for_answer(path, wanted)
        except PlaywrightError as error:
            raise DetailUnread(f"{path}: {failure_of(error, path).message}") from error
        if not answer.is_ok:
            raise DetailUnread(f"{path} was answered with HTTP {answer.status}")
        return answer

    async def _wait_for_answer(self, path: str, wanted: Callable[[Answer], bool]) -> Answer:
        until = asyncio.get_running_loop().time() + self._waits.detail.total_seconds()
        while asyncio.get_running_loop().time() < until:
            await self._refuse_being_sent_away()
            answer = self._traffic.find(wanted)
            if answer is not None:
                return answer
            if self._traffic.still_for > self._waits.still.total_seconds() and not self._traffic.heading_to:
                break
            await asyncio.sleep(LOOK_SECONDS)
        raise DetailUnread(f"{path} did not bring its data")

    async def _refuse_being_sent_away(self) -> None:
        """Raise what the answers, or the screen, say of the whole crawl: a block, the end of the session."""
        self._traffic.refuse_answers()
        screen = await self._look()
        if screen is not None and is_logged_out(screen, self._site):
            raise _logged_out()


def _is_detail(answer: Answer, number: str) -> bool:
    found = DETAIL_PATH.fullmatch(answer.path)
    return found is not None and found["number"] == number


def _logged_out() -> Exception:
    return failure(Outcome.SESSION_EXPIRED, "the site sends us to its login page: the session has ended")


def _as_failure(outcome: LoginOutcome) -> Exception:
    return failure(outcome.outcome, outcome.message, surface=outcome.surface)
