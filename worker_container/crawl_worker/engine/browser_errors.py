"""What each fault of the browser means, in one table."""

import re
from typing import Final

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout

from nightjar.errors import ErrorCode, GiveUp, RetryLater, TaskFailure

BROWSER_DIED: Final = "Chromium died during the visit; it is started anew for the next one"

_FAILURES: tuple[tuple[re.Pattern[str], type[TaskFailure], ErrorCode, str], ...] = tuple(
    (re.compile(pattern), reaction, code, sentence)
    for pattern, reaction, code, sentence in (
        (r"has been closed|Target closed|Connection closed|browser has disconnected", RetryLater, ErrorCode.UPSTREAM_ERROR, BROWSER_DIED),
        (r"Target crashed|Page crashed", RetryLater, ErrorCode.UPSTREAM_ERROR, "the page's process crashed, perhaps out of memory"),
        (r"ERR_(CONNECTION_|)TIMED_OUT", RetryLater, ErrorCode.TIMEOUT, "did not answer in time"),
        (r"ERR_(INVALID_URL|UNKNOWN_URL_SCHEME|UNSAFE_PORT|DISALLOWED_URL_SCHEME)", GiveUp, ErrorCode.EGRESS_REFUSED, "is not a URL that may be visited"),
        (r"ERR_TOO_MANY_REDIRECTS", GiveUp, ErrorCode.UPSTREAM_ERROR, "redirects in a circle"),
        (r"ERR_CERT_|ERR_SSL_", RetryLater, ErrorCode.UPSTREAM_ERROR, "offers no certificate that can be trusted"),
        (r"net::ERR_", RetryLater, ErrorCode.UPSTREAM_ERROR, "cannot be reached"),
    )
)  # fmt: skip


def failure_of(error: PlaywrightError, url: str) -> TaskFailure:
    """Our error for a fault of Playwright: a time-out, or the first line of the table that fits."""
    details: dict[str, object] = {"url": url}
    detail = error.message.splitlines()[0] if error.message else type(error).__name__
    if isinstance(error, PlaywrightTimeout):
        return RetryLater(ErrorCode.TIMEOUT, f"{url} did not get ready in time ({detail})", details=details)
    for pattern, reaction, code, sentence in _FAILURES:
        if pattern.search(error.message):
            return reaction(code, f"{url}: {sentence} ({detail})", details=details)
    return RetryLater(ErrorCode.INTERNAL, f"{url}: the browser failed in an unforeseen way ({detail})", details=details)
