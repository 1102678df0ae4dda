"""Work that a clock starts: the nightly fan-out and the clean-up. They need no claim: running twice is harmless."""

from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

from nightjar.application.rank_run import fan_out_night
from nightjar.application.retention import delete_expired_tasks
from nightjar.domain.kst import kst_day
from nightjar.observability import bind, clear, log_batch_completed, log_batch_opened, logger
from nightjar.wiring import FanOut

log = logger(__name__)


def nightly_fanout(parts: FanOut, moment: str | None) -> dict[str, object]:
    """The same run as the Lambda's: its run key is the Korean day of `moment` (ISO 8601), by default of now."""
    at = datetime.fromisoformat(moment) if moment else datetime.now(UTC)
    correlation_id = str(uuid4())
    clear()
    bind(correlation_id=correlation_id)
    result = fan_out_night(
        parts.database.transaction,
        parts.queue,
        run_key=kst_day(at),
        rules=parts.rules,
        correlation_id=correlation_id,
        opened=partial(log_batch_opened, log),
        announce=partial(log_batch_completed, log),
    )
    return result.as_json()


def cleanup_expired_tasks(parts: FanOut) -> int:
    """Delete what is past its retention; how many tasks."""
    deleted = delete_expired_tasks(parts.database.transaction)
    log.info("expired_tasks_deleted", deleted=deleted)
    return deleted
