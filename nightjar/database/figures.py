"""Numbers about the whole system, for its monitoring."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

OPEN_TASKS = text("""
    SELECT queue, state, count(*) AS tasks,
           extract(epoch FROM clock_timestamp() - min(greatest(created_at, not_before))
                   FILTER (WHERE state = 'pending' AND not_before <= clock_timestamp())) AS oldest_seconds
    FROM tasks WHERE state IN ('pending', 'in_progress')
    GROUP BY queue, state ORDER BY queue, state
""")

OPEN_BATCHES = text("SELECT count(*) FROM batches WHERE finished_at IS NULL")

HAS_SCHEMA = text("SELECT to_regclass('tasks') IS NOT NULL")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTasks:
    """Tasks of one queue in one state; how long the oldest one that could run has waited, in seconds."""

    queue: str
    state: str
    tasks: int
    oldest_seconds: float | None


class Figures:
    """Counts over several tables."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open_tasks(self) -> list[OpenTasks]:
        """Pending and running tasks by queue and state."""
        return [
            OpenTasks(
                queue=row.queue,
                state=row.state,
                tasks=int(row.tasks),
                oldest_seconds=None if row.oldest_seconds is None else max(0.0, float(row.oldest_seconds)),
            )
            for row in self._connection.execute(OPEN_TASKS)
        ]

    def open_batches(self) -> int:
        """Batches that are not closed."""
        return int(self._connection.execute(OPEN_BATCHES).scalar_one())

    def has_schema(self) -> bool:
        """Whether the tables were made; the simplest question that proves the database usable."""
        return bool(self._connection.execute(HAS_SCHEMA).scalar_one())
