"""Site crawls that are forgotten: a crawl of a million pages goes piece by piece, never in one statement."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, text

EXPIRED = text("""
    SELECT t.id FROM tasks AS t JOIN crawls AS c ON c.task_id = t.id
    WHERE t.finished_at < clock_timestamp() - CAST(:age AS interval) AND c.state = 'closed'
    ORDER BY t.finished_at LIMIT :number
""")

# Sections, structures and whatever else belongs to a page go with it.
FORGET_PAGES = text("""
    DELETE FROM pages WHERE id = ANY(ARRAY(SELECT id FROM pages WHERE crawl_id = :crawl_id ORDER BY id LIMIT :rows))
""")

OTHERS = tuple(
    text(f"""
        DELETE FROM {table}
        WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE crawl_id = :crawl_id LIMIT :rows))
    """)  # noqa: S608  # names from the line below
    for table in ("page_links", "frontier", "crawl_objects", "url_templates", "crawl_hosts")
)

FORGET = text("DELETE FROM tasks WHERE id = :crawl_id")

# A crawl that is gone, or closed for long enough, gets no more rows: what has none by then never will.
UNWANTED = text("""
    SELECT n.name FROM json_to_recordset(CAST(:names AS json)) AS n (name text, crawl_id uuid)
    LEFT JOIN crawls AS c ON c.task_id = n.crawl_id
    LEFT JOIN tasks AS t ON t.id = c.task_id
    WHERE NOT EXISTS (SELECT FROM crawl_objects AS o WHERE o.archive_object = n.name)
      AND (c.task_id IS NULL
           OR c.state = 'closed' AND t.finished_at < clock_timestamp() - CAST(:settled AS interval))
""")


class ExpiredCrawls:
    """What is to be forgotten of site crawls."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ids(self, *, age: timedelta, number: int) -> Sequence[UUID]:
        """Up to `number` crawls that ended longer ago than `age`, oldest first."""
        return [row.id for row in self._connection.execute(EXPIRED, {"age": age, "number": number})]

    def forget_piece(self, crawl_id: UUID, *, pages: int, rows: int) -> bool:
        """Delete up to `pages` pages of a crawl, or, if it has none, `rows` of its other rows.

        False: it had nothing left, and is gone itself.
        """
        if self._connection.execute(FORGET_PAGES, {"crawl_id": crawl_id, "rows": pages}).rowcount:
            return True
        for statement in OTHERS:
            if self._connection.execute(statement, {"crawl_id": crawl_id, "rows": rows}).rowcount:
                return True
        self._connection.execute(FORGET, {"crawl_id": crawl_id})
        return False

    def unwanted(self, names: str, *, settled: timedelta) -> Sequence[str]:
        """Those objects of the archive that no page is in and none will be.

        `names` is a JSON list of objects with `name` and `crawl_id`; a crawl that ended longer ago than `settled` gets
        no more pages, whoever was late.
        """
        rows = self._connection.execute(UNWANTED, {"names": names, "settled": settled})
        return [row.name for row in rows]
