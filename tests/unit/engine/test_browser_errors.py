"""What each fault of the browser means."""

import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout

from crawl_worker.engine.browser_errors import failure_of
from nightjar.errors import ErrorCode, GiveUp, RetryLater

URL = "https://site.test/list"


@pytest.mark.parametrize(
    ("message", "reaction", "code"),
    [
        ("Page.goto: net::ERR_CONNECTION_REFUSED at https://site.test/", RetryLater, ErrorCode.UPSTREAM_ERROR),
        ("Page.goto: net::ERR_EMPTY_RESPONSE at https://site.test/", RetryLater, ErrorCode.UPSTREAM_ERROR),
        ("Page.goto: net::ERR_TIMED_OUT at https://site.test/", RetryLater, ErrorCode.TIMEOUT),
        ("Page.goto: net::ERR_CONNECTION_TIMED_OUT at https://site.test/", RetryLater, ErrorCode.TIMEOUT),
        ("Page.goto: net::ERR_CERT_DATE_INVALID at https://site.test/", RetryLater, ErrorCode.UPSTREAM_ERROR),
        ("Page.goto: net::ERR_TOO_MANY_REDIRECTS at https://site.test/", GiveUp, ErrorCode.UPSTREAM_ERROR),
        ("Page.goto: net::ERR_UNSAFE_PORT at http://site.test:22/", GiveUp, ErrorCode.EGRESS_REFUSED),
        ('Page.goto: Protocol error: Cannot navigate to invalid URL "x"', GiveUp, ErrorCode.EGRESS_REFUSED),
        ("Page.goto: net::ERR_ABORTED at https://site.test/file.zip", RetryLater, ErrorCode.UPSTREAM_ERROR),
        ("Page.goto: Download is starting", GiveUp, ErrorCode.UPSTREAM_ERROR),
        ("net::ERR_CONTENT_LENGTH_MISMATCH", RetryLater, ErrorCode.UPSTREAM_ERROR),
        ("Page.click: Target crashed", RetryLater, ErrorCode.UPSTREAM_ERROR),
        ("Page.click: Target page, context or browser has been closed", RetryLater, ErrorCode.UPSTREAM_ERROR),
        ("Page.evaluate: ReferenceError: x is not defined", RetryLater, ErrorCode.INTERNAL),
        ("", RetryLater, ErrorCode.INTERNAL),
    ],
)
def test_a_fault_becomes_a_reaction(message: str, reaction: type[Exception], code: ErrorCode) -> None:
    failure = failure_of(PlaywrightError(message), URL)
    assert isinstance(failure, reaction)
    assert failure.code is code
    assert failure.message.startswith(f"{URL}: ")
    assert failure.details == {"url": URL}


def test_a_time_out_is_tried_again() -> None:
    failure = failure_of(
        PlaywrightTimeout("Page.wait_for_selector: Timeout 500ms exceeded.\nCall log:\n - waiting"), URL
    )
    assert isinstance(failure, RetryLater)
    assert failure.code is ErrorCode.TIMEOUT
    assert "Call log" not in failure.message
