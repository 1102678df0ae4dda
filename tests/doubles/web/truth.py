"""What a right crawl of a replica site finds, worked out from the site's definition.

The rules: depth counts link hops; a redirect or a canonical is no hop; robots.txt, noindex, nofollow and log-out links
are obeyed; what only a sitemap names is fetched without a depth and its links are not followed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.doubles.web.hosts.designs.design import Design
from tests.doubles.web.hosts.designs.site import all_pages, designs
from tests.doubles.web.hosts.hostile import ENDINGS
from tests.doubles.web.joined import joined, whole
from tests.doubles.web.markup import Part
from tests.doubles.web.page import Page, PageNumbers, Robots, Site
from tests.doubles.web.sites import SITES

__all__ = ["ENDINGS", "Design", "Expected", "Part", "all_pages", "designs", "expected", "folded", "is_endless",
           "needs_browser", "page_numbers", "pages_at_depth", "script_made_share"]  # fmt: skip

OK: Final = 200
FAILURES: Final = {404: "not_found", 410: "not_found", 401: "blocked", 403: "blocked"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The outcome of a right crawl. Addresses are path and query; of other sites `http://NAME.replica/...`."""

    pages_at_depth: Mapping[int, frozenset[str]]
    sitemap_only: frozenset[str]
    """Fetched, with no depth."""

    skipped: Mapping[str, frozenset[str]]
    """By reason, as `SkipReason` words it."""

    failed: Mapping[str, frozenset[str]]
    """By error code, as `ErrorCode` words it."""

    endless: frozenset[str]
    """The first addresses of the families without end that the crawl meets; see `is_endless`."""

    @property
    def pages(self) -> frozenset[str]:
        """All pages that are stored, without those of endless families."""
        return frozenset().union(*self.pages_at_depth.values(), self.sitemap_only)


def expected(
    host: str,
    *,
    start: str = "/",
    depth: int = 3,
    browser: bool = True,
    robots: str = "default",
    sitemaps: bool = True,
    scope: str = "host",
    wanted: Callable[[str], bool] = lambda _: True,
) -> Expected:
    """What a crawl finds that starts at a host. `browser`: script-made links are seen (the engines browser and auto).

    With the scope `site` all hosts are one site, and all addresses are whole: `http://NAME.replica/...`; robots.txt is
    then the usual one. `wanted` is False for addresses that include and exclude patterns rule out.
    """
    site = SITES[host]() if scope == "host" else joined(host, {name: make() for name, make in SITES.items()})
    walk = _Walk(site=site, browser=browser, rules=site.robots[robots], wanted=wanted)
    level = [start if scope == "host" else whole(host, start)]
    for hops in range(depth + 1):
        level = walk.read_level(level, hops)
    walk.skip_what_is_left(level)
    if sitemaps and "Sitemap:" in walk.rules.text:
        walk.read_sitemaps()
    return walk.outcome()


def pages_at_depth(host: str, *, start: str = "/", depth: int = 3, browser: bool = True) -> dict[int, frozenset[str]]:
    """The stored pages by link hops, with the host's usual robots.txt."""
    return dict(expected(host, start=start, depth=depth, browser=browser).pages_at_depth)


def needs_browser(host: str) -> frozenset[str]:
    """The pages of a host whose content or links only a browser sees."""
    return frozenset(target for target, page in SITES[host]().pages.items() if page.needs_browser)


def page_numbers(host: str) -> dict[str, PageNumbers]:
    """The pages of a host that are one of a list of pages."""
    return {target: page.numbers for target, page in SITES[host]().pages.items() if page.numbers is not None}


def script_made_share(host: str, *, depth: int) -> float:
    """How much of the pages that a crawl stores needs a browser, from 0 to 1."""
    stored = expected(host, depth=depth).pages
    return len(stored & needs_browser(host)) / len(stored)


def is_endless(host: str, target: str) -> bool:
    """Whether an address belongs to a family of pages without end (a calendar, a relative link that grows)."""
    page = SITES[host]().page(target)
    return page is not None and page.endless


def folded(host: str, targets: Iterable[str]) -> frozenset[str]:
    """The addresses with spellings made one that only some URL rules make equal (`/%7Ea` is `/~a`)."""
    spellings = SITES[host]().spellings
    return frozenset(spellings.get(target, target) for target in targets)


