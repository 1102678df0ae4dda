"""The frontier: every URL that a crawl has met, once. Claimed in order, settled under the attempt that claimed it.

All writes happen while the row of the crawl is locked (`Crawls`), so they never meet in another order.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, TextClause, text
from sqlalchemy.exc import DBAPIError

from nightjar.database.engine import UNIQUE_VIOLATION, sqlstate_of
from nightjar.domain.site_crawl import PageState, SkipReason
from nightjar.errors import LeaseLost

SITEMAP_DEPTH = 32_767
"""Stands for: known from a sitemap only, no path of links is known."""

SUSPECTS = 10
"""URLs whose worker died are claimed so many at a time."""

ALONE = 2
"""After so many deaths a URL is claimed alone."""

LEASE = """
    UPDATE frontier AS f
    SET state = 'leased', leased_by = :slice_id, lease_attempt = :attempt, attempts = f.attempts + 1
    FROM picked WHERE f.crawl_id = picked.crawl_id AND f.url_hash = picked.url_hash
    RETURNING f.url_hash, f.url, f.host, f.depth, f.attempts, f.lost, f.requested_url, f.redirects, f.seq,
              coalesce(f.reason IN ('canonical_failed', 'both'), false) AS stands_alone,
              coalesce(f.reason IN ('wants_browser', 'both'), false) AS wants_browser
"""

# A constant number of rows from the front of an index that holds nothing else: never a scan.
CLAIM_FRESH = text(f"""
    WITH picked AS (
        SELECT crawl_id, url_hash FROM frontier
        WHERE crawl_id = :crawl_id AND host = :host AND state = 'queued' AND not_before IS NULL
        ORDER BY depth, seq LIMIT :limit FOR UPDATE SKIP LOCKED
    ) {LEASE}
""")  # noqa: S608  # a constant

CLAIM_RETRIES = text(f"""
    WITH picked AS (
        SELECT crawl_id, url_hash FROM frontier
        WHERE crawl_id = :crawl_id AND host = :host AND state = 'queued' AND not_before <= clock_timestamp()
        ORDER BY not_before LIMIT :limit FOR UPDATE SKIP LOCKED
    ) {LEASE}
""")  # noqa: S608  # a constant

NEXT_RETRY = text("""
    SELECT not_before, lost, not_before <= clock_timestamp() AS due FROM frontier
    WHERE crawl_id = :crawl_id AND host = :host AND state = 'queued' AND not_before IS NOT NULL
    ORDER BY not_before LIMIT 1
""")

# In the order in which they were found: of a page's links the first ones are fetched first. Nobody else adds to this
# crawl meanwhile, so that no two of these wait for each other.
INSERT = text("""
    INSERT INTO frontier (crawl_id, url_hash, url, host, depth, state, reason, target, requested_url,
                          redirects)
    SELECT :crawl_id, l.url_hash, l.url, l.host, l.depth, l.state, l.reason, NULL, l.requested_url, l.redirects
    FROM ROWS FROM (json_to_recordset(CAST(:links AS json))
         AS (url_hash uuid, url text, host text, depth smallint, state text, reason text, requested_url text,
             redirects smallint)) WITH ORDINALITY
         AS l (url_hash, url, host, depth, state, reason, requested_url, redirects, position)
    ORDER BY l.position
    ON CONFLICT (crawl_id, url_hash) DO NOTHING
    RETURNING url_hash, state
