"""A naive walker that knows nothing of a site's definition: what it finds must equal the truth.

It shares no code with the crawler: the parser and the URL rules are those of the standard library, helped where the
replica's links need it.
"""

from __future__ import annotations

import contextlib
import re
import socket
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final
from urllib.error import HTTPError
from urllib.parse import urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from tests.doubles.web.replica import WebReplica
from tests.doubles.web.sites import SITES
from tests.doubles.web.truth import is_endless

_DROPPED: Final = re.compile(r"[?&](?:utm_\w+|gclid|fbclid)=[^&#]*|(?:;jsessionid|[?&]PHPSESSID|[?&]sid)=[0-9a-f]{32}")
_LOG_OUT: Final = re.compile(r"log-?_?out\b|sign_?out|logoff|로그아웃", re.IGNORECASE)
_NOT_READ: Final = re.compile(r"\.(?:zip|mp4|gz)$")
_LONGEST: Final = 2000
_AGAIN: Final = {429, 503}
_SECONDS: Final = 10.0


@dataclass(slots=True)
class Read:
    """What a page says."""

    links: list[tuple[str, str, str]] = field(default_factory=list)
    """`href`, `rel` and text of each."""

    robots: str = ""
    canonical: str = ""
    base: str = ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.read = Read()
        self._open: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in {"a", "area"} and "href" in given:
            self._open = [given["href"], given.get("rel", ""), given.get("alt", "")]
            self._close_if(tag == "area")
        elif tag == "iframe" or (tag == "link" and given.get("rel") == "next"):
            self.read.links.append((given.get("src") or given["href"], "", ""))
        elif tag == "meta" and given.get("name") == "robots":
            self.read.robots = given["content"].lower()
        elif tag == "link" and given.get("rel") == "canonical":
            self.read.canonical = given["href"]
        elif tag == "base":
            self.read.base = given["href"]

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self._open[2] += data

    def handle_endtag(self, tag: str) -> None:
        self._close_if(tag == "a")

    def _close_if(self, over: bool) -> None:
        if over and self._open is not None:
            href, rel, text = self._open
            self.read.links.append((href, rel, text))
            self._open = None


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


class Stranger:
    """Walks one host of the replica."""

    def __init__(self, web: WebReplica, host: str) -> None:
        self._web, self._host = web, host
        self._open = build_opener(_NoRedirects).open
        self.pages: dict[int, set[str]] = {}
        self.moved: set[str] = set()
        self.noindex: set[str] = set()
        self.failed: set[str] = set()
        self._seen: set[str] = set()

    def walk(self, depth: int) -> None:
        """Reads all pages up to a depth."""
        level = ["/"]
        for hops in range(depth + 1):
            self.pages[hops] = set()
            following: list[str] = []
            while level:
                target = level.pop()
                if target not in self._seen:
                    self._seen.add(target)
                    level += self._visit(target, hops, following)
            level = following

    def get(self, target: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (names in lower case) and body; asked again up to twice after a 429 or a 503."""
        answer: tuple[int, dict[str, str], bytes] = (0, {}, b"")
        for _ in range(3):
            try:
                with self._open(Request(self._web.url(self._host, target)), timeout=_SECONDS) as reply:
                    return reply.status, _lower(reply.headers.items()), reply.read()
            except HTTPError as error:
                answer = error.code, _lower(error.headers.items()), b""
                error.close()
            if answer[0] not in _AGAIN:
                break
        return answer

    def _visit(self, target: str, hops: int, following: list[str]) -> list[str]:
        """Reads one address; the addresses of the same level that it moved to."""
        if self._kept_out(target):
            return []
        status, headers, body = self.get(target)
        if status != 200:
            return self._not_read(target, headers)
        read = _read(body) if headers["content-type"].startswith("text/html") else Read()
        said = f"{read.robots},{headers.get('x-robots-tag', '')}"
        said = "" if "otherbot" in said else said
        if not re.search("nofollow|none", said):
            following += self._links(target, read)
        if read.canonical:
            self.moved.add(target)
            return [read.canonical]
        (self.noindex if re.search("noindex|none", said) else self.pages[hops]).add(target)
        return []

    def _not_read(self, target: str, headers: dict[str, str]) -> list[str]:
        if "location" not in headers:
            self.failed.add(target)
            return []
        self.moved.add(target)
        return [self._target(target, headers["location"].encode("latin-1").decode())]

    def _kept_out(self, target: str) -> bool:
        return (
            not target.startswith("/")
            or SITES[self._host]().robots["default"].disallows(target)
            or _NOT_READ.search(target) is not None
            or len(target) > _LONGEST
            or is_endless(self._host, target)
        )

    def _links(self, target: str, read: Read) -> list[str]:
        found = []
        for href, rel, text in read.links:
            if "nofollow" not in rel and not _LOG_OUT.search(f"{href} {text.replace('Log out', 'logout')}"):
                found.append(self._target(urljoin(target, read.base), href))
        return found

    def _target(self, base: str, href: str) -> str:
        href = re.sub(r"[\t\n]", "", href.strip()).replace("\\", "/").replace("%2e", ".")
        origin = self._web.urls[self._host]
        with contextlib.suppress(ValueError, OSError):
            url = urljoin(origin + base, href)
            parts = urlsplit(url)
            if parts.scheme in {"http", "https"} and parts.hostname:
                with contextlib.suppress(OSError):
                    address = socket.inet_ntoa(socket.inet_aton(parts.hostname))
                    url = parts._replace(netloc=f"{address}:{parts.port}").geturl()
                url = _DROPPED.sub("", url.partition("#")[0])
                return re.sub(r"[^\x00-\x7f]", _percent, url).removeprefix(origin)
        return ""


def _read(body: bytes) -> Read:
    reader = _Reader()
    reader.feed(body.decode("utf-16") if body[:2] == b"\xff\xfe" else body.decode("utf-8", "replace"))
    return reader.read


def _lower(headers: list[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())
