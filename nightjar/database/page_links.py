"""Which page of a crawl leads to which: the link graph."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text

START = (0, 0, "")
"""Before the first link."""

MOVED = text("""
    SELECT url_hash, target FROM frontier
    WHERE crawl_id = :crawl_id AND url_hash = ANY(CAST(:url_hashes AS uuid[]))
      AND reason IN ('redirect', 'canonical') AND target IS NOT NULL
""")

# The keys stand once more as arrays: a join alone may read all pages of the crawl for each link, for as long as
# Postgres has not counted how many those are.
ADD = text("""
    INSERT INTO page_links (crawl_id, source_id, target_id, kind)
    SELECT DISTINCT s.crawl_id, s.id, t.id, l.kind
    FROM json_to_recordset(CAST(:links AS json)) AS l (source bigint, target uuid, kind text)
    JOIN pages AS s ON s.id = l.source
    JOIN pages AS t ON t.crawl_id = s.crawl_id AND t.url_hash = l.target
    WHERE s.crawl_id = :crawl_id AND (l.kind = 'link' OR t.id <> s.id)
      AND s.id = ANY(CAST(:sources AS bigint[]))
      AND t.crawl_id = :crawl_id AND t.url_hash = ANY(CAST(:targets AS uuid[]))
    ON CONFLICT DO NOTHING
""")

PAGE = text("""
    SELECT source_id, target_id, kind FROM page_links
    WHERE (crawl_id, source_id, target_id, kind) > (:crawl_id, :source, :target, :kind) AND crawl_id <= :crawl_id
    ORDER BY crawl_id, source_id, target_id, kind LIMIT :limit
""")

PAGES = text("""
    SELECT id, final_url AS url, coalesce(title, '') AS title FROM pages
    WHERE (crawl_id, id) > (:crawl_id, :after) AND crawl_id <= :crawl_id
    ORDER BY crawl_id, id LIMIT :limit
""")

COUNT = text("SELECT count(*) FROM page_links WHERE crawl_id = :crawl_id")


@dataclass(frozen=True, slots=True)
class FoundLink:
    """A link as a page has it: from a stored page to the hash of an address. `kind` is `link` or `canonical`."""

    source: int
    target: UUID
    kind: str


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link between two stored pages."""

    source_id: int
    target_id: int
    kind: str


@dataclass(frozen=True, slots=True)
class LinkedPage:
    """A page by what a graph shows of it."""

    id: int
    url: str
    title: str


class PageLinks:
    """Rows of `page_links`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def moved(self, crawl_id: UUID, url_hashes: Sequence[UUID]) -> Mapping[UUID, str]:
        """Of these addresses those that only lead elsewhere (redirects, other spellings), and where."""
        rows = self._connection.execute(MOVED, {"crawl_id": crawl_id, "url_hashes": list(url_hashes)})
        return {row.url_hash: row.target for row in rows}

    def add(self, crawl_id: UUID, links: Sequence[FoundLink]) -> None:
        """Keep the links whose targets are pages of the crawl; those that are known already stay as they are."""
        rows = [{"source": link.source, "target": str(link.target), "kind": link.kind} for link in links]
        values = {
            "crawl_id": crawl_id,
            "links": json.dumps(rows),
            "sources": sorted({link.source for link in links}),
            "targets": sorted({str(link.target) for link in links}),
        }
        self._connection.execute(ADD, values)

    def page(self, crawl_id: UUID, *, after: tuple[int, int, str] = START, limit: int) -> Sequence[PageLink]:
        """Up to `limit` links in the order of their keys, behind `after` (source, target, kind)."""
        source, target, kind = after
        values = {"crawl_id": crawl_id, "source": source, "target": target, "kind": kind, "limit": limit}
        return [PageLink(*row) for row in self._connection.execute(PAGE, values)]

    def pages(self, crawl_id: UUID, *, after: int, limit: int) -> Sequence[LinkedPage]:
        """Up to `limit` pages of a crawl by id, behind `after`, without their texts."""
        values = {"crawl_id": crawl_id, "after": after, "limit": limit}
        return [LinkedPage(*row) for row in self._connection.execute(PAGES, values)]

    def count(self, crawl_id: UUID) -> int:
        """How many links between pages of a crawl there are."""
        return int(self._connection.execute(COUNT, {"crawl_id": crawl_id}).scalar_one())
