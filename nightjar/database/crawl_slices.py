"""Slices: the tasks that work at all site crawls. Each has a number; of each number at most one is open."""

from uuid import UUID

from sqlalchemy import Connection, text

# However many ask for slices at the same moment, the exclusive key lets each number in once.
OPEN = text("""
    INSERT INTO tasks (id, kind, queue, payload, correlation_id, exclusive_key)
    SELECT gen_random_uuid(), 'crawl_slice', 'crawling', '{}', :correlation_id, 'crawl_slice:' || number
    FROM generate_series(1, :number) AS number ORDER BY number
    ON CONFLICT (exclusive_key) WHERE exclusive_key IS NOT NULL AND state IN ('pending', 'in_progress') DO NOTHING
    RETURNING id
""")

COUNT = text("""
    SELECT count(*) FILTER (WHERE state = 'pending') AS waiting, count(*) AS open FROM tasks
    WHERE exclusive_key LIKE 'crawl_slice:%' AND state IN ('pending', 'in_progress')
""")


class CrawlSlices:
    """The open rows of `tasks` of the kind `crawl_slice`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(self, number: int, *, correlation_id: str) -> list[UUID]:
        """See to it that slices 1 to `number` are open; the ids of the new ones, which need a message."""
        values = {"number": number, "correlation_id": correlation_id}
        return [row.id for row in self._connection.execute(OPEN, values)]

    def count(self) -> tuple[int, int]:
        """How many wait for a worker, and how many are open in all."""
        row = self._connection.execute(COUNT).one()
        return int(row.waiting), int(row.open)
