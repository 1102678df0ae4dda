"""Where a naver.me link leads.

Only the short host is ever asked, at the address that the settings give. What it names is checked, never fetched: a
short link that anybody may paste must not let a function call addresses of its own network.
"""

import html
import http.client
import re
import time
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from nightjar.domain.naver_link import SHORT_HOST, host_of_link, is_site_host
from nightjar.errors import ErrorCode, Invalid, RetryLater

MAX_HOPS = 5
"""Requests for one link. The site itself needs one or two."""

HOP_TIMEOUT_SECONDS = 3.0
"""For one request, so that a person who registers a link gets an answer even when the short host hangs."""

_MAX_BODY_BYTES = 65_536
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_META = re.compile(r"<meta\b[^>]*>", re.IGNORECASE)
_REFRESH = re.compile(r"""http-equiv\s*=\s*["']?refresh\b""", re.IGNORECASE)
_REFRESH_URL = re.compile(
    r"""content\s*=\s*(["'])\s*[\d.]*\s*[;,]?\s*url\s*=\s*['"]?(?P<url>.*?)['"]?\s*\1""", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    location: str | None
    body: str


def resolve(
    url: str, *, base_url: str, max_hops: int = MAX_HOPS, hop_timeout_seconds: float = HOP_TIMEOUT_SECONDS
) -> str:
    """The first naver.com address that a naver.me link leads to. That address itself is not requested.

    `base_url` is where the short host is reached (https://naver.me unless a replica stands in for it).

    Raises:
        Invalid: the link is no naver.me link, there is none of that code, it leads elsewhere than Naver, in a circle,
            over too many hops, or nowhere. Asking again would not help: the client is told.
        RetryLater: the short host does not answer in time, fails, or turns us away for now (a 503 to the client).
    """
    current = _checked_short_link(url, base_url)
    seen: set[str] = set()
    for _ in range(max_hops):
        path = _path_of(current)
        if path in seen:
            raise Invalid(f"the short link {url} leads in a circle")
        seen.add(path)
        following = _next_address(_ask(base_url, path, hop_timeout_seconds), url)
        current = _joined(current, following, url)
        if _is_on_site(current, url, base_url):
            return current
    raise Invalid(f"the short link {url} leads over more than {max_hops} hops; paste the address that it ends at")


def _joined(current: str, following: str, asked_for: str) -> str:
    try:
        return urljoin(current, following)
    except ValueError as error:
        raise Invalid(f"the short link {asked_for} leads elsewhere than Naver: to no web address at all") from error


def _checked_short_link(url: str, base_url: str) -> str:
    if not _is_short_host(url, base_url):
        raise Invalid(f"{url} is not a {SHORT_HOST} link")
    return url


def _is_short_host(url: str, base_url: str) -> bool:
    if urlsplit(url)[:2] == urlsplit(base_url)[:2]:
        return True
    return host_of_link(url) == SHORT_HOST


def _is_on_site(url: str, asked_for: str, base_url: str) -> bool:
    """True for an address of naver.com, False for another short link.

    Raises:
        Invalid: it is neither.
    """
    try:
        if _is_short_host(url, base_url):
            return False
        if is_site_host(host_of_link(url)):
            return True
    except Invalid:
        pass  # not a plain web address: elsewhere, too
    raise Invalid(
        f"the short link {asked_for} leads elsewhere than Naver; only links that end at naver.com are followed"
    )


def _path_of(url: str) -> str:
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return quote(path, safe="/?&=%~:@!$'()*+,;")


def _next_address(answer: _Answer, asked_for: str) -> str:
    if answer.status in _REDIRECTS and answer.location:
        return answer.location
    if answer.status == http.HTTPStatus.OK:
        refresh = _refresh_address(answer.body)
        if refresh:
            return refresh
    if answer.status == http.HTTPStatus.TOO_MANY_REQUESTS or answer.status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        raise RetryLater(
            ErrorCode.UPSTREAM_ERROR,
            f"{SHORT_HOST} answers {answer.status} for {asked_for}; try again, or paste the address it leads to",
        )
    if answer.status in {http.HTTPStatus.NOT_FOUND, http.HTTPStatus.GONE}:
        raise Invalid(f"there is no short link {asked_for}")
    raise Invalid(
        f"the short link {asked_for} leads nowhere (HTTP {answer.status}); paste the address it should lead to"
    )


def _refresh_address(body: str) -> str | None:
    """The address of an interstitial page that sends its reader on."""
    for tag in _META.findall(body):
        found = _REFRESH_URL.search(tag) if _REFRESH.search(tag) else None
        if found and found["url"]:
            return html.unescape(found["url"])
    return None


def _ask(base_url: str, path: str, timeout_seconds: float) -> _Answer:
    base = urlsplit(base_url)
    kind = http.client.HTTPSConnection if base.scheme == "https" else http.client.HTTPConnection
    connection = kind(base.hostname or "", base.port, timeout=timeout_seconds)
    deadline = time.monotonic() + timeout_seconds
    try:
        connection.request("GET", base.path.rstrip("/") + path, headers={"Accept": "text/html", "Connection": "close"})
        with connection.getresponse() as answer:
            body = _bounded_body(answer, deadline) if answer.status == http.HTTPStatus.OK else b""
            return _Answer(answer.status, answer.getheader("Location"), body.decode("utf-8", "replace"))
    except TimeoutError as error:
        message = f"{base_url} did not answer within {timeout_seconds:g} s; try again, or paste the address it leads to"
        raise RetryLater(ErrorCode.TIMEOUT, message) from error
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        message = f"{base_url} cannot be asked ({error}); try again, or paste the address that the link leads to"
        raise RetryLater(ErrorCode.UPSTREAM_ERROR, message) from error
    finally:
        connection.close()


def _bounded_body(answer: http.client.HTTPResponse, deadline: float) -> bytes:
    body = b""
    while len(body) < _MAX_BODY_BYTES:
        if time.monotonic() > deadline:
            raise TimeoutError
        chunk = answer.read1(_MAX_BODY_BYTES)
        if not chunk:
            break
        body += chunk
    return body[:_MAX_BODY_BYTES]
