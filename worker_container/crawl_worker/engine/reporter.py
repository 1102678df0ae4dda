"""What a running attempt says of itself: at once to whoever watches, and to its row with the next heartbeat."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from nightjar.domain.progress import ProgressEvent, percent_of
from nightjar.domain.task import Claim, TaskState
from nightjar.ports import ProgressChannel


class Report(Protocol):
    """How a job tells where it stands."""

    async def __call__(self, step: str, *, message: str, counts: Mapping[str, int] | None = None) -> None:
        """Say that `step` has begun. Never fails, never waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What was said last."""

    step: str
    progress: int
    message: str
    counts: Mapping[str, int]


class Reporter:
    """The reports of one attempt."""

    def __init__(self, claim: Claim, channel: ProgressChannel) -> None:
        self._claim = claim
        self._channel = channel
        self.latest: Reported | None = None

    async def __call__(self, step: str, *, message: str, counts: Mapping[str, int] | None = None) -> None:
        """As `Report`."""
        progress = percent_of(self._claim.kind, step) or 0
        self.latest = Reported(step=step, progress=progress, message=message, counts=dict(counts or {}))
        await self._channel.publish(
            ProgressEvent(
                task_id=self._claim.task_id,
                status=TaskState.IN_PROGRESS,
                step=step,
                message=message,
                progress=progress,
                counts=self.latest.counts,
                at=datetime.now(UTC),
            )
        )
