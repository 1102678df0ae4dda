"""What a slice knows and has in hand of one crawl, from the first claim to the end of the slice."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from time import monotonic
from uuid import UUID

from crawl_worker.engine.robots import RobotsRules
from crawl_worker.sites.web.engine_choice import EngineChoice
from crawl_worker.sites.web.judging import Outcome
from crawl_worker.sites.web.link_rules import LinkRules
from crawl_worker.sites.web.settling import Settlement
from nightjar.database.crawls import Crawl
from nightjar.domain.site_crawl import Engine

MAX_KNOWN = 100_000
"""URLs of a crawl that a slice remembers as known (about 20 MB): each one spares the database a question."""


@dataclass(slots=True)
class CrawlDesk:
    """A crawl at work in this slice."""

    crawl: Crawl
    robots: Mapping[str, RobotsRules]
    in_hand: int = 0
    """URLs that were claimed and have no outcome yet."""

    is_open: bool = True
    is_flushing: bool = False
    outcomes: list[Outcome] = field(default_factory=list)
    oldest: float = 0.0
    bytes: int = 0
    known: dict[str, int] = field(default_factory=dict)
    traps: frozenset[str] = frozenset()
    choices: dict[str, EngineChoice] = field(default_factory=dict)
    """What `auto` has learned, by host."""

    @property
    def rules(self) -> LinkRules:
        """The rules for links, as they are known now."""
        return LinkRules(crawl=self.crawl, robots=self.robots, traps=self.traps)

    def renew(self, crawl: Crawl) -> None:
        """The row of the crawl was read again."""
        self.crawl = crawl

    def learned_before(self, host: str, kept: Mapping[str, object] | None) -> None:
        """What slices before this one have learned of the pages of a host; from then on this one learns by itself."""
        if host not in self.choices:
            self.choices[host] = EngineChoice.from_json(kept) if kept else EngineChoice()

    def lessons(self) -> dict[str, dict[str, object]]:
        """What `auto` has learned, to be kept."""
        if self.crawl.engine is not Engine.AUTO:
            return {}
        return {host: choice.as_json() for host, choice in self.choices.items() if choice.kinds}

    def add(self, outcome: Outcome) -> None:
        """A URL in hand has an outcome. Links that are known at their depth already are left out."""
        known = self.known
        found = tuple([link for link in outcome.found if known.get(link.url, 99_999) > link.depth])
        if not self.outcomes:
            self.oldest = monotonic()
        self.outcomes.append(replace(outcome, found=found))
        self.bytes += len(outcome.page.body) + len(outcome.page.screenshot or b"") if outcome.page else 0
        self.in_hand -= 1

    def take(self) -> list[Outcome]:
        """All outcomes, to be written."""
        taken, self.outcomes, self.bytes = self.outcomes, [], 0
        return taken

    def settled(self, settlement: Settlement) -> None:
        """They were written."""
        self.traps |= settlement.traps
        self._remember(settlement.offered)

    def _remember(self, offered: Iterable[tuple[str, int]]) -> None:
        if len(self.known) > MAX_KNOWN:
            self.known.clear()
        for url, depth in offered:
            if self.known.get(url, 99_999) > depth:
                self.known[url] = depth


class RobotsBook:
    """The rules of the origins that this slice knows. Of one that could not say, nothing may be fetched."""

    def __init__(self) -> None:
        self.rules: dict[str, RobotsRules] = {}
        self.silent: dict[str, str] = {}
        """Why, by origin."""

    @property
    def delays(self) -> Mapping[str, timedelta | None]:
        """The Crawl-delay of each origin that is known."""
        known = {origin: rules.crawl_delay for origin, rules in self.rules.items()}
        return known | dict.fromkeys(self.silent)


def desk_for(desks: dict[UUID, CrawlDesk], crawl: Crawl, robots: Mapping[str, RobotsRules]) -> CrawlDesk:
    """The desk of a crawl, with its newest row."""
    desk = desks.get(crawl.task_id)
    if desk is None:
        desk = desks[crawl.task_id] = CrawlDesk(crawl, robots)
    desk.renew(crawl)
    return desk
