"""One visit of a place list in the browser: scroll, turn pages, and read what the page's own script is sent.

Rows come from the state of the page and from the replies of its data service, in list order: the desktop's rows carry
no id that a reader could see. Where a page grows without that service, the rows count that it shows.
"""

from typing import Final

from playwright.async_api import Error as PlaywrightError

from crawl_worker.engine.browser import BrowserPage
from crawl_worker.engine.http import Response
from crawl_worker.sites.naver.blocks import not_understood, refuse_status
from crawl_worker.sites.naver.data_traffic import DataTraffic, as_ours
from crawl_worker.sites.naver.place_answers import judge_first_list, judge_reply
from crawl_worker.sites.naver.place_page import PlaceBatch
from crawl_worker.sites.naver.rows import Progress
from nightjar.domain.rank_plan import ROWS_PER_PLACE_LOAD
from nightjar.domain.target import place_key
from nightjar.domain.tracking import Device, Search
from nightjar.errors import ErrorCode, RetryLater

PAUSE_MS: Final = 100
"""Between two steps of scrolling: what a list needs to append rows that it already has."""

STILL_STEPS: Final = 5
"""A list that did not change for so many steps, with nothing on its way, is at its end."""

LAST_PAGE: Final = 10
"""Numbered pages that are read at most; five were ever seen. A list with more gives no reading."""

_SCROLL: Final = """() => {
  const box = document.querySelector('#_pcmap_list_scroll_container');
  for (const area of [box, document.scrollingElement]) {
    if (area) { area.scrollTop += Math.max(300, 1.5 * area.clientHeight); }
  }
  // A list that does not fill its window cannot scroll, and is told that its reader wants more all the same.
  for (const listener of [box, window]) { if (listener) { listener.dispatchEvent(new Event('scroll')); } }
  const tops = [box, document.scrollingElement].map((area) => (area ? Math.round(area.scrollTop) : 0));
  return [document.querySelectorAll('li').length, ...tops].join(' ');
}"""

_SHOWN: Final = """() => {
  const box = document.querySelector('#_pcmap_list_scroll_container');
  const rows = [...(box || document).querySelectorAll(box ? ':scope > ul > li' : 'li[data-laim-exp-id]')];
  const idOfProps = (value, depth) => {
    if (!value || typeof value !== 'object' || depth > 4) { return null; }
    if (/^[0-9]{5,}$/.test(String(value.id || '')) && value.name) { return String(value.id); }
    for (const inner of Object.values(value)) {
      const found = idOfProps(inner, depth + 1);
      if (found) { return found; }
    }
    return null;
  };
  const idOf = (row) => {
    for (const anchor of row.querySelectorAll('a[href]')) {
      const found = /\\/[a-z]+\\/([0-9]{5,})(?:[/?#]|$)/.exec(anchor.getAttribute('href'));
      if (found) { return found[1]; }
    }
    const props = Object.keys(row).find((name) => name.startsWith('__reactProps'));
    return props ? idOfProps(row[props], 0) : null;
  };
  const isAdvert = (row) => /\\*e$/.test(row.dataset.laimExpId || '')
    || row.querySelector('a[href*="alias/NSP"]') !== null
    || [...row.querySelectorAll('span, em, i')].some((node) => node.textContent.trim() === '광고');
  return rows.filter((row) => !isAdvert(row)).map(idOf);
}"""


_PRESS = """(number) => {
  const box = document.querySelector('#_pcmap_list_scroll_container');
  const buttons = [...document.querySelectorAll('a, button, [role=button]')].filter(
    (button) => button.textContent.trim() === String(number) && !(box && box.contains(button)));
  if (buttons.length) { buttons[buttons.length - 1].click(); }
  return buttons.length > 0;
}"""


