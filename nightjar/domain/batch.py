"""A batch is one run over all active trackings: the night's, or one started by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

TIMEOUT_FACTOR = 1.5
"""A batch may take half as long again as its busiest host needs at the configured delay."""

MAX_FAILED_ITEMS = 1_000
"""Failed trackings that a summary names; more are only counted."""


class BatchKind(StrEnum):
    """A nightly batch exists once for a Korean day; manual ones are not limited."""

    NIGHTLY = "nightly"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedItem:
    """A tracking that stayed unknown, and why."""

    tracking_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The figures of a batch. They count trackings, not searches."""

    id: int
    kind: BatchKind
    run_key: date
    total: int
    success: int
    failed: int
    started_at: datetime
    finished_at: datetime | None
    failed_items: tuple[FailedItem, ...] = ()
    correlation_id: str = ""

    @property
    def pending(self) -> int:
        """Trackings without a result yet."""
        return self.total - self.success - self.failed

    def elapsed_seconds(self, now: datetime) -> float:
        """Seconds from the start to the end, or to `now` while it runs."""
        return round(((self.finished_at or now) - self.started_at).total_seconds(), 3)


def batch_timeout(requests_per_host: Mapping[str, int], *, delay: timedelta, configured: timedelta) -> timedelta:
    """The time a batch may take: the configured one, or what its busiest host needs at `delay` and half as much."""
    busiest = max(requests_per_host.values(), default=0)
    return max(configured, TIMEOUT_FACTOR * busiest * delay)
