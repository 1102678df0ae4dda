"""What a replica site is made of: pages and the links between them. Served and truth alike come from these values.

An address within a site is its path with its query (`/item/7?color=red`). Other sites of the replica are written as
`http://NAME.replica/...`; the server puts the real origin in its place, and `NAME.port` becomes the port.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

HTML: Final = "text/html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link as written, and where it leads."""

    href: str
    text: str = ""
    to: str | None = None
    """The normalised address; None: the href is one; "" leads nowhere (mailto and the like)."""

    rel: str = ""
    tag: str = "a"
    log_out: bool = False
    by_script: bool = False
    """Made by a script: only a browser sees it."""

    @property
    def target(self) -> str:
        """The normalised address; empty if the link leads nowhere."""
        return self.href if self.to is None else self.to


@dataclass(frozen=True, slots=True, kw_only=True)
class PageNumbers:
    """Which of a list of pages this is."""

    pattern: str
    """The address of a page, within the host; `{page}` stands where the number goes."""

    kind: str
    """`query`: the number is a parameter; `path`: it is part of the path; `offset`: a parameter that counts items."""

    current: int
    total: int | None
    """None: the page does not tell."""

    start: int = 1
    """The number in the address of the first page."""

    step: int = 1
    """From page to page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One address and what it answers."""

    title: str = ""
    sentences: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    status: int = 200
    location: Link | None = None
    """Where it redirects, with a 3xx status."""

    canonical: Link | None = None
    robots: str = ""
    """Of the robots meta element."""

    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = HTML
    charset: str = "utf-8"
    charset_in: str = "header"
    """`header`, `meta` or `nowhere`."""

    body: bytes | None = None
    """Instead of a rendered page."""

    html: str = ""
    """Markup of the page's own instead of the site's frame; origins are put in."""

    base: str = ""
    language: str = "ko"
    delay: float = 0.0
    """Seconds before the answer."""

    first_statuses: tuple[int, ...] = ()
    """What the first requests get instead."""

    retry_after: str = ""
    skipped: str = ""
    """The reason why it is never asked for, although links lead to it: `content_type`, `log_out`, `trap`."""

    failure: str = ""
    """The error code of a page that cannot be read to its end."""

    endless: bool = False
    """One of a family without end: how many of it are read is up to the crawler's patience, not to the truth."""

    noindex: bool = False
    nofollow: bool = False
    needs_browser: bool = False
    numbers: PageNumbers | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Robots:
    """A robots.txt and what it means for us."""

    text: str = ""
    status: int = 200
    disallows: Callable[[str], bool] = field(default=lambda _: False)
    crawl_delay: float | None = None
    location: str = ""
    delay: float = 0.0
    unavailable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitemap:
    """A sitemap file: its pages, or the sitemaps that it lists."""

    pages: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    packed: bool = False
    plain: bool = False
    """A text file with one address a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """All that one host of the replica serves."""

    name: str
    language: str
    pages: Mapping[str, Page]
    robots: Mapping[str, Robots] = field(default_factory=lambda: {"default": Robots(status=404)})
    sitemaps: Mapping[str, Sitemap] = field(default_factory=dict)
    made: Callable[[str], Page | None] = field(default=lambda _: None)
    """Pages without end, made from their address."""

    spellings: Mapping[str, str] = field(default_factory=dict)
    """Addresses that mean the same page and that only some URL rules make equal, and what they mean."""

    origins: tuple[str, ...] = ()
    """Of several hosts taken as one site; addresses are then whole, and begin with one of these."""

    def holds(self, target: str) -> bool:
        """Whether an address belongs to the site."""
        return not target.startswith("http") or target.startswith(tuple(f"{origin}/" for origin in self.origins))

    def page(self, target: str) -> Page | None:
        """What is at an address; None if nothing is."""
        found = self.pages.get(self.spellings.get(target, target))
        return found if found is not None else self.made(target)
