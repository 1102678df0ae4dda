from datetime import UTC, date, datetime, timedelta

import pytest

from nightjar.domain.kst import KST, NightSchedule, kst_day


def kst(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=KST)


@pytest.mark.parametrize(
    ("now", "begun"),
    [
        (kst(2, 23), kst(2, 23)),
        (kst(2, 23, 40), kst(2, 23)),
        (kst(3, 0, 20), kst(2, 23)),
        (kst(3, 22, 59), kst(2, 23)),
        (kst(3, 23), kst(3, 23)),
    ],
)
def test_a_night_that_begins_late_is_still_the_newest_after_midnight(now: datetime, begun: datetime) -> None:
    assert NightSchedule(23, 0).newest(now) == begun
    assert NightSchedule(23, 0).newest(now.astimezone(UTC)) == begun


def test_an_early_night_of_korea_is_found_from_the_day_before_in_utc() -> None:
    newest = NightSchedule(1, 30).newest(datetime(2026, 3, 1, 16, 30, tzinfo=UTC))
    assert kst_day(newest) == date(2026, 3, 2)
    assert newest == kst(2, 1, 30)


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        NightSchedule(1, 0).newest(kst(2, 1).replace(tzinfo=None) + timedelta(hours=1))
