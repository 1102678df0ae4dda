"""Counting ranks: the position of a target among the organic rows of a result list."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What a rank check found. `unknown` says that nothing can be said; it is never turned into the other two."""

    EXPOSED = "exposed"
    NOT_EXPOSED = "not_exposed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The organic rows of one search that was read without a fault.

    A source returns a reading only if it read the list to its end, to the depth, or until every wanted target was
    found; in all other cases it raises. `rows` are row keys in document order, adverts left out; None is an organic row
    whose id is not known: it takes a slot. `same_cafe` maps the slug of a cafe to its club id, where it was looked up.
    """

    rows: Sequence[str | None]
    same_cafe: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankResult:
    """What is stored of one tracking for one day."""

    tracking_id: int
    outcome: Outcome
    rank: int | None = None
    checked_count: int | None = None
    reason: str | None = None


def organic_rows(rows: Iterable[str | None], *, depth: int) -> list[str | None]:
    """The rows that count: repeats of a known key are dropped, unknown ones keep their slot, cut at `depth`."""
    seen: set[str] = set()
    counted: list[str | None] = []
    for key in rows:
        if len(counted) == depth:
            break
        if key is not None:
            if key in seen:
                continue
            seen.add(key)
        counted.append(key)
    return counted


def rank_of(keys: Collection[str], rows: Sequence[str | None]) -> int | None:
    """The 1-based position of the first counted row that carries one of `keys`, or None."""
    return next((position for position, key in enumerate(rows, start=1) if key is not None and key in keys), None)


def judge(tracking_id: int, keys: Collection[str], reading: Reading, *, depth: int) -> RankResult:
    """The result of one tracking from a complete reading. `keys` are all spellings of its target."""
    rows = organic_rows(reading.rows, depth=depth)
    rank = rank_of(keys, rows)
    outcome = Outcome.NOT_EXPOSED if rank is None else Outcome.EXPOSED
    return RankResult(tracking_id=tracking_id, outcome=outcome, rank=rank, checked_count=len(rows))
