"""The tasks that somebody watches, many at once."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, text

from nightjar.database.tasks import COLUMNS
from nightjar.domain.task import Task, TaskState

CURRENT = text(f"SELECT {COLUMNS} FROM tasks WHERE id = ANY(CAST(:ids AS uuid[]))")  # noqa: S608  # a constant


class LiveTasks:
    """Rows of `tasks`, read as they are now."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def current(self, ids: Collection[UUID]) -> dict[UUID, Task]:
        """The tasks with these ids, by their ids; a task that was deleted is missing."""
        rows = self._connection.execute(CURRENT, {"ids": list(ids)})
        return {row.id: Task(**(row._asdict() | {"state": TaskState(row.state)})) for row in rows}
