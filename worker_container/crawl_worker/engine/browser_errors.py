"""What each fault of the browser means, in one table."""

import re

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout

from nightjar.errors import ErrorCode, GiveUp, RetryLater, TaskFailure

_CRASHED = "its process crashed, perhaps out of memory"

_FAILURES: tuple[tuple[str, type[TaskFailure], ErrorCode, str], ...] = (
    ("Target crashed|Page crashed", RetryLater, ErrorCode.UPSTREAM_ERROR, _CRASHED),
    ("has been closed", RetryLater, ErrorCode.UPSTREAM_ERROR, "it closed before it was read"),
    ("ERR_(CONNECTION_)?TIMED_OUT", RetryLater, ErrorCode.TIMEOUT, "it did not answer in time"),
    ("Cannot navigate to invalid URL", GiveUp, ErrorCode.EGRESS_REFUSED, "it is not a URL that may be visited"),
    ("ERR_(INVALID_URL|UNSAFE_PORT|UNKNOWN_URL_SCHEME)", GiveUp, ErrorCode.EGRESS_REFUSED, "it may not be visited"),
    ("ERR_TOO_MANY_REDIRECTS", GiveUp, ErrorCode.UPSTREAM_ERROR, "it redirects in a circle"),
    ("Download is starting", GiveUp, ErrorCode.UPSTREAM_ERROR, "it is a file to keep, not a page"),
    ("ERR_(CONTENT_LENGTH|INCOMPLETE)_", RetryLater, ErrorCode.UPSTREAM_ERROR, "it broke off in the middle"),
    ("ERR_(CERT|SSL)_", RetryLater, ErrorCode.UPSTREAM_ERROR, "it offers no certificate that can be trusted"),
    ("ERR_ABORTED", RetryLater, ErrorCode.UPSTREAM_ERROR, "it went elsewhere before it was loaded"),
    ("net::ERR_", RetryLater, ErrorCode.UPSTREAM_ERROR, "it cannot be reached"),
)
"""A pattern in Playwright's message, the reaction, the code and the sentence; the first that fits."""


def failure_of(error: PlaywrightError, url: str) -> TaskFailure:
    """Our error for a fault of Playwright while it worked on a page."""
    if isinstance(error, PlaywrightTimeout):
        return _told(RetryLater, ErrorCode.TIMEOUT, url, "it was not ready in time", error.message)
    return meaning_of(error.message, url)


def meaning_of(message: str, url: str) -> TaskFailure:
    """Our error for a message of Playwright, or a net error of Chromium (`net::ERR_...`)."""
    for pattern, reaction, code, sentence in _FAILURES:
        if re.search(pattern, message):
            return _told(reaction, code, url, sentence, message)
    return _told(RetryLater, ErrorCode.INTERNAL, url, "the browser failed in an unforeseen way", message)


def _told(reaction: type[TaskFailure], code: ErrorCode, url: str, sentence: str, message: str) -> TaskFailure:
    detail = next(iter(message.splitlines()), "no message")
    return reaction(code, f"{url}: {sentence} ({detail})", details={"url": url})


def died(url: str) -> RetryLater:
    """The error of every visit under way when Chromium ends."""
    message = f"{url}: Chromium ended during the visit; the next visit starts a new one"
    return RetryLater(ErrorCode.UPSTREAM_ERROR, message, details={"url": url})


def crashed(url: str) -> RetryLater:
    """The error of a visit whose page lost its process."""
    return RetryLater(ErrorCode.UPSTREAM_ERROR, f"{url}: {_CRASHED}", details={"url": url})
