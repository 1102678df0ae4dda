"""A night that nobody opened: Beat's message was lost, or Redis was away, or the worker died before its plan."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from crawl_worker.tasks import scheduled
from functions.janitor.missed_night import CATCH_UP_AFTER, CATCH_UP_FOR, NightWatch
from infra.local.stack import JANITOR, Stack
from nightjar.database.engine import Database
from nightjar.domain.kst import KST, NightSchedule, kst_day
from nightjar.wiring import FanOut, build_fan_out
from tests.factories import a_tracking

BEGAN_AT = datetime(2026, 3, 2, 23, 0, tzinfo=KST)


@pytest.fixture
def parts(database_url: str, redis_url: str) -> Iterator[FanOut]:
    parts = build_fan_out({"DATABASE_URL": database_url, "REDIS_URL": redis_url, "CRAWL_SCHEDULE_HOUR": "23"})
    yield parts
    parts.close()


def an_old_tracking(database: Database, created_at: datetime = BEGAN_AT - timedelta(hours=1)) -> int:
    tracking_id = a_tracking(database)
    with database.transaction() as uow:
        values = {"id": tracking_id, "created_at": created_at}
        uow.connection.execute(text("UPDATE trackings SET created_at = :created_at WHERE id = :id"), values)
    return tracking_id


def nights(database: Database) -> list[tuple[str, int]]:
    """Korean days of nightly batches, and how many trackings they have."""
    with database.transaction() as uow:
        rows = uow.connection.execute(text("SELECT run_key, total FROM batches WHERE kind = 'nightly' ORDER BY id"))
        return [(row.run_key.isoformat(), int(row.total)) for row in rows]


def test_a_night_that_nobody_opened_is_opened_once_and_for_its_own_day(database: Database, parts: FanOut) -> None:
    an_old_tracking(database)
    for minutes in range(int(CATCH_UP_AFTER.total_seconds() / 60), 90):  # midnight is in between
        NightWatch(parts).look(BEGAN_AT + timedelta(minutes=minutes))
    assert nights(database) == [("2026-03-02", 1)]


@pytest.mark.parametrize("later", [timedelta(0), CATCH_UP_AFTER / 2, CATCH_UP_FOR + timedelta(seconds=1)])
def test_beat_is_waited_for_and_a_night_that_is_long_over_stays_missed(
    database: Database, parts: FanOut, later: timedelta
) -> None:
    an_old_tracking(database)
    NightWatch(parts).look(BEGAN_AT + later)
    assert nights(database) == []


def test_a_system_that_was_set_up_after_the_moment_does_not_make_up_for_it(database: Database, parts: FanOut) -> None:
    NightWatch(parts).look(BEGAN_AT + timedelta(hours=1))
    an_old_tracking(database, created_at=BEGAN_AT + timedelta(minutes=1))
    with database.transaction() as uow:
        uow.trackings.stop(an_old_tracking(database), owner=None)
    NightWatch(parts).look(BEGAN_AT + timedelta(hours=1))
    assert nights(database) == []


def test_beat_that_comes_after_all_goes_on_with_the_same_batch(database: Database, parts: FanOut) -> None:
    an_old_tracking(database)
    NightWatch(parts).look(BEGAN_AT + timedelta(hours=1))
    answer = scheduled.nightly_fanout(parts, BEGAN_AT.isoformat())
    assert answer["new"] is False
    assert nights(database) == [("2026-03-02", 1)]


def test_beats_message_is_for_the_night_that_began_last_whenever_it_is_taken(
    database_url: str, redis_url: str, database: Database
) -> None:
    soon = datetime.now(KST) + timedelta(minutes=30)
    schedule = {"CRAWL_SCHEDULE_HOUR": str(soon.hour), "CRAWL_SCHEDULE_MINUTE": str(soon.minute)}
    parts = build_fan_out({"DATABASE_URL": database_url, "REDIS_URL": redis_url, **schedule})
    answer = scheduled.nightly_fanout(parts, None)
    parts.close()
    assert answer["run_key"] == (kst_day(soon) - timedelta(days=1)).isoformat()
    assert nights(database) == [(answer["run_key"], 0)]


def test_a_clock_that_is_a_little_behind_beats_does_not_run_last_night_again() -> None:
    late = BEGAN_AT - timedelta(seconds=90)
    assert scheduled.night_of(NightSchedule(23, 0), now=late) == kst_day(BEGAN_AT)
    assert scheduled.night_of(NightSchedule(23, 0), now=BEGAN_AT - timedelta(hours=1)) == kst_day(BEGAN_AT) - timedelta(
        days=1
    )


@pytest.mark.parametrize("switch", ["true", "false"])
def test_only_a_janitor_that_is_told_to_opens_nights(
    database: Database, database_url: str, redis_url: str, switch: str
) -> None:
    began_at = (datetime.now(KST) - timedelta(minutes=30)).replace(second=0, microsecond=0)
    an_old_tracking(database, created_at=began_at - timedelta(days=1))
    settings = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "CRAWL_SCHEDULE_HOUR": str(began_at.hour),
        "CRAWL_SCHEDULE_MINUTE": str(began_at.minute),
        "JANITOR_INTERVAL_SECONDS": "0.2",
        "NIGHTJAR_CATCH_UP_NIGHT": switch,
    }
    with Stack(settings, processes={JANITOR}):
        give_up_at = time.monotonic() + (20 if switch == "true" else 3)
        while not nights(database) and time.monotonic() < give_up_at:
            time.sleep(0.1)
    expected = [(kst_day(began_at.astimezone(UTC)).isoformat(), 1)] if switch == "true" else []
    assert nights(database) == expected
