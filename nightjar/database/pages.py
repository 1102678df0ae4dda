"""Pages of site crawls, read for people: in the order in which they were stored, by key, with what was understood."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Row, text

from nightjar.database.frontier import SITEMAP_DEPTH

# By both columns of the index, in its order: by the id alone, the pages of all earlier crawls would be walked through.
PAGE = text("""
    SELECT p.id, p.url, p.final_url, p.status, f.depth, p.title, p.engine, p.engine_reason, p.content_type, p.charset,
           p.headers, p.text, p.links, p.canonical_url, p.bytes, p.fetched_at, p.elapsed_ms, p.screenshot,
           s.markdown, s.language
    FROM (SELECT * FROM pages WHERE (crawl_id, id) > (:crawl_id, :after) AND crawl_id <= :crawl_id
          ORDER BY crawl_id, id LIMIT :limit) AS p
    JOIN frontier AS f ON f.crawl_id = p.crawl_id AND f.url_hash = p.url_hash
    LEFT JOIN page_structures AS s ON s.page_id = p.id
    ORDER BY p.crawl_id, p.id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPage:
    """A page; `depth` is None where only a sitemap led to it, `markdown` where it was not analysed (yet)."""

    id: int
    url: str
    final_url: str
    status: int
    depth: int | None
    title: str | None
    engine: str
    engine_reason: str | None
    content_type: str
    charset: str | None
    headers: tuple[tuple[str, str], ...]
    text: str | None
    links: tuple[str, ...]
    canonical_url: str | None
    bytes: int
    fetched_at: datetime
    elapsed_ms: int
    screenshot: str | None
    markdown: str | None
    language: str | None

    @property
    def size(self) -> int:
        """Characters that it takes to show it, about."""
        return len(self.text or "") + len(self.markdown or "") + sum(map(len, self.links)) + 4 * len(self.links)


class Pages:
    """Rows of `pages`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(self, crawl_id: UUID, *, after: int | None, limit: int) -> Sequence[StoredPage]:
        """Up to `limit` pages of a crawl, the first stored first, behind the one with the id `after`."""
        values = {"crawl_id": crawl_id, "after": after or 0, "limit": limit}
        return [_page(row) for row in self._connection.execute(PAGE, values)]


def _page(row: Row[tuple[object, ...]]) -> StoredPage:
    values = row._asdict()
    values["depth"] = None if row.depth == SITEMAP_DEPTH else row.depth
    values["headers"] = tuple((str(name), str(value)) for name, value in row.headers)
    values["links"] = tuple(url for url, *_ in row.links)
    return StoredPage(**values)
