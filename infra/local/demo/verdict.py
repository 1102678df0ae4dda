"""Whether the history is right: every day is held against what the replica really showed.

On a day without trouble the stored outcome, rank and number of rows must be those of the truth. Where a trouble may
have met the search, `unknown` is right as well, and nothing else is. Sessions and batch figures are counted again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Self

from infra.local.demo.followed import Batch, Day, History
from infra.local.demo.plan import Night
from nightjar.domain.rank import Outcome

EXPOSED_DAYS_IN_SESSION: Final = 25
"""Written here again: who judges does not ask the judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a faultless reader finds on a day."""

    outcome: Outcome
    rank: int | None
    checked_count: int

    @classmethod
    def from_json(cls, answer: Mapping[str, Any]) -> Self:
        """The truth from the replica's answer."""
        return cls(outcome=Outcome(answer["outcome"]), rank=answer["rank"], checked_count=answer["checked_count"])

    def __str__(self) -> str:
        return f"rank {self.rank}" if self.rank else f"not exposed among {self.checked_count} rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedNight:
    """A night that is over. `opened` counts the deliveries that opened a batch, `trouble_met` the requests in trouble.

    `truths` is by tracking and day; `seconds` from the site's new day to the end of the batch.
    """

    night: Night
    batch: Batch
    searches: int
    opened: int
    trouble_met: int
    truths: Mapping[tuple[int, date], Truth]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The days that were compared, how many of them were in trouble, and everything that is wrong."""

    days: int
    in_trouble: int
    unknown: int
    differences: tuple[str, ...]


def judge(
    histories: Sequence[History],
    nights: Sequence[PlayedNight],
    first_truths: Mapping[tuple[int, date], Truth],
    batches: Sequence[Batch],
) -> Verdict:
    """Compare everything. `first_truths` are those of the checks at registering, `batches` all nightly ones."""
    truths = dict(first_truths)
    for night in nights:
        truths |= night.truths
    by_day = {night.night.day: night.night for night in nights}
    differences = [
        *(line for history in histories for line in _in_history(history, truths, by_day)),
        *(line for night in nights for line in _in_night(night, histories)),
        *_in_batches(nights, batches),
    ]
    return Verdict(
        days=len(truths),
        in_trouble=sum(_touched(by_day.get(day.checked_on), history) for history in histories for day in history.days),
        unknown=sum(history.count(Outcome.UNKNOWN) for history in histories),
        differences=tuple(differences),
    )


def _in_history(
    history: History, truths: Mapping[tuple[int, date], Truth], nights: Mapping[date, Night]
) -> Iterator[str]:
    name = f"tracking {history.followed.id} ({history.followed.rank_type}, {history.followed.keyword})"
    wanted = {day for tracking_id, day in truths if tracking_id == history.followed.id}
    stored = {day.checked_on: day for day in history.days}
    yield from (f"{name}, {day}: no row is stored" for day in sorted(wanted - stored.keys()))
    yield from (f"{name}, {day}: a row is stored, though nothing was checked" for day in sorted(stored.keys() - wanted))
    for day in sorted(wanted & stored.keys()):
        in_trouble = _touched(nights.get(day), history)
        problem = _in_day(stored[day], truths[history.followed.id, day], in_trouble=in_trouble)
        if problem:
            yield f"{name}, {day}: {problem}"
    yield from (f"{name}, {line}" for line in _in_sessions(history))


def _in_day(stored: Day, truth: Truth, *, in_trouble: bool) -> str:
    """What is wrong with a day; "" if it is right."""
    if stored.outcome is Outcome.UNKNOWN:
        return "" if in_trouble else f"unknown ({stored.reason}), though nothing was in the way; shown was {truth}"
    if (stored.outcome, stored.rank) != (truth.outcome, truth.rank):
        kind = "a night in trouble" if in_trouble else "a calm night"
        return f"stored {stored.outcome} {stored.rank or ''} on {kind}, shown was {truth}"
    if stored.outcome is Outcome.NOT_EXPOSED and stored.checked_count != truth.checked_count:
        return f"not exposed among {stored.checked_count} rows, shown were {truth.checked_count}"
    return ""


def _in_sessions(history: History) -> Iterator[str]:
    session, exposed = 1, 0
    for day in history.days:
        if day.session_number != session:
            yield f"{day.checked_on}: session {day.session_number} is stored, {session} is right"
        exposed += day.outcome is Outcome.EXPOSED
        if exposed == EXPOSED_DAYS_IN_SESSION:
            session, exposed = session + 1, 0
    if history.current_session != session:
        yield f"current session: {history.current_session} is stored, {session} is right"


def _in_night(played: PlayedNight, histories: Sequence[History]) -> Iterator[str]:
    name = f"night {played.night.number} ({played.night.day})"
    batch = played.batch
    unknown = {
        history.followed.id
        for history in histories
        for day in history.days
        if day.checked_on == played.night.day and day.outcome is Outcome.UNKNOWN
    }
    wanted = (len(histories), len(histories) - len(unknown), len(unknown), 0)
    if (batch.total, batch.success, batch.failed, batch.pending) != wanted:
        counted = f"{batch.total} in all, {batch.success} success, {batch.failed} failed, {batch.pending} pending"
        yield f"{name}: its batch says {counted}; the history has {len(unknown)} unknown of {len(histories)}"
    if batch.failed_ids != unknown:
        yield f"{name}: its batch names the failed trackings {sorted(batch.failed_ids)}, right is {sorted(unknown)}"
    if played.opened != 1:
        yield f"{name}: its event, delivered {played.night.deliveries} times, opened {played.opened} batches"
    if played.night.trouble is not None and not played.trouble_met:
        yield f"{name}: no request met its trouble ({played.night.story}), so it proves nothing"


def _in_batches(nights: Sequence[PlayedNight], batches: Sequence[Batch]) -> Iterator[str]:
    run_keys = sorted(batch.run_key for batch in batches)
    wanted = sorted(night.night.day for night in nights)
    if run_keys != wanted:
        yield f"there are nightly batches for {', '.join(map(str, run_keys))}; {len(wanted)} nights were played"


def _touched(night: Night | None, history: History) -> bool:
    return night is not None and night.touches(history.followed.rank_type, history.followed.keyword)
