"""Reads the replica as a stranger would, with regular expressions alone: a second opinion on what its pages hold."""

import http.client
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urlencode, urlsplit

PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) Mobile"}
DESKTOP = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"}
_POST = re.compile(r"https://blog\.naver\.com/([\w-]+)/(\d+)$")
_TALK = re.compile(r"https://(?:m\.)?cafe\.naver\.com/(?:ca-fe/web/cafes/)?(\w+)/(?:articles/)?(\d+)\?art=")
_NEXT = re.compile(r"new XLoad\(\{url:(\"[^\"]*\")(?:,headers:(\{.*?\}))?\}\)")


@dataclass(frozen=True)
class Page:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def data(self) -> Any:
        return json.loads(self.body)


def get(
    url: str, headers: dict[str, str] | None = None, *, method: str = "GET", body: str | None = None, timeout: float = 5
) -> Page:
    """One request, no redirect followed."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
    try:
        connection.request(
            method, f"{parts.path or '/'}?{parts.query}", body=body and body.encode(), headers=headers or {}
        )
        reply = connection.getresponse()
        return Page(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
    finally:
        connection.close()


def address(base: str, path: str, **query: object) -> str:
    return f"{base}{path}?{urlencode({name: str(value) for name, value in query.items()})}"


def distinct(keys: Iterable[str]) -> list[str]:
    """The keys in order, each once; rows without one ("") all stay."""
    seen: set[str] = set()
    kept = []
    for key in keys:
        if not key or key not in seen:
            kept.append(key)
        seen.add(key)
    return kept


def blog_keys(html: str) -> list[str]:
    """Organic cards of a PC blog page of the new or mutated design, in document order."""
    keys = []
    for card in html.split('data-template-id="ugcItem"')[1:]:
        main = re.search(r"<a [^>]*data-heatmap-target=\"\.nblg\"[^>]*>", card)
        if main is None or re.search(r">광고<", card):
            continue
        found = re.search(r' cru="([^"]+)"', main[0]) or re.search(r' href="([^"]+)"', main[0])
        assert found
        post = _POST.match(unescape(found[1]))
        keys.append(f"{post[1].lower()}/{post[2]}" if post else found[1])
    return keys


def old_blog_keys(html: str) -> list[str]:
    """Organic cards of the old design."""
    keys = []
    for card in html.split('<li class="bx"><div class="view_wrap">')[1:]:
        main = re.search(r'<a class="title_link"[^>]*>', card)
        assert main
        if ">광고<" in card:
            continue
        found = re.search(r' cru="([^"]+)"', main[0]) or re.search(r' href="([^"]+)"', main[0])
        assert found
        post = _POST.match(unescape(found[1]))
        keys.append(f"{post[1].lower()}/{post[2]}" if post else found[1])
    return keys


def phone_blog_keys(html: str) -> list[str]:
    """Organic cards of a phone's blog page, out of its script calls."""
    keys = []
    for call in re.finditer(r"entry\.bootstrap\([^{]*", html):
        block, _ = json.JSONDecoder().raw_decode(html, call.end())
        for child in block["props"]["layout"]["children"][0]["props"]["children"]:
            props = child["props"]
            if "badge" not in props:
                post = _POST.match(props["titleHref"])
                keys.append(f"{post[1].lower()}/{post[2]}" if post else props["titleHref"])
    return keys


def cafe_keys(html: str) -> list[str]:
    """Organic rows of a cafe page; a row with a club id in its link has the key `{club id}/{article}`."""
    keys = []
    for row in html.split('<li class="bx')[1:]:
        link = re.search(r'class="title_link" href="([^"]+)"', row)
        if link is None or ">광고<" in row:
            continue
        talk = _TALK.match(unescape(link[1]))
        assert talk, link[1]
        keys.append(f"{talk[1]}/{talk[2]}")
    return keys


def next_load(html: str) -> tuple[str, dict[str, str]]:
    """Address and headers of the next load; "" where there is none."""
    found = _NEXT.search(html)
    return (json.loads(found[1]), json.loads(found[2]) if found[2] else {}) if found else ("", {})


def endless(first_url: str, keys_of: Any, headers: dict[str, str] | None = None) -> list[str]:
    """All organic keys of a tab, page after page, repeats dropped."""
    first = get(first_url, headers)
    keys = keys_of(first.text)
    url, sent = next_load(first.text)
    while url:
        load = get(url, sent)
        document = load.data
        keys += keys_of(document["collection"][0]["html"])
        url = document["url"]
    return distinct(keys)


def apollo(html: str) -> dict[str, Any]:
    state, _ = json.JSONDecoder().raw_decode(html, html.index("window.__APOLLO_STATE__ = ") + 26)
    return dict(state)


def listing(state: dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
    """The total that a list claims, and its organic entities."""
    root = state["ROOT_QUERY"]
    name = next(key for key in root if re.match(r"(placeList|restaurantList|hospitals)\(", key))
    found = root[name].get("businesses") or root[name]
    return found["total"], [state[item["__ref"]] if "__ref" in item else item for item in found["items"]]


def place_keys(base: str, vertical: str, keyword: str, **query: object) -> list[str]:
    """All organic ids of a place list by `start` and `display`."""
    keys: list[str] = []
    while True:
        where = address(base, f"/{vertical}/list", query=keyword, start=len(keys) + 1, display=100, **query)
        _, items = listing(apollo(get(where).text))
        if not items:
            return distinct(keys)
        keys += [item["id"] or "" for item in items]
