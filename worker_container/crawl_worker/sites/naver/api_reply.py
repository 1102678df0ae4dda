"""The replies of the official search API: rows, or what its errors mean.

Two envelopes are known: `{"error": {"errorCode", "message", "details"}}` of NAVER API HUB, and
`{"errorCode", "errorMessage"}` of the older host. Neither text is repeated in our errors: it may hold a key.
"""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from crawl_worker.engine.http import Response
from crawl_worker.sites.naver.blocks import blocked, not_understood, short_page
from crawl_worker.sites.naver.links import row_key
from nightjar.errors import ErrorCode, GiveUp, RetryLater, TaskFailure

_KEY_REFUSED = frozenset({"200", "024"})
_NOT_ENABLED = frozenset({"210"})
_NO_SUCH_API = frozenset({"300", "SE05"})
_OVER_QUOTA = frozenset({"400", "010", "012"})
_IN_TROUBLE = frozenset({"900", "SE99"})


@dataclass(frozen=True, slots=True)
class ApiPage:
    """Rows of one call in the API's order, and how many the API has in all."""

    rows: tuple[str | None, ...]
    total: int


def judge_api(response: Response, *, start: int, display: int) -> ApiPage:
    """The rows of a reply to a call with these values.

    Raises:
        Blocked: a limit is reached, of the day or of the moment.
        GiveUp: the key is refused or not allowed to search (`action_required`), or the call is refused for good.
        RetryLater: 5xx, a broken reply, or fewer rows than the reply itself says there are.
    """
    document = _document(response)
    if response.status != HTTPStatus.OK or _code(document):
        raise _refusal(response, _code(document))
    items, total = (document.get("items"), document.get("total")) if isinstance(document, dict) else (None, None)
    if not isinstance(items, list) or not isinstance(total, int):
        raise not_understood(response, "a reply of the search API without items and total")
    rows = tuple(row_key(str(item.get("link") or "")) if isinstance(item, dict) else None for item in items)
    due = max(0, min(display, total - start + 1))
    if len(rows) < due:
        raise short_page(response, len(rows), f"{due} are due of {total}")
    if rows and sum(row is None for row in rows) * 2 > len(rows):
        raise not_understood(response, "most results of the search API carry no link")
    return ApiPage(rows=rows, total=total)


def _document(response: Response) -> Any:
    try:
        return json.loads(response.text, strict=False)
    except (ValueError, RecursionError) as error:
        if response.status != HTTPStatus.OK:
            return {}
        raise short_page(response, 0, "a whole JSON document is due") from error


def _code(document: Any) -> str:
    if not isinstance(document, dict):
        return ""
    inner = document.get("error")
    return str((inner if isinstance(inner, dict) else document).get("errorCode") or "")


def _refusal(response: Response, code: str) -> TaskFailure:
    status, host = response.status, urlsplit(response.url).netloc
    said = f"HTTP {status}" + (f", error {code}" if code else "")
    details: dict[str, object] = {"status": status, "error_code": code}
    if status == HTTPStatus.TOO_MANY_REQUESTS or code in _OVER_QUOTA:
        return blocked("QUOTA", f"the search API of {host} has reached its limit of calls ({said})", response)
    if code in _NOT_ENABLED:
        message = f"the key is not enabled for the search API of {host} ({said}): enable it for the application"
        return GiveUp(ErrorCode.ACTION_REQUIRED, message, details=details)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or code in _IN_TROUBLE:
        return RetryLater(ErrorCode.UPSTREAM_ERROR, f"the search API of {host} is in trouble ({said})", details=details)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} or code in _KEY_REFUSED:
        message = f"the search API of {host} refuses the key ({said}): check NAVER_API_KEY_ID and NAVER_API_KEY"
        return GiveUp(ErrorCode.ACTION_REQUIRED, message, details=details)
    if status == HTTPStatus.NOT_FOUND or code in _NO_SUCH_API:
        message = f"{host} has no search API at {urlsplit(response.url).path} ({said}): check NAVER_API_URL"
        return GiveUp(ErrorCode.ACTION_REQUIRED, message, details=details)
    return GiveUp(ErrorCode.UPSTREAM_ERROR, f"the search API of {host} refuses the call ({said})", details=details)
