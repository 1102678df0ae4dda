"""The tasks that somebody watches, many at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection, text

from nightjar.database.tasks import COLUMNS
from nightjar.domain.progress import ProgressEvent
from nightjar.domain.task import Task, TaskState

CURRENT = text(f"SELECT {COLUMNS} FROM tasks WHERE id = ANY(CAST(:ids AS uuid[]))")  # noqa: S608  # a constant

CRAWL_COUNTS = text("""
    SELECT task_id, discovered, queued, leased, done, failed, skipped FROM crawls
    WHERE task_id = ANY(CAST(:ids AS uuid[]))
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveTask:
    """A task as it is now. `counts` are those of a site crawl; of other tasks only their workers know any."""

    task: Task
    counts: Mapping[str, int] | None = None

    def event(self, *, counts: Mapping[str, int] | None = None) -> ProgressEvent:
        """What its rows show; `counts` are the ones to tell where the rows know none."""
        at = self.task.finished_at or datetime.now(UTC)
        return ProgressEvent.of(self.task, at=at, counts=self.counts or counts)


class LiveTasks:
    """Rows of `tasks`, read as they are now."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def current(self, ids: Collection[UUID]) -> dict[UUID, LiveTask]:
        """The tasks with these ids, by their ids; a task that was deleted is missing."""
        rows = self._connection.execute(CURRENT, {"ids": list(ids)})
        tasks = [Task(**(row._asdict() | {"state": TaskState(row.state)})) for row in rows]
        counts = self._counts([task.id for task in tasks if task.kind == "crawl"])
        return {task.id: LiveTask(task=task, counts=counts.get(task.id)) for task in tasks}

    def _counts(self, crawls: Collection[UUID]) -> dict[UUID, Mapping[str, int]]:
        if not crawls:
            return {}
        rows = [row._asdict() for row in self._connection.execute(CRAWL_COUNTS, {"ids": list(crawls)})]
        return {row.pop("task_id"): row for row in rows}
