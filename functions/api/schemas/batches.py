"""Batches on the wire."""

from datetime import date, datetime
from typing import Self

from pydantic import BaseModel

from nightjar.domain.batch import Batch, FailedItem


class FailedTracking(BaseModel):
    """A tracking that stayed unknown, and why."""

    tracking_id: int
    reason: str

    @classmethod
    def of(cls, item: FailedItem) -> Self:
        """As it is shown."""
        return cls(tracking_id=item.tracking_id, reason=item.reason)


class BatchAnswer(BaseModel):
    """A run over many trackings. The figures count trackings; `failed_items` names the first 1,000."""

    id: int
    kind: str
    run_key: date
    total: int
    success: int
    failed: int
    pending: int
    failed_items: list[FailedTracking]
    started_at: datetime
    finished_at: datetime | None
    elapsed_seconds: float

    @classmethod
    def of(cls, batch: Batch, *, now: datetime) -> Self:
        """As it is shown at `now`."""
        return cls(
            id=batch.id,
            kind=batch.kind,
            run_key=batch.run_key,
            total=batch.total,
            success=batch.success,
            failed=batch.failed,
            pending=batch.pending,
            failed_items=[FailedTracking.of(item) for item in batch.failed_items],
            started_at=batch.started_at,
            finished_at=batch.finished_at,
            elapsed_seconds=batch.elapsed_seconds(now),
        )
