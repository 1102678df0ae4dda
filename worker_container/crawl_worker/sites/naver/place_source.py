"""Reads the place list: over HTTP as far as that goes, then in the browser."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

from crawl_worker.engine.browser import BrowserProfile
from crawl_worker.engine.fetcher import PoliteFetcher
from crawl_worker.sites.naver.place_answers import judge_first_list, judge_list, list_url, refuse_early_end
from crawl_worker.sites.naver.place_page import PlaceBatch
from crawl_worker.sites.naver.place_visit import PlaceVisit
from crawl_worker.sites.naver.rows import Progress
from crawl_worker.sites.naver.settings import NaverSettings
from nightjar.domain.rank import Reading
from nightjar.domain.target import Target
from nightjar.domain.tracking import Device, Search, Source
from nightjar.errors import ErrorCode, RetryLater

VISIT_BUDGET = timedelta(seconds=120)
"""For one visit of a list in the browser: 300 rows of a quick site take 3 to 6 s on two cores; the rest is slack."""


class PagePlaceSource:
    """The rank in the list of a vertical, organic rows in list order, as the phone or the desktop shows it.

    The first batch stands in the page itself. Further rows come by `start`, where the list honours it; a list that
    gives its beginning again is read in the browser, by scrolling and by its page buttons.
    """

    source = Source.PAGE

    def __init__(
        self, settings: NaverSettings, fetcher: PoliteFetcher, *, profiles: Mapping[Device, BrowserProfile]
    ) -> None:
        self._settings = settings
        self._fetcher = fetcher
        self._profiles = profiles

    async def read(
        self, search: Search, *, wanted: Sequence[Target], depth: int, seen_end: int | None = None
    ) -> Reading:
        """Fulfils `nightjar.ports.RankSource`."""
        progress = Progress(wanted, depth)
        if not await self._read_by_start(search, progress, seen_end):
            progress = Progress(wanted, depth)
            await self._read_in_browser(search, progress, seen_end)
        return progress.reading()

    async def _read_by_start(self, search: Search, progress: Progress, seen_end: int | None) -> bool:
        """Read batch by batch. False where the list ignores `start`: what was read is only its beginning.

        A short batch is the last one or a cut one: what comes after it tells, also where it brought all targets.
        """
        first = batch = await self._fetch(search)
        read = batch.size
        progress.add(batch.rows)
        while not _is_over(progress, first.total):
            is_short = batch.size < first.size
            if progress.is_enough() and not is_short:
                return True
            batch = await self._fetch(search, start=read + 1)
            if not batch.rows:
                refuse_early_end(progress, first.total, search, seen_end=seen_end)
                return True
            if is_short:
                raise _short_batch(search, read)
            if batch.start not in {None, read + 1} or not progress.add(batch.rows):
                return False
            read += batch.size
        return True

    async def _fetch(self, search: Search, *, start: int = 1) -> PlaceBatch:
        """One batch; a further one may be empty."""
        url = list_url(search, self._settings, start=start)
        headers = {"User-Agent": self._profiles[search.device].user_agent}
        judge = judge_first_list if start == 1 else judge_list
        return await self._fetcher.fetch(url, partial(judge, keyword=search.keyword), headers=headers)

    async def _read_in_browser(self, search: Search, progress: Progress, seen_end: int | None) -> None:
        url = list_url(search, self._settings)
        visit = PlaceVisit(url, search, progress)
        total = await self._fetcher.browse(
            url,
            visit.read,
            budget=VISIT_BUDGET,
            profile=self._profiles[search.device],
            calls=[self._settings.place_graphql_url],
        )
        if not progress.is_enough():
            refuse_early_end(progress, total, search, seen_end=seen_end)


def _is_over(progress: Progress, total: int | None) -> bool:
    return total is not None and len(progress.counted) >= total


def _short_batch(search: Search, read: int) -> RetryLater:
    message = f"a batch of the place list {search.keyword!r} before row {read + 1} was a short page: rows follow it"
    return RetryLater(ErrorCode.UPSTREAM_ERROR, message, details={"rows": read})
