"""What an answer means for a crawl: a page to keep, a URL to skip, a failure, or something to try again."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from crawl_worker.engine.fetched import FetchedPage
from crawl_worker.sites.web.document import EMPTY, Document
from crawl_worker.sites.web.link_rules import Found
from crawl_worker.sites.web.urls import same_but_for_spelling, spelled
from nightjar.database.frontier import SITEMAP_DEPTH, LeasedUrl, UrlEnd
from nightjar.domain.site_crawl import Engine, PageState, SkipReason
from nightjar.errors import ErrorCode, RetryLater, TaskFailure

MAX_RETRIES = 3

MAX_REDIRECTS = 10
"""As many as browsers follow, roughly; who needs more goes round in circles."""

MAX_OWN_QUERIES = 2
"""So often a page may send the browser to another query of its own address; then it is kept where it is."""

LONGEST_WAIT = timedelta(hours=1)
"""Of a Retry-After: a crawl does not wait for the next day."""

# Sites that name page 1 as the canonical one of all pages of a list are common: what page 2 lists is nowhere else.
_PAGE_OF_A_LIST = re.compile(
    r"[?&](?:p|pg|paged|start|offset|(?:cur|current)?[-_]?page[-_]?(?:no|num|number|index)?)=\d+(?:&|$)", re.IGNORECASE
)

OVERLOADED = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS})


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSignal:
    """What a host told about itself: that it has too much to do, and how long it wants to be left alone.

    One that is not `plain` (503 without Retry-After) may be about its page alone: several of them are about the host.
    """

    plain: bool
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one URL in hand. Either a page is kept, or `end` says what happened instead.

    `found` has the links with the hops that they are away: 1, or 0 for where a redirect or a canonical link leads.
    """

    leased: LeasedUrl
    page: FetchedPage | None = None
    document: Document = EMPTY
    charset: str | None = None
    engine_reason: str | None = None
    end: UrlEnd | None = None
    found: tuple[Found, ...] = ()
    signal: HostSignal | None = None


def judge(
    leased: LeasedUrl,
    page: FetchedPage,
    document: Document,
    *,
    retry_delay: timedelta,
    is_wanted: Callable[[Found], bool] = lambda _: True,
) -> Outcome:
    """What the answer of a page means.

    `document` has neither text nor links for what is no HTML. `is_wanted` says whether the crawl would fetch a link.
    """
    status = page.status
    elsewhere = _shown_elsewhere(leased, page)
    if elsewhere is not None:
        return _leads_to(leased, elsewhere)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return _redirected(leased, page)
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return _refused(leased, page, retry_delay)
    return _kept(leased, page, document, is_wanted)


def judge_failure(leased: LeasedUrl, failure: TaskFailure, *, retry_delay: timedelta) -> Outcome:
    """What it means that there was no answer."""
    if isinstance(failure, RetryLater) and leased.attempts <= MAX_RETRIES:
        return Outcome(leased=leased, end=_retry(leased, failure, retry_delay * leased.attempts))
    return Outcome(leased=leased, end=_failed(leased, failure.code, failure.message))


def skipped(leased: LeasedUrl, reason: SkipReason, *, why: str | None = None) -> Outcome:
    """A URL that is not fetched after all; `why` in words, where the reason alone does not say it."""
    return Outcome(leased=leased, end=replace(_skip(leased, reason), error_message=why))


def failed(leased: LeasedUrl, code: ErrorCode, message: str) -> Outcome:
    """A URL that gives no page."""
    return Outcome(leased=leased, end=_failed(leased, code, message))


def put_back(leased: LeasedUrl) -> Outcome:
    """A URL whose turn has not come: back into the queue, as if nobody had taken it."""
    return Outcome(leased=leased, end=UrlEnd(url_hash=leased.url_hash, state=PageState.QUEUED, uncounted=True))


def later_in_the_browser(leased: LeasedUrl) -> Outcome:
    """A page that needs the browser, at a host whose pause is too long to wait for: its next turn begins there."""
    end = UrlEnd(url_hash=leased.url_hash, state=PageState.QUEUED, uncounted=True, wants_browser=True)
    return Outcome(leased=leased, end=end)


def _kept(leased: LeasedUrl, page: FetchedPage, document: Document, is_wanted: Callable[[Found], bool]) -> Outcome:
    links = () if leased.depth >= SITEMAP_DEPTH else _links(leased, document)
    canonical = document.canonical
    if document.noindex:
        return Outcome(leased=leased, document=document, end=_skip(leased, SkipReason.NOINDEX), found=links)
    if canonical and _is_duplicate(leased, canonical):
        original = Found(url=canonical, depth=leased.depth)
        if is_wanted(original):  # else this page would be lost for one that is not fetched
            end = replace(_skip(leased, SkipReason.CANONICAL), target=canonical)
            onward = links if _PAGE_OF_A_LIST.search(leased.url) else ()
            return Outcome(leased=leased, end=end, found=(original, *onward))
    return Outcome(leased=leased, page=page, document=document, found=links)


