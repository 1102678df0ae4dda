"""A task is a bounded piece of work with one row, one owner and exactly one final state."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID


class TaskState(StrEnum):
    """Where a task stands. The last three are final."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE_STATES = frozenset({TaskState.PENDING, TaskState.IN_PROGRESS})
FINAL_STATES = frozenset(TaskState) - ACTIVE_STATES

MAX_CLAIMS = 3
"""A task whose worker was lost this often is given up: a page that kills workers must not do so for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A worker's right to one attempt at a task. Every write carries `attempt`: a stale holder changes nothing.

    `tries` counts the attempts that cost something, this one included: waiting for a host is free.
    """

    task_id: UUID
    kind: str
    queue: str
    owner: str | None
    attempt: int
    tries: int
    payload: dict[str, object]
    correlation_id: str
    timeout_seconds: int | None
    batch_id: int | None

    def log_context(self) -> dict[str, object]:
        """What every log line of this attempt carries."""
        return {
            "task_id": str(self.task_id),
            "task_kind": self.kind,
            "attempt": self.attempt,
            "correlation_id": self.correlation_id,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as people see it."""

    id: UUID
    kind: str
    queue: str
    owner: str | None
    state: TaskState
    step: str | None
    progress: int
    total: int | None
    message: str | None
    attempt: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    result: dict[str, object] | None
    error_code: str | None
    error_message: str | None
    error_retryable: bool | None
    retry_of: UUID | None
    batch_id: int | None


def retry_delay(attempt: int, *, base: timedelta, jitter: float) -> timedelta:
    """How long to wait after a failed attempt: once, twice, ... the base, and up to a quarter more.

    `jitter` lies in [0, 1); it spreads tasks that failed together.
    """
    return base * attempt * (1 + jitter / 4)
