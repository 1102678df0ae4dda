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
    ("ERR_(CERT|SSL)_", RetryLater, ErrorCode.UPSTREAM_ERROR, "it offers no certificate that can be trusted"),
    ("ERR_ABORTED", RetryLater, ErrorCode.UPSTREAM_ERROR, "it is no page, or went elsewhere before it was loaded"),
    ("net::ERR_", RetryLater, ErrorCode.UPSTREAM_ERROR, "it cannot be reached"),
)
"""A pattern in Playwright's message, the reaction, the code and the sentence; the first that fits."""


def failure_of(error: PlaywrightError, url: str) -> TaskFailure:
    """Our error for a fault of Playwright while it worked on a page."""
    details: dict[str, object] = {"url": url}
    detail = error.message.splitlines()[0] if error.message else type(error).__name__
    if isinstance(error, PlaywrightTimeout):
        return RetryLater(ErrorCode.TIMEOUT, f"{url}: it was not ready in time ({detail})", details=details)
    for pattern, reaction, code, sentence in _FAILURES:
        if re.search(pattern, error.message):
            return reaction(code, f"{url}: {sentence} ({detail})", details=details)
    return RetryLater(ErrorCode.INTERNAL, f"{url}: the browser failed in an unforeseen way ({detail})", details=details)


def died(url: str) -> RetryLater:
    """The error of every visit under way when Chromium ends."""
    message = f"{url}: Chromium ended during the visit; the next visit starts a new one"
    return RetryLater(ErrorCode.UPSTREAM_ERROR, message, details={"url": url})


def crashed(url: str) -> RetryLater:
    """The error of a visit whose page lost its process."""
    return RetryLater(ErrorCode.UPSTREAM_ERROR, f"{url}: {_CRASHED}", details={"url": url})
