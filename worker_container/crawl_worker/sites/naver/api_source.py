"""Reads blog and cafe ranks from the official search API (NAVER API HUB)."""

from collections.abc import Sequence
from functools import partial
from urllib.parse import quote, urlencode

from crawl_worker.engine.fetcher import PoliteFetcher
from crawl_worker.sites.naver.api_reply import ApiPage, judge_api
from crawl_worker.sites.naver.cafe_homes import CafeHomes
from crawl_worker.sites.naver.rows import Progress
from crawl_worker.sites.naver.settings import NaverSettings
from nightjar.domain.rank import Reading
from nightjar.domain.rank_plan import ROWS_PER_API_CALL
from nightjar.domain.target import Target
from nightjar.domain.tracking import RankType, Search, Source
from nightjar.errors import ErrorCode, GiveUp

LAST_START = 1000
"""The largest `start` that the API accepts: it reaches 1,099 rows deep."""

_PATHS = {RankType.BLOG: "blog", RankType.CAFE: "cafearticle"}


class ApiSource:
    """The API's own order of relevance (`sim`), which is not the order on the screen; the source is kept with the rank.

    The API shows cafes by slug. A target that is known by its number only is compared by the home of the cafe, which is
    looked up at most once and only for a row with the same article number.
    """

    source = Source.API

    def __init__(self, settings: NaverSettings, fetcher: PoliteFetcher, *, homes: CafeHomes) -> None:
        self._settings = settings
        self._fetcher = fetcher
        self._homes = homes

    async def read(
        self,
        search: Search,
        *,
        wanted: Sequence[Target],
        depth: int,
        seen_end: int | None = None,  # noqa: ARG002  # of the port; see below
    ) -> Reading:
        """Fulfils `nightjar.ports.RankSource`. Its total tells the end: there is nothing to confirm."""
        if not (self._settings.api_key_id and self._settings.api_key):
            message = "the search API needs a key: set NAVER_API_KEY_ID and NAVER_API_KEY"
            raise GiveUp(ErrorCode.ACTION_REQUIRED, message)
        progress = Progress(wanted, depth)
        for start in range(1, LAST_START + 1, ROWS_PER_API_CALL):
            page = await self._call(search, start=start)
            progress.add(page.rows)
            await self._homes.complete(progress, wanted)
            if progress.is_enough() or start + ROWS_PER_API_CALL > page.total:
                break
        return progress.reading()

    async def _call(self, search: Search, *, start: int) -> ApiPage:
        values = {"query": search.keyword, "display": ROWS_PER_API_CALL, "start": start, "sort": "sim"}
        url = f"{self._settings.api_url}/search/v1/{_PATHS[search.rank_type]}?{urlencode(values, quote_via=quote)}"
        headers = {
            "X-NCP-APIGW-API-KEY-ID": self._settings.api_key_id,
            "X-NCP-APIGW-API-KEY": self._settings.api_key,
        }
        judge = partial(judge_api, start=start, display=ROWS_PER_API_CALL)
        return await self._fetcher.fetch(url, judge, headers=headers)
