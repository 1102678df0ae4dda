"""What the demo follows, and what the API says of it day by day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from nightjar.domain.rank import Outcome

_PATH_WORDS = frozenset({"place", "ca-fe", "cafes", "articles"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A registered tracking as the API shows it. `target_key` is how the replica names the target."""

    id: int
    rank_type: str
    keyword: str
    target_url: str
    target_key: str
    device: str
    vertical: str | None

    @classmethod
    def from_json(cls, answer: Mapping[str, Any], *, target_key: str) -> Self:
        """The tracking from the API's answer."""
        names = ("id", "rank_type", "keyword", "target_url", "device", "vertical")
        return cls(target_key=target_key, **{name: answer[name] for name in names})

    @property
    def address(self) -> str:
        """The target's address, as short as it still is one."""
        return self.target_url.removeprefix("https://").removesuffix("/home")

    @property
    def target(self) -> str:
        """What tells the target from others on its site: `9900000101`, `blogid/223400000101`."""
        return "/".join(part for part in self.address.split("/")[1:] if part not in _PATH_WORDS)

    @property
    def kind(self) -> str:
        """The rank type, and for a place the list in which it is looked for."""
        return self.rank_type if self.vertical in {None, self.rank_type} else f"{self.rank_type}, {self.vertical}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day of a tracking's history."""

    checked_on: date
    outcome: Outcome
    rank: int | None
    session_number: int
    checked_count: int | None
    reason: str | None

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """The day from a row of the API's history."""
        return cls(
            checked_on=date.fromisoformat(row["checked_on"]),
            outcome=Outcome(row["outcome"]),
            rank=row["rank"],
            session_number=row["session_number"],
            checked_count=row["checked_count"],
            reason=row["reason"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All days of a tracking, oldest first, and what the tracking itself says of its session and its last rank."""

    followed: Followed
    days: tuple[Day, ...]
    current_session: int
    known_rank: int | None

    @property
    def latest(self) -> Day | None:
        """The newest day."""
        return self.days[-1] if self.days else None

    @property
    def ranks(self) -> list[int]:
        """The ranks of all exposed days."""
        return [day.rank for day in self.days if day.rank is not None]

    def count(self, outcome: Outcome) -> int:
        """Days with this outcome."""
        return sum(day.outcome is outcome for day in self.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The summary of a night as the API gives it; figures count trackings."""

    id: int
    kind: str
    run_key: date
    total: int
    success: int
    failed: int
    pending: int
    failed_ids: frozenset[int]
    is_finished: bool
    elapsed_seconds: float

    @classmethod
    def from_json(cls, answer: Mapping[str, Any]) -> Self:
        """The batch from the API's answer."""
        names = ("id", "kind", "total", "success", "failed", "pending", "elapsed_seconds")
        return cls(
            run_key=date.fromisoformat(answer["run_key"]),
            failed_ids=frozenset(item["tracking_id"] for item in answer["failed_items"]),
            is_finished=answer["finished_at"] is not None,
            **{name: answer[name] for name in names},
        )
