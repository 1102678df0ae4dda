"""Work that a clock starts: the nightly fan-out and the clean-up. They need no claim: running twice is harmless."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import uuid4

from nightjar.application.archive_sweeping import sweep_archive
from nightjar.application.rank_run import fan_out_night
from nightjar.application.retention import delete_expired_crawls, delete_expired_tasks
from nightjar.domain.kst import NightSchedule, kst_day
from nightjar.observability import bind, clear, log_batch_completed, log_batch_opened, logger
from nightjar.ports import Archive, ArchiveUnavailable
from nightjar.wiring import FanOut

log = logger(__name__)


CRAWL_TIME, SWEEP_TIME = timedelta(minutes=5), timedelta(minutes=4)
"""How long a day's clean-up deletes crawls, and looks through the archive: together below TASK_TIME_LIMIT."""

CLOCKS_DIFFER = timedelta(minutes=10)
"""Beat's clock may be ahead of a worker's by so much: its message is not for the night before."""


def nightly_fanout(parts: FanOut, moment: str | None) -> dict[str, object]:
    """The same run as the Lambda's, for the Korean day of `moment` (ISO 8601), or else for the night that began last.

    A message may lie in the queue past midnight.
    """
    at = datetime.fromisoformat(moment) if moment else None
    run_key = kst_day(at) if at else night_of(parts.schedule, now=datetime.now(UTC))
    correlation_id = str(uuid4())
    clear()
    bind(correlation_id=correlation_id)
    result = fan_out_night(
        parts.database.transaction,
        parts.queue,
        run_key=run_key,
        rules=parts.rules,
        correlation_id=correlation_id,
        opened=partial(log_batch_opened, log),
        announce=partial(log_batch_completed, log),
    )
    return result.as_json()


def night_of(schedule: NightSchedule, *, now: datetime) -> date:
    """The Korean day of the night that began last, or begins at this moment."""
    return kst_day(schedule.newest(now + CLOCKS_DIFFER))


def cleanup_expired_tasks(parts: FanOut, archive: Archive) -> int:
    """Delete what is past its retention, and what nobody needs in the archive; how many tasks.

    It ends in time for the hard limit of a task, also if there is more to do: it comes again the next day.
    """
    deleted = delete_expired_tasks(parts.database.transaction)
    crawls = delete_expired_crawls(parts.database.transaction, within=CRAWL_TIME)
    log.info("expired_tasks_deleted", deleted=deleted + crawls, crawls=crawls)
    try:
        objects = sweep_archive(parts.database.transaction, archive, within=SWEEP_TIME)
        log.info("archive_swept", deleted=objects)
    except ArchiveUnavailable as error:
        log.warning("archive_not_swept", cause=error.message)
    return deleted + crawls
