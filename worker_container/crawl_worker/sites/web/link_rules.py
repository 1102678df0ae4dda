"""What becomes of a link: a URL to fetch, or one that is skipped, for a reason that people can read."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from crawl_worker.engine.robots import RobotsRules
from crawl_worker.sites.web.urls import (
    MAX_URL_LENGTH,
    WebUrl,
    registrable_domain,
    repeats_itself,
    template_of,
    web_url,
)
from nightjar.database.crawls import Crawl
from nightjar.database.frontier import SITEMAP_DEPTH, OfferedUrl
from nightjar.domain.site_crawl import Scope, SkipReason
from nightjar.domain.url_patterns import UrlPatterns

# In an address: between marks, perhaps with a verb before or behind, so that a page about logouts is not meant. In a
# label: alone.
_LOG_OUT = re.compile(
    r"(?:^|[/_\-.?&=])(?:do|user|member|auth|acc(?:oun)?t)?[-_]?(?:log[-_]?(?:out|off)|sign[-_]?(?:out|off)|로그아웃)"
    r"(?:proc|process|action|ok|do)?(?:$|[/_\-.?&=;])",
    re.IGNORECASE,
)
_LOG_OUT_LABELS = frozenset({"로그아웃", "logout", "log out", "log off", "sign out", "sign off"})

# Large, and never a page. What may be read (pdf, office, pictures) is fetched: it belongs to the site.
_MEDIA = re.compile(
    r"\.(?:zip|gz|tgz|bz2|xz|7z|rar|tar|iso|dmg|exe|msi|apk|deb|rpm|jar|mp3|m4a|wav|ogg|flac|mp4|m4v|avi|mov|mkv|webm"
    r"|woff2?|ttf|otf|eot|css|js|mjs|map)$",
    re.IGNORECASE,
)


@lru_cache(maxsize=100)
def _patterns(include: tuple[str, ...], exclude: tuple[str, ...]) -> UrlPatterns:
    return UrlPatterns(include=include, exclude=exclude)


class Found(NamedTuple):
    """A link as it was found: `depth` is the one that its target would have. A redirect carries where it began."""

    url: str
    depth: int
    nofollow: bool = False
    label: str = ""
    requested_url: str | None = None
    redirects: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRules:
    """The rules of one crawl, as one worker knows them now."""

    crawl: Crawl
    robots: Mapping[str, RobotsRules] = field(default_factory=dict)
    """By origin. Where they are not known yet, the URL is judged when its turn comes."""

    traps: Collection[str] = ()
    """Templates of URLs that turned out to be endless."""

    def offers(self, found: Iterable[Found]) -> list[OfferedUrl]:
        """One offer for each URL, the best that was found for it, in the order in which they were found."""
        best: dict[str, tuple[tuple[bool, int], OfferedUrl]] = {}
        # Pages of a site link to the same pages again and again: each different link is judged once.
        for link in dict.fromkeys(found):
            offer = self.offer(link)
            rank = (offer.reason is not None, offer.depth)
            if link.url not in best or rank < best[link.url][0]:
                best[link.url] = rank, offer
        return [offer for _, offer in best.values()]

    def offer(self, link: Found) -> OfferedUrl:
        """What is to become of a link."""
        url = web_url(link.url)
        return OfferedUrl(
            url_hash=url.hash,
            url=url.text[: MAX_URL_LENGTH + 1],
            host=url.host,
            origin=url.origin,
            depth=link.depth,
            reason=self._reason(url, link),
            requested_url=link.requested_url,
            redirects=link.redirects,
        )

    def in_scope(self, url: WebUrl) -> bool:
        """Whether a URL belongs to the crawl."""
        if self.crawl.scope is Scope.HOST:
            return url.host == self.crawl.scope_key
        return registrable_domain(url.host) == self.crawl.scope_key

    def _reason(self, url: WebUrl, link: Found) -> SkipReason | None:  # noqa: PLR0911  # a list of rules
        """The first rule that speaks against it; the depth last, since a shorter path may be found."""
        if not self.in_scope(url):
            return SkipReason.OUT_OF_SCOPE
        if self._leads_astray(url.text):
            return SkipReason.TRAP
        address = "/" + url.text.partition("://")[2].partition("/")[2]
        if _logs_out(address, link.label):
            return SkipReason.LOG_OUT
        if _MEDIA.search(address.partition("?")[0]):
            return SkipReason.CONTENT_TYPE
        if link.depth > 0 and not self._is_wanted(address):
            return SkipReason.EXCLUDED
        if not self.allows(url):
            return SkipReason.ROBOTS
        if link.nofollow:
            return SkipReason.NOFOLLOW
        return SkipReason.DEPTH if self.crawl.depth < link.depth < SITEMAP_DEPTH else None

    def _leads_astray(self, url: str) -> bool:
        return len(url) > MAX_URL_LENGTH or repeats_itself(url) or self.is_trap(url)

    def is_trap(self, url: str) -> bool:
        """Whether the form of a URL is one of the endless ones."""
        return bool(self.traps) and template_of(url) in self.traps

    def allows(self, url: WebUrl) -> bool:
        """Whether robots.txt allows it, as far as is known."""
        rules = self.robots.get(url.origin)
        return rules is None or rules.allows(url.text)

    def _is_wanted(self, address: str) -> bool:
        return _patterns(self.crawl.include, self.crawl.exclude).admits(address)


def _logs_out(address: str, label: str) -> bool:
    readable = unquote(address) if "%" in address else address
    return _LOG_OUT.search(readable) is not None or " ".join(label.lower().split()) in _LOG_OUT_LABELS