def _links(leased: LeasedUrl, document: Document) -> tuple[Found, ...]:
    depth = leased.depth + 1
    return tuple(
        [Found(url=link.url, depth=depth, nofollow=link.nofollow, label=link.label) for link in document.links]
    )


def _is_duplicate(leased: LeasedUrl, canonical: str) -> bool:
    """Whether the page says that it is another spelling of a page.

    Any other canonical link is only recorded: sites that name their home page on every page are common.
    """
    if leased.stands_alone or canonical == leased.url:
        return False
    return same_but_for_spelling(leased.url, canonical)


def _redirected(leased: LeasedUrl, page: FetchedPage) -> Outcome:
    target = spelled(page.header("location").strip(), page.final_url) if page.header("location") else None
    if target is None:
        message = f"it answers {page.status} without saying where it leads"
        return Outcome(leased=leased, end=_failed(leased, ErrorCode.UPSTREAM_ERROR, message))
    return _leads_to(leased, target)


def _shown_elsewhere(leased: LeasedUrl, page: FetchedPage) -> str | None:
    """Where the browser was led: the page belongs there. Some scripts write a new query of their own each time."""
    shown = spelled(page.final_url, page.url) if page.engine is Engine.BROWSER else None
    if shown is None or shown == leased.url:
        return None
    is_same_place = shown.partition("?")[0] == leased.url.partition("?")[0]
    return None if is_same_place and leased.redirects >= MAX_OWN_QUERIES else shown


def _leads_to(leased: LeasedUrl, target: str) -> Outcome:
    """The target is a URL like any other: judged by the rules of the crawl, fetched once whoever leads to it."""
    if leased.redirects >= MAX_REDIRECTS:
        message = f"it leads on and on: more than {MAX_REDIRECTS} redirects"
        return Outcome(leased=leased, end=_failed(leased, ErrorCode.UPSTREAM_ERROR, message))
    end = replace(_skip(leased, SkipReason.REDIRECT), target=target)
    onward = Found(
        url=target,
        depth=leased.depth,
        requested_url=leased.requested_url or leased.url,
        redirects=leased.redirects + 1,
    )
    return Outcome(leased=leased, end=end, found=(onward,))


def _refused(leased: LeasedUrl, page: FetchedPage, retry_delay: timedelta) -> Outcome:
    status = page.status
    wait = retry_after(page)
    plain = status == HTTPStatus.TOO_MANY_REQUESTS or wait is not None
    signal = HostSignal(plain=plain, retry_after=wait) if status in OVERLOADED else None
    passing = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING
    message = f"it answers {status}"
    if passing and leased.attempts <= MAX_RETRIES:
        failure = RetryLater(ErrorCode.UPSTREAM_ERROR, message)
        return Outcome(leased=leased, end=_retry(leased, failure, wait or retry_delay * leased.attempts), signal=signal)
    return Outcome(leased=leased, end=_failed(leased, _code(status), message), signal=signal)


def retry_after(page: FetchedPage) -> timedelta | None:
    """How long the host wants to be left alone, at most an hour; None if it does not say."""
    value = page.header("retry-after").strip()
    if re.fullmatch(r"\d{1,9}", value):
        return min(timedelta(seconds=int(value)), LONGEST_WAIT)
    try:
        wait = parsedate_to_datetime(value) - datetime.now(UTC)
    except (ValueError, TypeError):
        return None
    return min(max(wait, timedelta(0)), LONGEST_WAIT)


def _code(status: int) -> ErrorCode:
    if status in _GONE:
        return ErrorCode.NOT_FOUND
    return ErrorCode.BLOCKED if status in _REFUSED or status in OVERLOADED else ErrorCode.UPSTREAM_ERROR


def _skip(leased: LeasedUrl, reason: SkipReason) -> UrlEnd:
    return UrlEnd(url_hash=leased.url_hash, state=PageState.SKIPPED, reason=reason)


def _failed(leased: LeasedUrl, code: ErrorCode, message: str) -> UrlEnd:
    return UrlEnd(url_hash=leased.url_hash, state=PageState.FAILED, error_code=code, error_message=message)


def _retry(leased: LeasedUrl, failure: TaskFailure, delay: timedelta) -> UrlEnd:
    return UrlEnd(
        url_hash=leased.url_hash,
        state=PageState.QUEUED,
        error_code=failure.code,
        error_message=failure.message,
        delay=delay,
    )
