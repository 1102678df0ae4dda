from datetime import UTC, date, datetime, timedelta

import pytest

from nightjar.domain.batch import batch_timeout
from nightjar.domain.kst import kst_day
from nightjar.domain.task import retry_delay

HOUR = timedelta(hours=1)


def test_a_korean_day_begins_at_three_in_the_afternoon_of_the_day_before_in_utc() -> None:
    assert kst_day(datetime(2026, 3, 1, 14, 59, 59, tzinfo=UTC)) == date(2026, 3, 1)
    assert kst_day(datetime(2026, 3, 1, 15, 0, tzinfo=UTC)) == date(2026, 3, 2)


def test_a_moment_without_a_zone_has_no_korean_day() -> None:
    with pytest.raises(ValueError, match="time zone"):
        kst_day(datetime(2026, 3, 1))  # noqa: DTZ001  # the point of the test


def test_a_small_batch_has_the_configured_time() -> None:
    assert batch_timeout({"a": 10}, delay=timedelta(seconds=2), configured=HOUR) == HOUR


def test_a_large_batch_has_half_as_long_again_as_its_busiest_host_needs() -> None:
    timeout = batch_timeout({"a": 9_000, "b": 10}, delay=timedelta(seconds=2), configured=HOUR)
    assert timeout == timedelta(seconds=27_000)


def test_a_batch_without_work_has_the_configured_time() -> None:
    assert batch_timeout({}, delay=timedelta(seconds=2), configured=HOUR) == HOUR


def test_the_second_wait_is_twice_the_first_and_jitter_adds_at_most_a_quarter() -> None:
    base = timedelta(seconds=60)
    assert retry_delay(1, base=base, jitter=0) == base
    assert retry_delay(2, base=base, jitter=0) == 2 * base
    assert retry_delay(1, base=base, jitter=0.999) < 1.25 * base
