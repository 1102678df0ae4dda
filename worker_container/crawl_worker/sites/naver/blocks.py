"""Recognising the pages that stand in place of results: blocks, faults and halves.

Words alone prove nothing: `captcha` occurs in the style of normal pages, and posts are titled with any words. So the
status speaks first, and words are looked at only where a page holds no results.
"""

import re
from http import HTTPStatus
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser

from crawl_worker.engine.http import Response
from crawl_worker.engine.politeness import host_of
from nightjar.errors import Blocked, ErrorCode, GiveUp, RetryLater, TaskFailure

_BY_STATUS: dict[int, tuple[str, str]] = {
    HTTPStatus.UNAUTHORIZED: ("LOGIN", "asks for a login"),
    HTTPStatus.FORBIDDEN: ("S403", "limits our use of the search"),
    HTTPStatus.METHOD_NOT_ALLOWED: ("G405", "answers with a captcha"),
    HTTPStatus.IM_A_TEAPOT: ("418", "turns us away"),
    HTTPStatus.TOO_MANY_REQUESTS: ("P429", "counts too many requests"),
    490: ("490", "answers with a captcha"),
}
"""Surface and sentence. The surface is the short name of a block page in logs and tests."""

_WORDS = (
    ("P200", "과도한 접근 요청"),
    ("S200", "이용이 제한"),
    ("S200", "일시적으로 제한"),
    ("S200", "비정상적인 검색"),
    ("S200", "비정상적인 접근"),
    ("S200", "자동입력 방지"),
    ("S200", "보안 절차"),
    ("S200", "제한 해제"),
)
"""Seen on block pages that say 200. They occur in ordinary posts, too."""

_MARKS = (
    ("CE", re.compile(r"CE_EMPTY_TOKEN|CE_BAD_REQUEST")),
    ("CAPTCHA", re.compile(r"wtm_?captcha|ncpt\.naver\.com", re.IGNORECASE)),
)
"""In the source of captcha pages."""

_LOGIN_HOST = "nid.naver.com"
_LOGIN_PATH = "nidlogin"


def refuse_status(response: Response) -> None:
    """Return for a page that was served; for all others raise what the status means.

    Raises:
        Blocked: 401, 403, 405, 418, 429, 490, a way to the login page, or 200 with nothing at all.
        RetryLater: 5xx.
        GiveUp: 404 and what else is refused for good; a redirect that nobody expected.
    """
    host, status = _host(response), response.status
    if status in _BY_STATUS:
        surface, says = _BY_STATUS[status]
        raise blocked(surface, f"{host} {says} (HTTP {status})", response)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise _redirected(response)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise RetryLater(ErrorCode.UPSTREAM_ERROR, f"{host} is in trouble (HTTP {status})", details=_details(response))
    if status == HTTPStatus.NOT_FOUND:
        message = f"{host} has no page {urlsplit(response.url).path} (HTTP 404)"
        raise GiveUp(ErrorCode.NOT_FOUND, message, details=_details(response))
    if status != HTTPStatus.OK:
        message = f"{host} refuses the request (HTTP {status})"
        raise GiveUp(ErrorCode.UPSTREAM_ERROR, message, details=_details(response))
    if not response.text.strip():
        raise blocked("EMPTY", f"{host} answers 200 with nothing, as it does when it throttles", response)


def refuse_words(response: Response, keyword: str) -> None:
    """Raise Blocked if a page without results speaks of a block. Never ask this of a page that has results.

    Words that the searched keyword holds itself do not count: the page repeats it.
    """
    host = _host(response)
    for surface, mark in _MARKS:
        if mark.search(response.text):
            raise blocked(surface, f"{host} answers with a captcha in place of results", response)
    shown = visible_text(response.text)
    for surface, words in _WORDS:
        if words in shown and words not in keyword:
            raise blocked(surface, f"{host} says '{words}' in place of results (HTTP {response.status})", response)


def refuse_half(response: Response) -> None:
    """Raise RetryLater if an HTML page broke off: what is missing may be the rows or the way to the next ones."""
    text = response.text
    if "<html" in text[:4000].lower() and "</html" not in text[-4000:].lower():
        message = f"{_host(response)} sent a page that breaks off (short page); a part is no reading"
        raise RetryLater(ErrorCode.UPSTREAM_ERROR, message, details=_details(response))


def blocked(surface: str, sentence: str, response: Response) -> Blocked:
    """The error of a host that refuses to serve us. `surface` is the short name of the page it shows.

    The host is named as the gate knows it: inside a visit it may be another than the one that is held.
    """
    details = _details(response) | {"surface": surface, "host": host_of(response.url)}
    retry_after = response.headers.get("Retry-After", "")
    if retry_after.isdecimal():
        details["retry_after_seconds"] = int(retry_after)
    return Blocked(f"{sentence} [{surface}]. Nothing more is sent there until its cool-down ends.", details=details)


def short_page(response: Response, found: int, expected: str) -> RetryLater:
    """The error of a page with fewer rows than it must have: a part of a list is no reading."""
    message = f"{_host(response)} sent a short page: {found} rows where {expected}; a partial list is no reading"
    return RetryLater(ErrorCode.UPSTREAM_ERROR, message, details=_details(response) | {"rows": found})


def not_understood(response: Response, what: str) -> GiveUp:
    """The error of a page that is neither results, nor their absence, nor a block."""
    message = f"the page of {_host(response)} is not understood: {what}; its layout may have changed"
    return GiveUp(ErrorCode.LAYOUT_CHANGED, message, details=_details(response))


def visible_text(html: str) -> str:
    """The text of a page as a reader sees it, white space folded; script and style are no text."""
    tree = LexborHTMLParser(html)
    tree.strip_tags(["script", "style", "noscript", "template"])
    body = tree.body
    return " ".join(body.text(separator=" ").split()) if body else ""


def _redirected(response: Response) -> TaskFailure:
    location = response.headers.get("Location", "")
    parts = urlsplit(location)
    if (parts.hostname or "") == _LOGIN_HOST or _LOGIN_PATH in parts.path:
        return blocked("LOGIN", f"{_host(response)} sends us to the login page (HTTP {response.status})", response)
    return not_understood(response, f"it sends its reader on to {parts.hostname or location} (HTTP {response.status})")


def _details(response: Response) -> dict[str, object]:
    return {"url": response.url, "status": response.status}


def _host(response: Response) -> str:
    return urlsplit(response.url).netloc
