"""One quick look at an HTML page: its title, its text, its links, and what it asks of crawlers."""

from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawl_worker.sites.web.urls import spelled

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})

MAX_TEXT = 200_000
"""Characters of text of one page that are kept; several times the longest article."""

MAX_LINKS = 10_000
"""Links of one page that are looked at: a sitemap page has a thousand."""

MAX_TITLE = 500

_UNREAD = "script,style,noscript,template"


@dataclass(frozen=True, slots=True)
class Link:
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
    """Read a page that came from `url`; `robots_header` is the value of its X-Robots-Tag."""
    return read_tree(LexborHTMLParser(html), url, robots_header=robots_header)


def read_tree(tree: LexborHTMLParser, url: str, *, robots_header: str = "") -> Document:
    """As `read_document`, of a page that is parsed already. Scripts and styles are taken out of the tree."""
    base = _base(tree, url)
    title = tree.css_first("title")
    wishes = f"{robots_header},{_robots_meta(tree)}".lower()
    nofollow = "nofollow" in wishes or _is_none(wishes)
    links = tuple(_links(tree, base, nofollow_all=nofollow))
    canonical = _canonical(tree, base)
    return Document(
        title=_flat(title.text())[:MAX_TITLE] if title else "",
        text=_text(tree),
        links=links,
        canonical=canonical,
        noindex="noindex" in wishes or _is_none(wishes),
        nofollow=nofollow,
    )


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


def _base(tree: LexborHTMLParser, url: str) -> str:
    node = tree.css_first("base[href]")
    return (spelled(node.attributes.get("href") or "", url) or url) if node else url


def _canonical(tree: LexborHTMLParser, base: str) -> str | None:
    node = tree.css_first("link[rel=canonical][href]")
    return spelled((node.attributes.get("href") or "").strip(), base) if node else None


def _robots_meta(tree: LexborHTMLParser) -> str:
    nodes: list[LexborNode] = tree.css("meta[name=robots i],meta[name=nightjar i]")
    return ",".join(node.attributes.get("content") or "" for node in nodes)


def _is_none(wishes: str) -> bool:
    return any(wish.strip() == "none" for wish in wishes.split(","))


def _flat(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())
