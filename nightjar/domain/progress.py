"""What a running task tells whoever watches it: each message is the whole state, so the newest one is enough."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from uuid import UUID

from nightjar.domain.task import FINAL_STATES, Task, TaskState

MESSAGE_MAX_LENGTH = 500
"""Characters of a message on the wire: a frame of API Gateway holds 32 KB, and a person reads a sentence."""

STORE_CRAWL_STEPS: Mapping[str, int] = {
    "initialization": 0,
    "authentication": 10,
    "browser_init": 20,
    "login_page": 30,
    "login_submit": 40,
    "navigation": 50,
    "extraction": 60,
    "parsing": 70,
    "saving": 80,
    "completed": 100,
}
"""The steps of a store-owner crawl, in order, with the percent at which each begins."""

SITE_CRAWL_STEPS: Mapping[str, int] = {
    "discovering": 10,
    "crawling": 30,
    "analysing": 60,
    "saving": 90,
    "completed": 100,
}
"""The steps of a site crawl."""

GENERIC_STEPS: Mapping[str, int] = {"initialization": 0, "working": 10, "saving": 90, "completed": 100}
"""The steps of every other kind of task."""

_STEPS_OF_KIND: Mapping[str, Mapping[str, int]] = {
    "crawl_baemin_stores": STORE_CRAWL_STEPS,
    "crawl": SITE_CRAWL_STEPS,
}


def percent_of(kind: str, step: str) -> int | None:
    """Percent (0 to 100) at which `step` of a task of this kind begins; None for a step that its table lacks."""
    return _STEPS_OF_KIND.get(kind, GENERIC_STEPS).get(step)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressFault:
    """Why a task failed; `code` is one of the closed list of error codes."""

    code: str
    message: str
    retryable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressEvent:
    """The state of a task at the moment `at`. `progress` is percent, `counts` what was found so far by name."""

    task_id: UUID
    status: TaskState
    step: str | None
    message: str | None
    progress: int
    at: datetime
    counts: Mapping[str, int] = field(default_factory=dict)
    error: ProgressFault | None = None

    @property
    def is_final(self) -> bool:
        """Whether nothing follows."""
        return self.status in FINAL_STATES

    @classmethod
    def of(cls, task: Task, *, at: datetime, counts: Mapping[str, int] | None = None) -> Self:
        """The state that a row shows. Counts are not in the row: whoever knows the last ones gives them."""
        error = (
            ProgressFault(code=task.error_code, message=task.error_message or "", retryable=bool(task.error_retryable))
            if task.error_code
            else None
        )
        return cls(
            task_id=task.id,
            status=task.state,
            step=task.step,
            message=task.message,
            progress=task.progress,
            counts=counts or {},
            at=at,
            error=error,
        )

    def as_json(self, epoch: str, seq: int) -> dict[str, object]:
        """The message at a position of the stream; `error` is there only if there is one."""
        return {"epoch": epoch, "seq": seq, **self._state()}

    def as_text(self) -> str:
        """The message without its position, as a JSON object in one line."""
        return json.dumps(self._state(), ensure_ascii=False, separators=(",", ":"))

    def _state(self) -> dict[str, object]:
        state: dict[str, object] = {
            "task_id": str(self.task_id),
            "status": str(self.status),
            "step": self.step,
            "message": _shortened(self.message),
            "progress": self.progress,
            "counts": dict(self.counts),
            "at": self.at.isoformat(timespec="milliseconds"),
        }
        if self.error:
            state["error"] = {
                "code": self.error.code,
                "message": _shortened(self.error.message),
                "retryable": self.error.retryable,
            }
        return state


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the stream of a task. Another epoch is another stream: the one before was lost."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class LiveMessage:
    """One message as it is sent, and what has to be known of it without reading it again."""

    task_id: UUID
    position: Position
    status: str
    text: str

    @property
    def is_final(self) -> bool:
        """Whether nothing follows."""
        return self.status in FINAL_STATES

    @classmethod
    def parse(cls, text: str) -> Self:
        """A message of the stream. Raises ValueError if it is none."""
        try:
            found = json.loads(text)
            position = Position(str(found["epoch"]), int(found["seq"]))
            return cls(UUID(found["task_id"]), position, str(found["status"]), text)
        except (KeyError, TypeError) as error:
            raise ValueError(f"this is no progress message: {text[:200]!r}") from error


def row_message(event: ProgressEvent, position: Position) -> LiveMessage:
    """A message that no stream has numbered: what a row shows while Redis is away."""
    text = json.dumps(event.as_json(position.epoch, position.seq), ensure_ascii=False, separators=(",", ":"))
    return LiveMessage(event.task_id, position, str(event.status), text)


def _shortened(text: str | None) -> str | None:
    if text is None or len(text) <= MESSAGE_MAX_LENGTH:
        return text
    return text[: MESSAGE_MAX_LENGTH - 1] + "…"