class PlaceVisit:
    """Reads one list into a progress, until that has enough or the list is at its end."""

    def __init__(self, url: str, search: Search, progress: Progress) -> None:
        self._url = url
        self._search = search
        self._progress = progress
        self._traffic = DataTraffic()
        self._rows: list[str | None] = []
        self._shown: list[str | None] = []
        self._waiting: dict[int, PlaceBatch] = {}
        self._next_start = 1
        self._told_more = False

    async def read(self, page: BrowserPage) -> int | None:
        """Visit the list on a fresh page; the total that it claims.

        Raises:
            Blocked, RetryLater, GiveUp: as the page, or a reply to its script, means.
        """
        self._traffic.watch(page)
        first = await self._open(page)
        self._take(1, first)
        for number in range(2, LAST_PAGE + 2):
            if await self._is_enough_at_the_end_of(page) or not await self._turns_to(page, number):
                break
        self._refuse_hole()
        self._refuse_silence(first)
        return first.total

    async def _open(self, page: BrowserPage) -> PlaceBatch:
        try:
            response = await page.goto(self._url, wait_until="domcontentloaded")
        except PlaywrightError:
            self._refuse_redirect()
            raise
        self._refuse_redirect()
        if response is None:
            raise RetryLater(ErrorCode.UPSTREAM_ERROR, f"{self._url} gave no answer")
        return judge_first_list(await as_ours(response), self._search.keyword)

    def _refuse_redirect(self) -> None:
        """A list sends nobody on; where it does, the way leads to the login page."""
        if self._traffic.redirect is not None:
            refuse_status(self._traffic.redirect)

    async def _turns_to(self, page: BrowserPage, number: int) -> bool:
        """Press the button of a numbered page; False if there is none. Raises RetryLater beyond the last page."""
        if self._search.device is not Device.PC or not await page.evaluate(_PRESS, number):
            return False
        if number > LAST_PAGE:
            message = (
                f"{self._url} has more than {LAST_PAGE} pages, and they are not enough; a partial list is no reading"
            )
            raise RetryLater(ErrorCode.UPSTREAM_ERROR, message, details={"url": self._url})
        return True

    async def _is_enough_at_the_end_of(self, page: BrowserPage) -> bool:
        """Scroll until nothing more appears; True as soon as the progress has enough."""
        still, before = 0, ""
        while still < STILL_STEPS or self._traffic.on_their_way:
            shown = await page.evaluate(_SCROLL)
            await page.wait_for_timeout(PAUSE_MS)
            for start, reply in await self._traffic.arrived():
                batch = judge_reply(reply, self._search.keyword)
                self._told_more |= batch is not None
                self._take(start, batch)
            if self._progress.is_enough():
                return True
            now = f"{shown} {self._next_start}"
            still, before = (still + 1 if now == before else 0), now
        self._shown += await page.evaluate(_SHOWN)
        self._believe_what_is_shown()
        return self._progress.is_enough()

    def _take(self, start: int | None, batch: PlaceBatch | None) -> None:
        """Put a batch in its place. One that overtook another waits for it."""
        if batch is None or not batch.size:
            return
        self._waiting[start or self._next_start] = batch
        while self._next_start in self._waiting:
            ready = self._waiting.pop(self._next_start)
            self._rows += ready.rows
            self._next_start += ready.size
        self._progress.replace(self._rows)

    def _refuse_hole(self) -> None:
        if self._waiting and not self._progress.is_enough():
            message = f"{self._url}: the rows from {self._next_start} on never came; a partial list is no reading"
            raise RetryLater(ErrorCode.UPSTREAM_ERROR, message, details={"url": self._url})

    def _believe_what_is_shown(self) -> None:
        """Where no data service spoke, take the rows that are shown, if they begin as the page's own state does."""
        shown: list[str | None] = [place_key(place_id) if place_id else None for place_id in self._shown]
        if self._told_more or len(shown) <= len(self._rows):
            return
        if shown[: len(self._rows)] != self._rows or shown.count(None) * 2 > len(shown):
            raise not_understood(Response(self._url, 200, {}, ""), "the rows shown are not those of its state")
        self._progress.replace(shown)

    def _refuse_silence(self, first: PlaceBatch) -> None:
        """A full first batch of many rows after which nothing ever came was not the list: we failed to ask for more."""
        is_full = self._search.device is not Device.PC or first.size >= ROWS_PER_PLACE_LOAD[Device.PC]
        read = len(self._progress.counted)
        is_all = first.total is not None and read >= first.total
        if is_full and read <= len(first.rows) and not (self._told_more or is_all or self._progress.is_enough()):
            message = f"{self._url}: nothing came after the first {read} of {first.total} rows; that is no reading"
            raise RetryLater(ErrorCode.UPSTREAM_ERROR, message, details={"url": self._url, "rows": read})
