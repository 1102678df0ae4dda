"""What a slice is given, and what it has in hand."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.page_pool import PagePool
from crawl_worker.engine.store import Store
from crawl_worker.engine.web_client import WebClient
from crawl_worker.sites.web.claiming import ClaimRules
from crawl_worker.sites.web.crawl_desk import CrawlDesk
from crawl_worker.sites.web.lanes import Lane
from nightjar.ports import Archive, ProgressChannel, TaskQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceRules:
    """Limits of a slice: how long it works, how much it holds at once, how it writes."""

    claims: ClaimRules
    retry_delay: timedelta
    pause: timedelta
    """After a request to a host, where nobody can say any more when it was."""

    work_seconds: float = 45
    in_hand: int = 300
    """URLs that wait or are being fetched; of a host with a pause one counts."""

    turn: int = 100
    """URLs of one claim."""

    flush_pages: int = 150
    flush_bytes: int = 16_000_000
    most_bytes: int = 64_000_000
    """Of answers that are not written yet: more are not fetched before."""

    flush_seconds: float = 10
    """What was fetched is written at the latest after this time; before, when it is enough or nothing else is left."""

    linger_seconds: float = 1
    """How long a slice stays after its last turn although nothing is due: other slices may find more."""

    idle_seconds: float = 15
    """How long a slice alone waits for what is not due yet, rather than going back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceTools:
    """What a slice works with; all but the settings belong to the child."""

    store: Store
    claims: Store
    """A connection of its own: claiming does not wait for what is being written."""

    queue: TaskQueue
    channel: ProgressChannel
    archive: Archive
    web: WebClient
    pool: PagePool
    rule: EgressRule


@dataclass(slots=True)
class Hand:
    """Everything that is in hand."""

    desks: dict[UUID, CrawlDesk] = field(default_factory=dict)
    lanes: dict[str, Lane] = field(default_factory=dict)
    flushes: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def urls(self) -> int:
        """URLs that have no outcome yet."""
        return sum(desk.in_hand for desk in self.desks.values())

    @property
    def load(self) -> int:
        """How much is being sent; of a host with a pause one request counts."""
        return sum(lane.load for lane in self.lanes.values())

    @property
    def bytes(self) -> int:
        """Of answers that are not written yet."""
        return sum(desk.bytes for desk in self.desks.values())

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits, is being sent or written."""
        return (
            not self.flushes
            and all(desk.in_hand == 0 and not desk.outcomes for desk in self.desks.values())
            and all(lane.is_idle for lane in self.lanes.values())
        )
