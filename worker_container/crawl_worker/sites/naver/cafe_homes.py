"""The number behind the slug of a cafe, from the cafe's home page."""

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from crawl_worker.engine.fetcher import PoliteFetcher
from crawl_worker.engine.http import Response
from crawl_worker.sites.naver.blocks import not_understood, refuse_half, refuse_status, refuse_words
from crawl_worker.sites.naver.cafe_page import club_id_of
from crawl_worker.sites.naver.rows import Progress, cafe_and_article
from crawl_worker.sites.naver.settings import NaverSettings
from nightjar.domain.target import CafeTarget, Target
from nightjar.errors import ErrorCode, GiveUp


class CafeHomes:
    """Lists show slugs, people paste numbers: where only that keeps a row from a target, the cafe is looked up."""

    def __init__(self, settings: NaverSettings, fetcher: PoliteFetcher, *, user_agent: str) -> None:
        self._settings = settings
        self._fetcher = fetcher
        self._user_agent = user_agent

    async def complete(self, progress: Progress, wanted: Sequence[Target]) -> None:
        """Look up each cafe of the list that might be the one of a target, once, and note it in the progress.

        A row is only looked into if its article number is that of a target of unknown slug (or of unknown number, where
        the list itself gives numbers): a handful a night.

        Raises:
            As the fetcher does, and for pages of the cafe host as for all pages.
        """
        for slug in _slugs_to_ask(progress.counted, wanted):
            if not progress.knows_cafe(slug):
                progress.note_cafe(slug, await self._club_id(slug))

    async def _club_id(self, slug: str) -> str | None:
        url = f"{self._settings.cafe_url}/{quote(slug)}"
        return await self._fetcher.fetch(url, judge_home, headers={"User-Agent": self._user_agent})


def judge_home(response: Response) -> str | None:
    """The number of the cafe, or None if there is no such cafe.

    Raises:
        Blocked, RetryLater, GiveUp: as the page means.
    """
    try:
        refuse_status(response)
    except GiveUp as refusal:
        if refusal.code is ErrorCode.NOT_FOUND:
            return None
        raise
    club_id = club_id_of(response.text)
    if club_id is None:
        refuse_words(response, "")
        refuse_half(response)
        raise not_understood(response, "the home of a cafe does not name its number")
    return club_id


def _slugs_to_ask(rows: Sequence[str | None], wanted: Sequence[Target]) -> Iterator[str]:
    """The slugs of rows whose target is known by number only, and of targets whose rows are given by number only."""
    cafes = [target for target in wanted if isinstance(target, CafeTarget)]
    by_number = {target.article_id for target in cafes if target.slug is None}
    for row in rows:
        listed = cafe_and_article(row, "cafe")
        if listed and listed[1] in by_number:
            yield listed[0]
    listed_by_number = {found[1] for row in rows if (found := cafe_and_article(row, "club"))}
    for target in cafes:
        if target.slug and target.club_id is None and target.article_id in listed_by_number:
            yield target.slug
