"""Place lists: their addresses, and how an answer becomes a batch of rows or an error."""

import json
from typing import Any
from urllib.parse import quote, urlencode

from crawl_worker.engine.http import Response
from crawl_worker.sites.naver.blocks import (
    blocked,
    not_understood,
    refuse_half,
    refuse_status,
    refuse_words,
    short_page,
)
from crawl_worker.sites.naver.list_end import confirm_end
from crawl_worker.sites.naver.place_page import PlaceBatch, batch_of_reply, has_errors, place_batch
from crawl_worker.sites.naver.rows import Progress
from crawl_worker.sites.naver.script_json import BrokenValue
from crawl_worker.sites.naver.settings import NaverSettings
from nightjar.domain.tracking import Device, Search
from nightjar.errors import ErrorCode, RetryLater

FEWEST_ROWS = 10
"""A first batch with fewer, of a list that claims more, is a part: real ones hold 15 to 100."""

SHORTEST_CUT = 50
"""Public lists end before their total, after 54, 100, 210 or 300 rows; one that ends earlier broke off."""


def list_url(search: Search, settings: NaverSettings, *, start: int = 1) -> str:
    """The address of a place list from row `start` on. The location travels in it, so that it is on record."""
    base = settings.pcplace_url if search.device is Device.PC else settings.place_url
    values: dict[str, object] = {"query": search.keyword}
    if search.location is not None:
        values |= {"x": search.location.x, "y": search.location.y}
    if start > 1:
        values["start"] = start
    return f"{base}/{search.vertical or 'place'}/list?{urlencode(values, quote_via=quote)}"


def judge_list(response: Response, keyword: str) -> PlaceBatch:
    """The batch of a list page.

    Raises:
        Blocked, RetryLater, GiveUp: as the page means.
    """
    refuse_status(response)
    batch = _batch(response, keyword)
    refuse_half(response)
    _refuse_unreadable(batch, response)
    return batch


def judge_first_list(response: Response, keyword: str) -> PlaceBatch:
    """The same for the beginning of a list, which is never empty or short unless it says that it holds no more."""
    batch = judge_list(response, keyword)
    if len(batch.rows) < FEWEST_ROWS and not _is_all(batch):
        raise short_page(response, len(batch.rows), f"the list claims {batch.total}")
    return batch


def judge_reply(response: Response, keyword: str) -> PlaceBatch | None:
    """The batch of a GraphQL reply to the page's own script; None for a reply about something else.

    Raises:
        Blocked, RetryLater, GiveUp: as the reply means.
    """
    refuse_status(response)
    document = _document(response, keyword)
    if has_errors(document):
        raise blocked("GERR", "the place list's own data service answers with errors", response)
    batch = batch_of_reply(document)
    if batch is None and not _has_data(document):
        raise not_understood(response, "a reply of the data service without data")
    if batch is not None:
        _refuse_unreadable(batch, response)
    return batch


def refuse_early_end(progress: Progress, total: int | None, search: Search, *, seen_end: int | None) -> None:
    """Return for a list that ended at its total, or where an earlier attempt saw it end, too.

    Raises:
        RetryLater: it ended before its total and before any place where such lists are cut.
        EndInDoubt: it ended before its total, and nothing confirms that.
    """
    read = len(progress.counted)
    if total is not None and read >= total:
        return
    if read < SHORTEST_CUT:
        message = f"the place list of {search.keyword!r} ended after {read} of {total} rows (short page); "
        raise RetryLater(ErrorCode.UPSTREAM_ERROR, f"{message}a partial list is no reading", details={"rows": read})
    confirm_end(progress, search, seen_end=seen_end)


def _is_all(batch: PlaceBatch) -> bool:
    """Whether the rows are all that the list claims to hold; repeats count once."""
    distinct = len({row for row in batch.rows if row}) + sum(row is None for row in batch.rows)
    return batch.total is not None and distinct >= batch.total


def _batch(response: Response, keyword: str) -> PlaceBatch:
    try:
        batch = place_batch(response.text, keyword)
    except BrokenValue as error:
        refuse_half(response)
        raise not_understood(response, str(error)) from error
    if batch is None:
        refuse_words(response, keyword)
        refuse_half(response)
        raise not_understood(response, "a place list without the state that carries its rows")
    return batch


def _refuse_unreadable(batch: PlaceBatch, response: Response) -> None:
    unknown = sum(row is None for row in batch.rows)
    if unknown * 2 > len(batch.rows):
        raise not_understood(response, f"of {len(batch.rows)} places {unknown} have no id")


def _document(response: Response, keyword: str) -> Any:
    try:
        return json.loads(response.text, strict=False)
    except (ValueError, RecursionError) as error:
        refuse_words(response, keyword)
        raise short_page(response, 0, "a whole JSON document is due") from error


def _has_data(document: Any) -> bool:
    results = document if isinstance(document, list) else [document]
    return any(isinstance(result, dict) and isinstance(result.get("data"), dict) for result in results)
