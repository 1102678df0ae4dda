"""The address of the next load of an endless list, as the page issues it."""

import html as html_entities
import json
import re
from urllib.parse import urljoin, urlsplit, urlunsplit

from crawl_worker.sites.naver.rows import NextLoad
from nightjar.errors import ErrorCode, GiveUp

_ANNOUNCED = re.compile(r"new\s+XLoad\s*\(")
_ISSUED = re.compile(r"""(["'])(?P<address>(?:https?:|\\?/)[^"'\s<>]{0,8000}?search\.naver[^"'\s<>]{1,8000})\1""")
_HEADERS = re.compile(r"headers\s*:\s*(\{[^{}]*\})")
_PATH = re.compile(r"/p/[a-z]+/(?:\d+/)?search\.naver")
_REAL_HOST = "s.search.naver.com"


def next_load(html: str, *, page_url: str, more_url: str) -> NextLoad | None:
    """The next load that an HTML page announces in a script; None if it announces none.

    Raises:
        GiveUp: the page announces a load, but its address is not found (`layout_changed`) or is on another host than
            the loads of this site (`egress_refused`).
    """
    for found in _ISSUED.finditer(html):
        address = _unescaped(found["address"])
        if _PATH.fullmatch(urlsplit(address).path):
            headers = _HEADERS.search(html, found.end(), found.end() + 2000)
            return NextLoad(checked_address(address, page_url=page_url, more_url=more_url), _headers(headers))
    if _ANNOUNCED.search(html):
        raise GiveUp(
            ErrorCode.LAYOUT_CHANGED, f"{page_url} announces a further load, but its address was not found in the page"
        )
    return None


def checked_address(address: str, *, page_url: str, more_url: str) -> str:
    """The issued address at the host that is set for further loads.

    Raises:
        GiveUp: the page points elsewhere; what it says is never a reason to call another host.
    """
    parts, base = urlsplit(urljoin(page_url, address)), urlsplit(more_url)
    if parts.netloc not in {base.netloc, _REAL_HOST}:
        message = f"{page_url} points to {parts.netloc} for its further rows; only {base.netloc} is asked for them"
        raise GiveUp(ErrorCode.EGRESS_REFUSED, message)
    return urlunsplit((base.scheme, base.netloc, base.path.rstrip("/") + parts.path, parts.query, ""))


def _unescaped(literal: str) -> str:
    """The address behind the escapes of a script (slashes, ampersands) or of an attribute (&amp;)."""
    try:
        return html_entities.unescape(str(json.loads(f'"{literal}"', strict=False)))
    except ValueError:
        return literal


def _headers(found: re.Match[str] | None) -> dict[str, str]:
    try:
        headers = json.loads(found.group(1), strict=False) if found else {}
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in headers.items()}
