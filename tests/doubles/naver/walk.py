"""How a tracked row moves from day to day: a pure function of seed, keyword, target and day (invented)."""

from __future__ import annotations

from datetime import date
from typing import Final

from tests.doubles.naver.scenario import Target
from tests.doubles.seeded import number

_KNOT_DAYS: Final = 5
_SPAN_DAYS: Final = 10


def rank_on(seed: int, keyword: str, target: Target, day: date, shift: int) -> int | None:
    """The rank that the target seeks on a day, or None where it is not listed.

    `shift` moves it for readers elsewhere (other device, vertical or coordinates). Two targets that seek one rank are
    told apart by the caller.
    """
    fixed = target.ranks.get(day.isoformat(), 0)
    if fixed is None or _is_absent(seed, keyword, target, day):
        return None
    return max(1, (fixed or _drift(seed, keyword, target, day)) + shift)


def _is_absent(seed: int, keyword: str, target: Target, day: date) -> bool:
    if day.isoformat() in target.ranks:
        return False
    if day.isoformat() in target.absent_days:
        return True
    span, place_in_span = divmod(day.toordinal(), _SPAN_DAYS)
    drawn = number(seed, "absence", keyword, target.key, span)
    if drawn % 1000 >= target.absence * 1000:
        return False
    begin = drawn // 1000 % (_SPAN_DAYS - 4)
    length = 2 + drawn // 10_000 % 3
    return begin <= place_in_span < begin + length


def _drift(seed: int, keyword: str, target: Target, day: date) -> int:
    """Smooth noise between knots five days apart, and a step of at most one each day."""
    span, step = divmod(day.toordinal(), _KNOT_DAYS)
    before, after = (number(seed, "knot", keyword, target.key, span + n) % 2001 / 1000 - 1 for n in (0, 1))
    smooth = before + (after - before) * step / _KNOT_DAYS
    jitter = number(seed, "jitter", keyword, target.key, day) % 3 - 1
    return max(1, target.around + round(target.swing * smooth) + (jitter if target.swing else 0))
