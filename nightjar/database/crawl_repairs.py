"""Site crawls that nobody would end by themselves: found for the janitor."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, text

OVERDUE = text("SELECT task_id FROM crawls WHERE state <> 'closed' AND deadline < clock_timestamp() ORDER BY task_id")

# Whatever became of the task that should have analysed their pages.
ANALYSED_BY_NOBODY = text("""
    SELECT c.task_id FROM crawls AS c
    WHERE c.state = 'analysing' AND NOT EXISTS (
        SELECT FROM tasks AS t WHERE t.exclusive_key = 'structure:' || c.task_id
                                 AND t.state IN ('pending', 'in_progress'))
    ORDER BY c.task_id
""")

ANALYSIS_FAILED = text("""
    SELECT EXISTS (SELECT FROM tasks WHERE exclusive_key = 'structure:' || CAST(:crawl_id AS uuid) AND state = 'failed')
""")

OUT_OF_WORK = text("""
    SELECT task_id FROM crawls
    WHERE state = 'open' AND leased = 0 AND discovered > 0
      AND (done >= page_limit OR queued = 0 AND sitemaps = '{}')
    ORDER BY task_id
""")


class CrawlRepairs:
    """Questions about `crawls` and the tasks that work at them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def overdue(self) -> Sequence[UUID]:
        """Crawls that took longer than they may."""
        return [row.task_id for row in self._connection.execute(OVERDUE)]

    def analysed_by_nobody(self) -> Sequence[UUID]:
        """Crawls that wait for an analysis that nobody is going to make."""
        return [row.task_id for row in self._connection.execute(ANALYSED_BY_NOBODY)]

    def analysis_failed(self, crawl_id: UUID) -> bool:
        """Whether an analysis of its pages was given up."""
        return bool(self._connection.execute(ANALYSIS_FAILED, {"crawl_id": crawl_id}).scalar_one())

    def out_of_work(self) -> Sequence[UUID]:
        """Open crawls with nothing left to do: whoever should have ended them did not come to it."""
        return [row.task_id for row in self._connection.execute(OUT_OF_WORK)]
