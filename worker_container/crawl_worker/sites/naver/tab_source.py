"""Reads the blog tab and the cafe tab as people see them: the page, then each load that it issues."""

from collections.abc import Mapping, Sequence
from functools import partial

from crawl_worker.engine.browser import BrowserProfile
from crawl_worker.engine.fetcher import PoliteFetcher
from crawl_worker.sites.naver.cafe_homes import CafeHomes
from crawl_worker.sites.naver.list_end import confirm_end
from crawl_worker.sites.naver.rows import ListPage, NextLoad, Progress
from crawl_worker.sites.naver.settings import NaverSettings
from crawl_worker.sites.naver.tabs import first_url, judge_first, judge_more
from nightjar.domain.rank import Reading
from nightjar.domain.target import Target
from nightjar.domain.tracking import Device, RankType, Search, Source
from nightjar.errors import ErrorCode, RetryLater


class PageTabSource:
    """The rank in the tab of its own kind: organic rows in document order, adverts left out."""

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
        page = await self._first(search)
        while True:
            await self._take(page, progress, search, wanted)
            if progress.is_enough() or page.is_end:
                return progress.reading()
            if page.more is None:
                confirm_end(progress, search, seen_end=seen_end)
                return progress.reading()
            page = await self._more(search, page.more)

    async def _take(self, page: ListPage, progress: Progress, search: Search, wanted: Sequence[Target]) -> None:
        if page.rows and not progress.add(page.rows):
            message = f"the list of {search.rank_type} {search.keyword!r} repeats itself; a partial list is no reading"
            raise RetryLater(ErrorCode.UPSTREAM_ERROR, message)
        if search.rank_type is RankType.CAFE:
            homes = CafeHomes(self._settings, self._fetcher, user_agent=self._profiles[search.device].user_agent)
            await homes.complete(progress, wanted)

    async def _first(self, search: Search) -> ListPage:
        judge = partial(judge_first, search=search, settings=self._settings)
        return await self._fetcher.fetch(first_url(search, self._settings), judge, headers=self._headers(search))

    async def _more(self, search: Search, load: NextLoad) -> ListPage:
        judge = partial(judge_more, search=search, sent=load, settings=self._settings)
        return await self._fetcher.fetch(load.url, judge, headers=self._headers(search) | dict(load.headers))

    def _headers(self, search: Search) -> dict[str, str]:
        return {"User-Agent": self._profiles[search.device].user_agent}
