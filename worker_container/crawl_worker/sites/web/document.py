"""One quick look at an HTML page: its title, its text, its links, and what it asks of crawlers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser

from crawl_worker.sites.web.nesting import flattened
from crawl_worker.sites.web.urls import spelled

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})

MAX_TEXT = 200_000
"""Characters of text of one page that are kept; several times the longest article."""

MAX_LINKS = 10_000
"""Links of one page that are looked at: a sitemap page has a thousand."""

MAX_TITLE = 500

_ROBOTS_NAMES = frozenset({"robots", "nightjar"})
_UNREAD = "script,style,noscript,template"

# An X-Robots-Tag may be meant for one crawler: its name and a colon come first. These words take a colon themselves.
_AGENT = re.compile(r"\s*([a-z0-9_-]+)\s*:", re.IGNORECASE)
_WITH_VALUE = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
_OURSELVES = "nightjar"


class Link(NamedTuple):
    """A link as the crawl spells its target. `nofollow` is the page's own wish; `label` is what people read."""

    url: str
    nofollow: bool
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a crawl needs to know of a page."""

    title: str
    text: str
    links: tuple[Link, ...]
    canonical: str | None
    noindex: bool
    nofollow: bool


EMPTY = Document(title="", text="", links=(), canonical=None, noindex=False, nofollow=False)
"""A page that is no HTML."""


def read_document(html: str, url: str, *, robots_header: str = "") -> Document:
    """Read a page that came from `url`; `robots_header` has the values of its X-Robots-Tag headers, one a line."""
    return read_tree(LexborHTMLParser(flattened(html)), url, robots_header=robots_header)


def read_headers(robots_header: str) -> Document:
    """What is known of an answer that is no HTML; `robots_header` as for `read_document`."""
    wishes = _wishes(robots_header)
    return replace(EMPTY, noindex=not wishes.isdisjoint({"noindex", "none"}))


def read_tree(tree: LexborHTMLParser, url: str, *, robots_header: str = "") -> Document:
    """As `read_document`, of a page that is parsed already. Scripts and styles are taken out of the tree."""
    head = _read_head(tree, url)
    wishes = _wishes(robots_header) | _words(head.robots)
    nofollow = not wishes.isdisjoint({"nofollow", "none"})
    return Document(
        title=head.title,
        links=tuple(_links(tree, head.base, nofollow_all=nofollow)),
        text=_text(tree),
        canonical=head.canonical,
        noindex=not wishes.isdisjoint({"noindex", "none"}),
        nofollow=nofollow,
    )


@dataclass(slots=True)
class _Head:
    """What the head of a page says about it."""

    base: str
    title: str = ""
    robots: str = ""
    canonical: str | None = None


def _read_head(tree: LexborHTMLParser, url: str) -> _Head:
    """One look at the head: browsers and search engines heed these elements nowhere else."""
    read = _Head(url)
    canonical = None
    nodes = tree.head.css("title,base[href],meta[name][content],link[rel=canonical][href]") if tree.head else []
    for node in nodes:
        attributes = node.attributes
        match node.tag:
            case "title":
                read.title = read.title or _flat(node.text())[:MAX_TITLE]
            case "base" if read.base == url:
                read.base = spelled((attributes.get("href") or "").strip(), url) or url
            case "meta" if (attributes.get("name") or "").strip().lower() in _ROBOTS_NAMES:
                read.robots += f",{attributes.get('content')}"
            case "link":
                canonical = canonical or attributes.get("href")
    read.canonical = spelled(canonical.strip(), read.base) if canonical else None
    return read


def _links(tree: LexborHTMLParser, base: str, *, nofollow_all: bool) -> Iterator[Link]:
    seen: set[tuple[str, bool]] = set()
    for node in tree.css("a[href],area[href],link[rel=next],link[rel=prev],iframe[src],frame[src]")[:MAX_LINKS]:
        attributes = node.attributes
        target = spelled((attributes.get("href") or attributes.get("src") or "").strip(), base)
        if target is None:
            continue
        nofollow = nofollow_all or "nofollow" in (attributes.get("rel") or "").lower()
        if (target, nofollow) not in seen:
            seen.add((target, nofollow))
            yield Link(target, nofollow, node.text()[:80].strip())


def _text(tree: LexborHTMLParser) -> str:
    body = tree.body
    if body is None:
        return ""
    tree.strip_tags(_UNREAD.split(","))
    return _flat(body.text(separator=" "))[:MAX_TEXT]


def _wishes(robots_header: str) -> frozenset[str]:
    """What X-Robots-Tag asks of all crawlers and of ours; each line begins with what is for all."""
    if not robots_header:
        return frozenset()
    wishes: set[str] = set()
    for line in robots_header.splitlines():
        for_us = True
        for part in line.split(","):
            named = _AGENT.match(part)
            agent = named.group(1).lower() if named else ""
            if agent and agent not in _WITH_VALUE:
                for_us = agent == _OURSELVES
            if for_us:
                wishes |= _words(part.replace(":", " "))
    return frozenset(wishes)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.lower().replace(",", " ").split())


def _flat(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())
