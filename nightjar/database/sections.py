"""Sections of crawled pages, read by key."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text

from nightjar.domain.section import section_id

START = (0, -1)
"""Before the first section."""

PAGE = text("""
    SELECT s.page_id, p.final_url AS page_url, s.position, s.parent, s.type, s.heading, s.level,
           CASE WHEN :texts THEN s.text ELSE '' END AS text, s.path
    FROM (SELECT * FROM sections
          WHERE (crawl_id, page_id, position) > (:crawl_id, :page_id, :position) AND crawl_id <= :crawl_id
          ORDER BY crawl_id, page_id, position LIMIT :limit) AS s
    JOIN pages AS p ON p.id = s.page_id
    ORDER BY s.page_id, s.position
""")

COUNT = text("SELECT count(*) FROM sections WHERE crawl_id = :crawl_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSection:
    """A section, and the page that it is of."""

    page_id: int
    page_url: str
    position: int
    parent: int | None
    type: str
    heading: str | None
    level: int | None
    text: str
    path: str

    @property
    def id(self) -> str:
        """Its id beyond its page."""
        return section_id(self.page_id, self.position)

    @property
    def parent_id(self) -> str | None:
        """The id of the section around it."""
        return None if self.parent is None else section_id(self.page_id, self.parent)


class Sections:
    """Rows of `sections`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(
        self, crawl_id: UUID, *, after: tuple[int, int] = START, limit: int, texts: bool = True
    ) -> Sequence[StoredSection]:
        """Up to `limit` sections by page and position, behind the one of page `after[0]` at position `after[1]`.

        Without `texts` their texts are empty.
        """
        values = {"crawl_id": crawl_id, "page_id": after[0], "position": after[1], "limit": limit, "texts": texts}
        return [StoredSection(**row._asdict()) for row in self._connection.execute(PAGE, values)]

    def count(self, crawl_id: UUID) -> int:
        """How many sections the pages of a crawl have."""
        return int(self._connection.execute(COUNT, {"crawl_id": crawl_id}).scalar_one())
