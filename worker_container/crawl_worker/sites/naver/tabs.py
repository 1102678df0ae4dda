"""The blog tab and the cafe tab: where they are, and how an answer becomes rows or an error."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from crawl_worker.engine.http import Response
from crawl_worker.sites.naver.blocks import (
    not_understood,
    refuse_half,
    refuse_status,
    refuse_words,
    short_page,
    visible_text,
)
from crawl_worker.sites.naver.blog_page import blog_rows
from crawl_worker.sites.naver.cafe_page import cafe_rows
from crawl_worker.sites.naver.more_link import checked_address, next_load
from crawl_worker.sites.naver.rows import ListPage, NextLoad
from crawl_worker.sites.naver.script_json import BrokenValue
from crawl_worker.sites.naver.settings import NaverSettings
from nightjar.domain.rank_plan import ROWS_PER_LOAD
from nightjar.domain.tracking import Device, RankType, Search

FEWEST_CARDS = 10
"""Fewer are suspicious: a host that throttles sends short pages, and real ones hold 20 to 30. Only a further
load may be that short, and its end is then in doubt."""

CARDS_BEFORE_MORE = 20
"""A page that announces a further load holds at least so many cards; 30 are usual, 20 were seen."""

_NO_RESULT = re.compile(r"에 대한 검색\s?결과가 없습니다")

RowParser = Callable[[str], tuple[list[str | None], int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One of the tabs of the search pages. `key_prefix` begins the row keys of its own results."""

    ssc: str
    entry: str
    key_prefixes: tuple[str, ...]
    rows: RowParser


TABS = {
    (RankType.BLOG, Device.PC): Tab(ssc="tab.blog.all", entry="tab_jum", key_prefixes=("blog:",), rows=blog_rows),
    (RankType.BLOG, Device.MOBILE): Tab(ssc="tab.m_blog.all", entry="mtb_jum", key_prefixes=("blog:",), rows=blog_rows),
    (RankType.CAFE, Device.PC): Tab(
        ssc="tab.cafe.all", entry="tab_jum", key_prefixes=("cafe:", "club:"), rows=cafe_rows
    ),
    (RankType.CAFE, Device.MOBILE): Tab(
        ssc="tab.m_cafe.all", entry="mtb_jum", key_prefixes=("cafe:", "club:"), rows=cafe_rows
    ),
}


def first_url(search: Search, settings: NaverSettings) -> str:
    """The address of a tab for a search."""
    tab = TABS[search.rank_type, search.device]
    base = settings.search_url if search.device is Device.PC else settings.mobile_search_url
    query = urlencode({"ssc": tab.ssc, "sm": tab.entry, "query": search.keyword}, quote_via=quote)
    return f"{base}/search.naver?{query}"


def judge_first(response: Response, search: Search, settings: NaverSettings) -> ListPage:
    """The rows of a tab's page, and the next load that it issues.

    Raises:
        Blocked, RetryLater, GiveUp: as the page means.
    """
    refuse_status(response)
    tab = TABS[search.rank_type, search.device]
    rows, cards = _parsed(tab, response.text, response)
    if not cards:
        return _without_cards(response, search.keyword)
    refuse_half(response)
    _refuse_unreadable(rows, tab, response)
    more = next_load(response.text, page_url=response.url, more_url=settings.search_more_url)
    if cards < FEWEST_CARDS:
        raise short_page(response, cards, f"{FEWEST_CARDS} are the fewest believed")
    _refuse_cards_missing(cards, more, response)
    return ListPage(rows=tuple(rows), more=more)


def judge_more(response: Response, search: Search, sent: NextLoad, settings: NaverSettings) -> ListPage:
    """The rows of a further load, and the one after it. It is the end if it is full and says that no other follows.

    Raises:
        Blocked, RetryLater, GiveUp: as the answer means.
    """
    refuse_status(response)
    document = _document(response, search.keyword)
    html, address = _fragment(document, response, search.keyword)
    tab = TABS[search.rank_type, search.device]
    rows, cards = _parsed(tab, html, response)
    if html.strip() and not cards:
        raise not_understood(response, "a load holds text, but no card")
    more = _following(address, sent, response, settings)
    _refuse_unreadable(rows, tab, response)
    _refuse_cards_missing(cards, more, response)
    is_end = address == "" and cards >= ROWS_PER_LOAD
    return ListPage(rows=tuple(rows), more=more, is_end=is_end)


def _parsed(tab: Tab, html: str, response: Response) -> tuple[list[str | None], int]:
    try:
        return tab.rows(html)
    except BrokenValue as error:
        refuse_half(response)
        raise not_understood(response, str(error)) from error


def _without_cards(response: Response, keyword: str) -> ListPage:
    """No result at all is believed only where the page says so."""
    refuse_words(response, keyword)
    refuse_half(response)
    if _NO_RESULT.search(visible_text(response.text)):
        return ListPage(rows=(), is_end=True)
    raise not_understood(response, "neither results nor the sentence that there are none")


def _refuse_unreadable(rows: list[str | None], tab: Tab, response: Response) -> None:
    """A page whose cards lead nowhere is one that we misread; its rows must not become a `not exposed`."""
    readable = [row for row in rows if row is not None]
    own = any(row.startswith(tab.key_prefixes) for row in readable)
    if rows and (not own or len(readable) * 2 < len(rows)):
        raise not_understood(response, f"of {len(rows)} cards {len(readable)} lead to an address that is known")


def _refuse_cards_missing(cards: int, more: NextLoad | None, response: Response) -> None:
    if more is not None and cards < CARDS_BEFORE_MORE:
        raise short_page(response, cards, f"at least {CARDS_BEFORE_MORE} stand before a further load")


def _document(response: Response, keyword: str) -> Any:
    try:
        return json.loads(response.text, strict=False)
    except (ValueError, RecursionError) as error:
        refuse_words(response, keyword)
        raise short_page(response, 0, "a whole JSON document is due") from error


def _fragment(document: Any, response: Response, keyword: str) -> tuple[str, str | None]:
    """The HTML of a load and the address of the next one, in any of the known envelopes.

    The address is "" where the load says that none follows, None where it says nothing.
    """
    body = document.get("dom", document) if isinstance(document, dict) else None
    if isinstance(body, dict):
        parts = body.get("collection")
        if parts is None and isinstance(body.get("result"), dict):
            parts = body["result"].get("section")
        if parts is None and isinstance(body.get("html"), str):
            parts = [body]
        if isinstance(parts, list) and all(isinstance(part, dict) for part in parts):
            url = body.get("url")
            return "".join(str(part.get("html") or "") for part in parts), url if isinstance(url, str) else None
    refuse_words(response, keyword)
    raise not_understood(response, "a load has none of the known envelopes")


def _following(address: str | None, sent: NextLoad, response: Response, settings: NaverSettings) -> NextLoad | None:
    """The page's headers go with all its loads."""
    if not address:
        return None
    checked = checked_address(address, page_url=response.url, more_url=settings.search_more_url)
    return NextLoad(checked, sent.headers)
