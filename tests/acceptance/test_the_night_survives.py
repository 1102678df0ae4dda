"""In mid-batch something dies, each alone. The batch ends, every tracking has its row, one line tells of it."""

import signal
from collections.abc import Callable
from datetime import date

import psutil
import pytest
import redis

from tests.acceptance.night import NightSystem, differences, wait_until


def slow_down(system: NightSystem) -> None:
    """Answers take long enough for a batch to have a middle."""
    for site in ("search", "search_more", "place"):
        system.replica.control.fault("SLOW", site=site, delay=0.25)


def in_the_middle(system: NightSystem, batch_id: int) -> None:
    """Wait until some checks are done and others are under way."""

    def is_in_the_middle() -> bool:
        states = [row[0] for row in system.open_tasks(batch_id)]
        return "in_progress" in states and len(states) < system.batch(batch_id)["last_seq"]

    wait_until(is_in_the_middle, 30)


def has_ended_well(system: NightSystem, batch_id: int, night: date) -> None:
    batch = system.await_end(batch_id)
    rows = system.rows(night)
    assert sorted(rows) == sorted(item.id for item in system.followed)
    assert differences(rows, system.truths(night)) == []
    assert (batch["success"], batch["failed"]) == (len(system.followed), 0)
    assert len(system.lines("batch_completed", batch_id=batch_id)) == 1


def worker_is_killed(system: NightSystem) -> None:
    pid = system.stack.process("worker-1").pid
    assert pid is not None
    family = psutil.Process(pid).children(recursive=True)
    for member in (psutil.Process(pid), *family):
        member.kill()


def child_is_killed(system: NightSystem) -> None:
    pid = system.stack.process("worker-1").pid
    assert pid is not None
    for child in psutil.Process(pid).children():
        child.kill()


def redis_is_flushed(system: NightSystem) -> None:
    with redis.Redis.from_url(system.stack.redis_url) as client:
        client.flushall()


def redis_is_restarted(system: NightSystem) -> None:
    system.stack.process("redis").restart()


def postgres_is_restarted(system: NightSystem) -> None:
    system.stack.process("postgres").restart()


def postgres_is_killed(system: NightSystem) -> None:
    system.stack.postgres.kill(signal.SIGKILL)


@pytest.mark.parametrize(
    "disaster",
    [
        worker_is_killed,
        child_is_killed,
        redis_is_flushed,
        redis_is_restarted,
        postgres_is_restarted,
        postgres_is_killed,
    ],
)
def test_a_night_goes_on_when(disaster: Callable[[NightSystem], None], system: NightSystem, night: date) -> None:
    slow_down(system)
    batch_id = system.fan_out(night)
    in_the_middle(system, batch_id)
    disaster(system)
    has_ended_well(system, batch_id, night)


def chromium_of(system: NightSystem) -> list[psutil.Process]:
    """The browsers of all workers."""
    workers = [system.stack.process(f"worker-{number}").pid for number in (1, 2)]
    family = [child for pid in workers if pid for child in psutil.Process(pid).children(recursive=True)]
    return [process for process in family if "headless" in process.name() or "chrom" in process.name()]


def test_a_night_goes_on_when_chromium_is_killed(system: NightSystem, night: date) -> None:
    system.replica.control.options(place_start="ignored")  # so that long place lists need the browser
    slow_down(system)
    batch_id = system.fan_out(night)
    wait_until(lambda: bool(chromium_of(system)), 30, lambda: system.open_tasks(batch_id))
    for browser in chromium_of(system):
        browser.kill()
    has_ended_well(system, batch_id, night)


def test_a_worker_that_is_stopped_gives_its_checks_back_at_once_and_uncounted(system: NightSystem, night: date) -> None:
    system.replica.control.fault("SLOW", site="search", delay=3)
    batch_id = system.fan_out(night)
    wait_until(
        lambda: any(row[0] == "in_progress" for row in system.open_tasks(batch_id)),
        30,
    )
    system.stack.process("worker-1").restart()
    given_back = system.lines("task_given_back")
    assert given_back
    system.replica.control.clear_faults()
    has_ended_well(system, batch_id, night)