@dataclass(slots=True, kw_only=True)
class _Walk:
    """The crawl of one host, on its definition."""

    site: Site
    browser: bool
    rules: Robots
    wanted: Callable[[str], bool]
    pages: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    sitemap_only: set[str] = field(default_factory=set)
    skipped: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    failed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    endless: set[str] = field(default_factory=set)
    judged: set[str] = field(default_factory=set)
    nofollow: set[str] = field(default_factory=set)

    def read_level(self, level: Iterable[str], hops: int) -> list[str]:
        """Judges the addresses of a level, and what they redirect to; the addresses of the next."""
        todo, found = list(level), []
        while todo:
            target = self._one_spelling(todo.pop())
            if target in self.judged:
                continue
            self.judged.add(target)
            page = self._asked(target)
            if page is None:
                continue
            moved = self._moved(target, page)
            if moved is not None:
                todo.append(moved)
            elif self._stored(target, page):
                self.pages[hops].add(target)
            if not page.location and not page.failure and page.status == OK:
                found += self._followed(page)
        return found

    def skip_what_is_left(self, level: Iterable[str]) -> None:
        """Links of the deepest pages: their reason is the depth, if no other keeps them out."""
        for target in {self._one_spelling(target) for target in level} - self.judged:
            page = self.site.page(target)
            if page is not None and page.endless:
                self.endless.add(target)
            else:
                self.skipped[self._reason_not_to_ask(target) or "depth"].add(target)

    def read_sitemaps(self) -> None:
        """Adds what only the sitemaps name."""
        named = {target for sitemap in self.site.sitemaps.values() for target in sitemap.pages}
        for target in named - self.judged:
            self.judged.add(target)
            self.skipped["depth"].discard(target)
            page = self._asked(target)
            if page is not None and self._stored(target, page):
                self.sitemap_only.add(target)

    def outcome(self) -> Expected:
        """All that was found, frozen."""
        self.skipped["nofollow"] |= self.nofollow - self.judged - self.skipped["depth"]
        return Expected(
            pages_at_depth={hops: frozenset(found) for hops, found in sorted(self.pages.items())},
            sitemap_only=frozenset(self.sitemap_only),
            skipped={reason: frozenset(found) for reason, found in self.skipped.items() if found},
            failed={code: frozenset(found) for code, found in self.failed.items() if found},
            endless=frozenset(self.endless),
        )

    def _one_spelling(self, target: str) -> str:
        return self.site.spellings.get(target, target)

    def _asked(self, target: str) -> Page | None:
        """The page, if it is asked for at all; otherwise the reason is noted."""
        reason = self._reason_not_to_ask(target)
        if reason:
            self.skipped[reason].add(target)
            return None
        page = self.site.page(target)
        if page is None:
            self.failed["not_found"].add(target)
        elif page.endless:
            self.endless.add(target)
        else:
            return page
        return None

    def _reason_not_to_ask(self, target: str) -> str:
        if not self.site.holds(target):
            return "out_of_scope"
        page = self.site.page(target)
        if page is not None and page.skipped:
            return page.skipped
        if not self.wanted(target):
            return "excluded"
        if not self.rules.disallows(target):
            return ""
        return "robots_unavailable" if self.rules.unavailable else "robots"

    def _moved(self, target: str, page: Page) -> str | None:
        """Where a redirect or a canonical leads; the address itself is then no page."""
        if page.location is not None:
            self.skipped["redirect"].add(target)
            return page.location.target
        if page.canonical is not None and page.status == OK:
            self.skipped["canonical"].add(target)
            return page.canonical.target
        return None

    def _stored(self, target: str, page: Page) -> bool:
        if page.failure or page.status != OK:
            self.failed[page.failure or FAILURES.get(page.status, "upstream_error")].add(target)
            return False
        if page.noindex:
            self.skipped["noindex"].add(target)
        return not page.noindex

    def _followed(self, page: Page) -> list[str]:
        links = [link for link in page.links if link.target and (self.browser or not link.by_script)]
        barred = [link.target for link in links if page.nofollow or "nofollow" in link.rel.split()]
        self.nofollow.update(target for target in barred if self.site.holds(target))
        return [link.target for link in links if not page.nofollow and "nofollow" not in link.rel.split()]
