"""Tasks on the wire."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel

from nightjar.domain.task import Task, TaskState


class TaskFault(BaseModel):
    """Why a task failed: `code` is one of a closed list."""

    code: str
    message: str
    retryable: bool

    @classmethod
    def of(cls, task: Task) -> Self | None:
        """As it is shown; None of a task that did not fail."""
        if not task.error_code:
            return None
        return cls(code=task.error_code, message=task.error_message or "", retryable=bool(task.error_retryable))


class TaskAnswer(BaseModel):
    """A task and, once it is over, its result or its error."""

    task_id: UUID
    kind: str
    status: TaskState
    step: str | None
    progress: int
    total: int | None
    message: str | None
    attempt: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    result: dict[str, object] | None
    error: TaskFault | None
    retry_of: UUID | None

    @classmethod
    def of(cls, task: Task) -> Self:
        """As it is shown."""
        return cls(
            task_id=task.id,
            kind=task.kind,
            status=task.state,
            step=task.step,
            progress=task.progress,
            total=task.total,
            message=task.message,
            attempt=task.attempt,
            created_at=task.created_at,
            started_at=task.started_at,
            finished_at=task.finished_at,
            result=task.result,
            error=TaskFault.of(task),
            retry_of=task.retry_of,
        )
