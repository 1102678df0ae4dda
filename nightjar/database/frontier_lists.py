"""The frontier as people read it: what failed, and what was skipped, by key.

What was still queued when a crawl ended has kept its rows as they were: it counts as skipped by the reason of the end,
and is listed after what was skipped by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from sqlalchemy import Connection, TextClause, text

from nightjar.database.frontier import SITEMAP_DEPTH

MAX_SEQ = 2**63

FAILED = text("""
    SELECT seq, url, error_code AS code, coalesce(error_message, '') AS message, attempts FROM frontier
    WHERE crawl_id = :crawl_id AND state = 'failed' AND seq > :after ORDER BY seq LIMIT :limit
""")

SKIPPED = text("""
    SELECT seq, url, reason, target FROM frontier
    WHERE crawl_id = :crawl_id AND state = 'skipped' AND seq > :after ORDER BY seq LIMIT :limit
""")

# Each in the order of the index that holds just these rows.
FRESH = text("""
    SELECT host, depth, seq, url FROM frontier
    WHERE crawl_id = :crawl_id AND state = 'queued' AND not_before IS NULL
      AND (host, depth, seq) > (:host, :depth, :seq)
    ORDER BY host, depth, seq LIMIT :limit
""")

RETRIES = text("""
    SELECT host, seq, url FROM frontier
    WHERE crawl_id = :crawl_id AND state = 'queued' AND not_before IS NOT NULL AND (host, seq) > (:host, :seq)
    ORDER BY host, seq LIMIT :limit
""")

END = text("SELECT end_reason FROM crawls WHERE task_id = :crawl_id AND state <> 'open'")


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedUrl:
    """A URL that gave no page. `seq` is its place in the list."""

    seq: int
    url: str
    code: str
    message: str
    attempts: int


@dataclass(frozen=True, slots=True)
class SkippedPlace:
    """A place in the list of what was skipped: which part of it (skipped, fresh or retries), and the key of a row."""

    part: str = "skipped"
    host: str = ""
    depth: int = -1
    seq: int = 0

    @classmethod
    def parse(cls, part: str, host: str, depth: str, seq: str) -> Self:
        """The place with these parts. Raises ValueError."""
        place = cls(part, host, int(depth), int(seq))
        if part not in _NEXT_PART or not 0 <= place.seq < MAX_SEQ or not -1 <= place.depth <= SITEMAP_DEPTH:
            raise ValueError(part)
        return place

    def parts(self) -> tuple[str, str, int, int]:
        """What `parse` reads."""
        return self.part, self.host, self.depth, self.seq


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedUrl:
    """A URL that was left out; `target` is where a redirect or a canonical link led."""

    place: SkippedPlace
    url: str
    reason: str
    target: str | None


class FrontierLists:
    """Rows of `frontier` that became no pages."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def failed(self, crawl_id: UUID, *, after: int | None, limit: int) -> Sequence[FailedUrl]:
        """Up to `limit` URLs that failed, in the order in which they were found, behind the place `after`."""
        values = {"crawl_id": crawl_id, "after": after or 0, "limit": limit}
        return [FailedUrl(**row._asdict()) for row in self._connection.execute(FAILED, values)]

    def skipped(self, crawl_id: UUID, *, after: SkippedPlace | None, limit: int) -> Sequence[SkippedUrl]:
        """Up to `limit` URLs that were left out, behind `after`."""
        place: SkippedPlace | None = after or SkippedPlace()
        found: list[SkippedUrl] = []
        while place is not None and len(found) < limit:
            found += self._part(crawl_id, place, limit=limit - len(found))
            place = _NEXT_PART[place.part] if len(found) < limit else None
        return found

    def _part(self, crawl_id: UUID, place: SkippedPlace, *, limit: int) -> Sequence[SkippedUrl]:
        key = {"crawl_id": crawl_id, "limit": limit}
        if place.part == "skipped":
            rows = self._connection.execute(SKIPPED, key | {"after": place.seq})
            return [
                SkippedUrl(place=SkippedPlace(seq=row.seq), url=row.url, reason=row.reason, target=row.target)
                for row in rows
            ]
        end = self._connection.execute(END, key).first()
        if end is None:
            return []
        key |= {"host": place.host, "depth": place.depth, "seq": place.seq}
        return self._left(_STATEMENTS[place.part], place, key, reason=end.end_reason or "limit")

    def _left(
        self, statement: TextClause, place: SkippedPlace, key: Mapping[str, object], *, reason: str
    ) -> Sequence[SkippedUrl]:
        return [
            SkippedUrl(
                place=SkippedPlace(place.part, row.host, getattr(row, "depth", -1), row.seq),
                url=row.url,
                reason=reason,
                target=None,
            )
            for row in self._connection.execute(statement, key)
        ]


_NEXT_PART: Mapping[str, SkippedPlace | None] = {
    "skipped": SkippedPlace("fresh"),
    "fresh": SkippedPlace("retries"),
    "retries": None,
}
_STATEMENTS: Mapping[str, TextClause] = {"fresh": FRESH, "retries": RETRIES}