""")

# What is met again on a shorter path moves up; what was out of reach only by depth, or known only by links that must
# not be followed, comes in, also by a sitemap. A link that must not be followed is no path: it moves nothing up that
# another one has reached. The hashes are named once more, as an array: a join alone may read all URLs of the crawl
# for as long as Postgres has not counted how many that are.
LOWER = text("""
    WITH nearer AS (
        SELECT f.url_hash, f.state AS was, f.reason AS why, l.depth, l.state, l.reason
        FROM json_to_recordset(CAST(:links AS json))
             AS l (url_hash uuid, depth smallint, state text, reason text)
        JOIN frontier AS f ON f.crawl_id = :crawl_id AND f.url_hash = l.url_hash
                          AND f.url_hash = ANY(CAST(:hashes AS uuid[]))
        WHERE (l.depth < f.depth AND (l.state = 'queued' OR f.reason IN ('depth', 'nofollow')))
           OR (f.reason IN ('depth', 'nofollow') AND l.state = 'queued')
        ORDER BY f.url_hash
    )
    UPDATE frontier AS f
    SET depth = nearer.depth,
        state = CASE WHEN nearer.was = 'skipped' AND nearer.why IN ('depth', 'nofollow') AND nearer.state = 'queued'
                     THEN 'queued' ELSE f.state END,
        reason = CASE WHEN nearer.was = 'skipped' AND nearer.why IN ('depth', 'nofollow') THEN nearer.reason
                      ELSE f.reason END
    FROM nearer
    WHERE f.crawl_id = :crawl_id AND f.url_hash = nearer.url_hash AND f.url_hash = ANY(CAST(:hashes AS uuid[]))
    RETURNING f.url_hash, f.url, f.depth, f.state, f.reason, f.target, nearer.was, f.host
""")

PAGE_COLUMNS = (
    "crawl_id", "url_hash", "url", "final_url", "host", "status", "engine", "engine_reason", "content_type", "charset",
    "headers", "title", "text", "links", "canonical_url", "bytes", "fetched_at", "elapsed_ms", "archive_object",
    "archive_offset", "archive_length", "screenshot",
)  # fmt: skip

# Pages are most of what is written. COPY takes a third of the time of an INSERT from JSON, in Postgres and here.
COPY_PAGES = f"COPY pages ({', '.join(PAGE_COLUMNS)}) FROM STDIN"

STORE_OBJECT = text("""
    INSERT INTO crawl_objects (archive_object, crawl_id, pages) VALUES (:archive_object, :crawl_id, :pages)
""")

SETTLE = text("""
    UPDATE frontier AS f
    SET state = s.state, target = s.target,
        reason = CASE WHEN s.state <> 'queued' THEN s.reason
                      WHEN s.reason = 'wants_browser' AND f.reason = 'canonical_failed' THEN 'both'
                      ELSE coalesce(s.reason, f.reason) END,
        error_code = s.error_code, error_message = s.error_message, leased_by = NULL, lease_attempt = NULL,
        attempts = f.attempts - CASE WHEN s.uncounted THEN 1 ELSE 0 END,
        not_before = CASE WHEN s.state <> 'queued' THEN NULL
                          WHEN s.delay_seconds IS NULL THEN f.not_before
                          ELSE clock_timestamp() + s.delay_seconds * interval '1 second' END
    FROM json_to_recordset(CAST(:ends AS json))
         AS s (url_hash uuid, state text, reason text, target text, error_code text, error_message text,
               uncounted boolean, delay_seconds double precision)
    WHERE f.crawl_id = :crawl_id AND f.url_hash = s.url_hash
      AND f.state = 'leased' AND f.leased_by = :slice_id AND f.lease_attempt = :attempt
    RETURNING f.url_hash, f.depth
""")

# A duplicate of a page that then could not be had is no duplicate: it is fetched for itself.
UNDO_CANONICAL = text("""
    UPDATE frontier SET state = 'queued', reason = 'canonical_failed'
    WHERE crawl_id = :crawl_id AND state = 'skipped' AND reason = 'canonical' AND target = ANY(CAST(:urls AS text[]))
    RETURNING url
""")

FAILED_AMONG = text("""
    SELECT url FROM frontier
    WHERE crawl_id = :crawl_id AND url_hash = ANY(CAST(:hashes AS uuid[])) AND state = 'failed'
