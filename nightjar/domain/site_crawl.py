"""A site crawl: what was ordered, what was fetched, and the words that its rows use."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID


class Engine(StrEnum):
    """How pages are fetched; `auto` takes the browser only where a page needs it."""

    AUTO = "auto"
    HTTP = "http"
    BROWSER = "browser"


class Scope(StrEnum):
    """Which pages belong to a crawl: those of the start page's host and port, or of its registrable domain."""

    HOST = "host"
    SITE = "site"


class PageState(StrEnum):
    """Where a URL of the frontier stands. The last three are final."""

    QUEUED = "queued"
    LEASED = "leased"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class SkipReason(StrEnum):
    """Why a URL that was found is not among the pages."""

    OUT_OF_SCOPE = "out_of_scope"
    DEPTH = "depth"
    EXCLUDED = "excluded"
    ROBOTS = "robots"
    ROBOTS_UNAVAILABLE = "robots_unavailable"
    NOFOLLOW = "nofollow"
    NOINDEX = "noindex"
    LOG_OUT = "log_out"
    TRAP = "trap"
    REDIRECT = "redirect"
    CANONICAL = "canonical"
    CONTENT_TYPE = "content_type"
    LIMIT = "limit"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlOrder:
    """What somebody asked for. `depth` counts link hops from the start page, `limit` pages."""

    url: str
    depth: int = 3
    limit: int = 1000
    engine: Engine = Engine.AUTO
    scope: Scope = Scope.HOST
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    screenshots: bool = False
    structure: bool = True
    delay: timedelta | None = None
    """Between two requests to a host; None takes the setting. A Crawl-delay of the site that is longer wins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlCounts:
    """Where the URLs of a crawl stand: `discovered` is the sum of the rest, at every moment."""

    discovered: int
    queued: int
    leased: int
    done: int
    failed: int
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBody:
    """Where the bytes of a page are: an object of the archive, and the place of its WARC record in it."""

    archive_object: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PageKey:
    """A stored page: its row, its crawl, its address and where its bytes are."""

    id: int
    crawl_id: UUID
    url: str
    final_url: str
    content_type: str
    fetched_at: datetime
    body: StoredBody