""")

# A page that names another one, which leads back to it: one of the two stands for itself, or there would be none.
UNDO_CIRCLES = text("""
    WITH led AS (
        SELECT * FROM json_to_recordset(CAST(:led AS json)) AS l (url text, target text, target_hash uuid)
    )
    UPDATE frontier AS f SET state = 'queued', reason = 'canonical_failed'
    FROM led
    WHERE f.crawl_id = :crawl_id AND f.url_hash = led.target_hash AND f.url_hash = ANY(CAST(:hashes AS uuid[]))
        AND f.state = 'skipped' AND f.reason = 'canonical' AND f.target = led.url
        AND NOT EXISTS (SELECT FROM led AS o WHERE o.url = led.target AND o.target = led.url AND o.url < led.url)
    RETURNING f.url
""")

GIVE_BACK = text("""
    UPDATE frontier AS f
    SET state = 'queued', leased_by = NULL, lease_attempt = NULL, attempts = greatest(f.attempts - 1, 0)
    WHERE f.state = 'leased' AND f.leased_by = :slice_id AND f.lease_attempt = :attempt AND f.crawl_id = :crawl_id
    RETURNING f.host
""")

HELD_CRAWLS = text("""
    SELECT DISTINCT crawl_id FROM frontier
    WHERE state = 'leased' AND leased_by = :slice_id AND lease_attempt = :attempt ORDER BY crawl_id
""")

# In the hands of nobody: the slice ended or its worker died.
ORPHANED_CRAWLS = text("""
    SELECT DISTINCT f.crawl_id FROM frontier AS f
    WHERE f.state = 'leased' AND NOT EXISTS (
        SELECT FROM tasks AS t WHERE t.id = f.leased_by AND t.attempt = f.lease_attempt AND t.state = 'in_progress')
    ORDER BY f.crawl_id
""")

RETURN_ORPHANS = text("""
    UPDATE frontier AS f
    SET state = CASE WHEN f.lost + 1 >= :limit THEN 'failed' ELSE 'queued' END,
        lost = f.lost + 1, leased_by = NULL, lease_attempt = NULL, attempts = greatest(f.attempts - 1, 0),
        not_before = CASE WHEN f.lost + 1 >= :limit THEN NULL ELSE clock_timestamp() END,
        error_code = CASE WHEN f.lost + 1 >= :limit THEN 'worker_lost' END,
        error_message = CASE WHEN f.lost + 1 >= :limit
            THEN 'its worker was lost ' || f.lost + 1 || ' times while it had this page in hand' END
    WHERE f.crawl_id = :crawl_id AND f.state = 'leased' AND NOT EXISTS (
        SELECT FROM tasks AS t WHERE t.id = f.leased_by AND t.attempt = f.lease_attempt AND t.state = 'in_progress')
    RETURNING f.host, f.state
""")

LINKS_OF = text("""
    SELECT url_hash, links FROM pages WHERE crawl_id = :crawl_id AND url_hash = ANY(CAST(:hashes AS uuid[]))
""")

COUNT_STATES = text("SELECT state, count(*) AS urls FROM frontier WHERE crawl_id = :crawl_id GROUP BY state")


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceLease:
    """Who holds URLs: an attempt at a slice task."""

    slice_id: UUID
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedUrl:
    """A URL in hand. `attempts` counts this one; `lost` the workers that died with it.

    One that `stands_alone` is kept whatever its canonical link says: the page that it named could not be had. One that
    `wants_browser` was looked at over HTTP before.
    """

    url_hash: UUID
    url: str
    host: str
    depth: int
    attempts: int
    lost: int
    requested_url: str | None
    redirects: int
    stands_alone: bool
    wants_browser: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedUrl:
    """A URL that was found, and what is to become of it if nobody knows it yet: queued, or skipped for a reason."""

    url_hash: UUID
    url: str
    host: str
    origin: str
    depth: int
    reason: SkipReason | None
    requested_url: str | None = None
    redirects: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlEnd:
    """What became of a URL in hand: a page (`done`), or something else. `queued` with a delay is a retry."""

    url_hash: UUID
    state: PageState
    reason: SkipReason | None = None
    target: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    uncounted: bool = False
    wants_browser: bool = False
    delay: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoweredUrl:
    """A known URL that a shorter path reaches."""

    url_hash: UUID
    url: str
    host: str
    depth: int
    state: str
    was: str
    reason: str | None
    target: str | None


class Frontier:
    """Rows of `frontier`, and the pages that they become."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim(self, crawl_id: UUID, host: str, lease: SliceLease, *, limit: int) -> list[LeasedUrl]:
        """Up to `limit` URLs that are due, retries first.

        URLs whose worker died may be the reason: they come in small groups, and alone after a second death.
        """
        retry = self._connection.execute(NEXT_RETRY, {"crawl_id": crawl_id, "host": host}).first()
        if retry is None or not retry.due:
            return self._claim(CLAIM_FRESH, crawl_id, host, lease, limit)
        group = (limit, SUSPECTS)[retry.lost] if retry.lost < ALONE else 1
        return self._claim(CLAIM_RETRIES, crawl_id, host, lease, min(limit, group))

    def next_retry(self, crawl_id: UUID, host: str) -> datetime | None:
        """When the next retry is due."""
        row = self._connection.execute(NEXT_RETRY, {"crawl_id": crawl_id, "host": host}).first()
        return row.not_before if row else None

    def offer(self, crawl_id: UUID, offers: Collection[OfferedUrl]) -> tuple[list[PageState], list[LoweredUrl]]:
        """Add what is new, and move what is now nearer; the states of the new rows, and what moved."""
        if not offers:
            return [], []
        links = json.dumps([_offer(offer) for offer in offers])
        added = self._connection.execute(INSERT, {"crawl_id": crawl_id, "links": links}).all()
        if len(added) == len(offers):
            return [PageState(row.state) for row in added], []
        new = {row.url_hash for row in added}
        known = [offer for offer in offers if offer.url_hash not in new]
        values = {
            "crawl_id": crawl_id,
            "links": json.dumps([_offer(offer) for offer in known]),
            "hashes": [str(offer.url_hash) for offer in known],
        }
        lowered = self._connection.execute(LOWER, values)
        return [PageState(row.state) for row in added], [LoweredUrl(**row._asdict()) for row in lowered]

    def add_pages(self, pages: bytes) -> None:
        """Store pages (PAGE_COLUMNS as COPY reads them, sorted by hash) of URLs in hand. Needs no lock on the crawl.

        Raises LeaseLost if somebody else has stored one of them.
        """
        cursor: Any = self._connection.connection.cursor()  # of pg8000: only the driver itself speaks COPY
        try:
            cursor.execute(COPY_PAGES, stream=[pages])
        except (self._connection.dialect.loaded_dbapi.Error, OSError) as error:
            wrapped = DBAPIError(COPY_PAGES, None, error)
            if sqlstate_of(wrapped) == UNIQUE_VIOLATION:
                raise LeaseLost("a page in hand was stored by somebody else") from error
            raise wrapped from error
        finally:
            cursor.close()

    def store_object(self, crawl_id: UUID, archive_object: str, *, pages: int) -> None:
        """The object of the archive that holds the responses of these pages."""
        values = {"crawl_id": crawl_id, "archive_object": archive_object, "pages": pages}
        self._connection.execute(STORE_OBJECT, values)

    def settle(self, crawl_id: UUID, lease: SliceLease, ends: Sequence[UrlEnd]) -> dict[UUID, int]:
        """Write what became of URLs in hand; each URL's depth as it is now. Raises LeaseLost."""
        if not ends:
            return {}
        rows = json.dumps([_end(end) for end in ends])
        values = {"crawl_id": crawl_id, "ends": rows, "slice_id": lease.slice_id, "attempt": lease.attempt}
        settled = {row.url_hash: row.depth for row in self._connection.execute(SETTLE, values)}
        if len(settled) != len(ends):
            raise LeaseLost(f"{len(ends) - len(settled)} URLs are no longer in the hands of {lease.slice_id}")
        return settled

    def undo_canonical(self, crawl_id: UUID, urls: Collection[str]) -> list[str]:
        """Queue what was skipped in favour of `urls`, which cannot be had; the URL of each."""
        values = {"crawl_id": crawl_id, "urls": sorted(urls)}
        return [row.url for row in self._connection.execute(UNDO_CANONICAL, values)]

    def failed_among(self, crawl_id: UUID, hashes: Collection[UUID]) -> list[str]:
        """Those of the URLs that could not be had."""
        values = {"crawl_id": crawl_id, "hashes": list(hashes)}
        return [row.url for row in self._connection.execute(FAILED_AMONG, values)]

    def undo_circles(self, crawl_id: UUID, led: Sequence[Mapping[str, str]]) -> list[str]:
        """Queue what was skipped in favour of a URL that leads back to it; the URL of each.

        `led` has for each URL that was skipped `url`, the `target` that it leads to, and its `target_hash`.
        """
        values = {"crawl_id": crawl_id, "led": json.dumps(led), "hashes": [one["target_hash"] for one in led]}
        rows = self._connection.execute(UNDO_CIRCLES, values)
        return [row.url for row in rows]

    def give_back(self, crawl_id: UUID, lease: SliceLease) -> list[str]:
        """Queue what an attempt still holds of a crawl, uncounted; the host of each."""
        values = {"crawl_id": crawl_id, "slice_id": lease.slice_id, "attempt": lease.attempt}
        return [row.host for row in self._connection.execute(GIVE_BACK, values)]

    def held_crawls(self, lease: SliceLease) -> list[UUID]:
        """The crawls of which an attempt holds URLs."""
        values = {"slice_id": lease.slice_id, "attempt": lease.attempt}
        return [row.crawl_id for row in self._connection.execute(HELD_CRAWLS, values)]

    def orphaned_crawls(self) -> list[UUID]:
        """The crawls of which dead workers hold URLs."""
        return [row.crawl_id for row in self._connection.execute(ORPHANED_CRAWLS)]

    def return_orphans(self, crawl_id: UUID, *, limit: int) -> list[tuple[str, PageState]]:
        """Queue what dead workers hold of a crawl, or give it up after `limit` deaths; host and state of each."""
        rows = self._connection.execute(RETURN_ORPHANS, {"crawl_id": crawl_id, "limit": limit})
        return [(row.host, PageState(row.state)) for row in rows]

    def links_of(self, crawl_id: UUID, hashes: Collection[UUID]) -> dict[UUID, list[list[object]]]:
        """The links that stored pages carry, as [url, nofollow]."""
        values = {"crawl_id": crawl_id, "hashes": list(hashes)}
        return {row.url_hash: row.links for row in self._connection.execute(LINKS_OF, values)}

    def count_states(self, crawl_id: UUID) -> Mapping[str, int]:
        """The URLs of each state, counted one by one."""
        return {row.state: row.urls for row in self._connection.execute(COUNT_STATES, {"crawl_id": crawl_id})}

    def _claim(
        self, statement: TextClause, crawl_id: UUID, host: str, lease: SliceLease, limit: int
    ) -> list[LeasedUrl]:
        values = {
            "crawl_id": crawl_id,
            "host": host,
            "limit": limit,
            "slice_id": lease.slice_id,
            "attempt": lease.attempt,
        }
        rows = sorted(self._connection.execute(statement, values), key=lambda row: (row.depth, row.seq))
        return [LeasedUrl(**{name: value for name, value in row._asdict().items() if name != "seq"}) for row in rows]


def _offer(offer: OfferedUrl) -> dict[str, object]:
    return {
        "url_hash": str(offer.url_hash),
        "url": offer.url,
        "host": offer.host,
        "depth": offer.depth,
        "state": PageState.SKIPPED if offer.reason else PageState.QUEUED,
        "reason": offer.reason,
        "requested_url": offer.requested_url,
        "redirects": offer.redirects,
    }


def _end(end: UrlEnd) -> dict[str, object]:
    return {
        "url_hash": str(end.url_hash),
        "state": end.state,
        "reason": "wants_browser" if end.wants_browser else end.reason,
        "target": end.target,
        "error_code": end.error_code,
        "error_message": end.error_message,
        "uncounted": end.uncounted,
        "delay_seconds": None if end.delay is None else end.delay.total_seconds(),
    }
