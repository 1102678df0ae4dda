"""Logs: one JSON object a line, one shape for functions and workers, and the lines that queries rely on.

Field names are a contract: the saved queries name them, and a test compares the two.
"""

import logging
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import structlog

if TYPE_CHECKING:  # a function that logs one line of these need not load the use cases of all
    from nightjar.application.janitor import Round
    from nightjar.application.rank_checking import Postponed, SettledReading
    from nightjar.application.rank_run import OpenedBatch
    from nightjar.database.rank_checks import SettledCheck
    from nightjar.database.rank_history import StoredRank
    from nightjar.domain.batch import Batch

Logger = Any
"""structlog's bound loggers are typed by their configuration, which happens at run time."""


METRIC_NAMESPACE = "Nightjar"
"""Of all CloudWatch metrics; their names stand beside the function that writes them."""

CHATTY = ("celery.worker.strategy", "celery.app.trace", "celery.beat", "kombu", "asyncio", "httpx", "mangum",
          "boto3", "botocore", "urllib3", "s3transfer")  # fmt: skip
"""Libraries that write a line for each task or request: their warnings are enough. Botocore writes whole requests."""


class TextStream(Protocol):
    """Where lines go."""

    def write(self, text: str, /) -> object:
        """Write one line."""

    def flush(self) -> object:
        """Hand it on."""


def configure_logging(service: str, *, level: str = "INFO", stream: TextStream | None = None) -> None:
    """Write JSON lines for our own logger and for everything that logs through the standard library."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _upper_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
        lambda _logger, _name, event: event | {"service": service},
        structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("message"),
    ]
    render = structlog.processors.JSONRenderer(ensure_ascii=False, sort_keys=False)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render]
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping().get(level, logging.INFO)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def logger(name: str) -> Logger:
    """The logger of a module."""
    return structlog.get_logger(name)


def bind(**context: object) -> None:
    """Add fields to every further line of this thread or task."""
    structlog.contextvars.bind_contextvars(**context)


def clear() -> None:
    """Forget all bound fields."""
    structlog.contextvars.clear_contextvars()


def log_batch_opened(log: Logger, batch: "OpenedBatch") -> None:
    """`batch_started`, or `batch_resumed` for a second delivery; a warning if the batch must take longer than usual."""
    context = {"batch_id": batch.batch_id, "run_key": batch.run_key.isoformat(), "correlation_id": batch.correlation_id}
    if not batch.is_new:
        log.info("batch_resumed", **context)
        return
    log.info(
        "batch_started",
        total=batch.total,
        checks=batch.checks,
        timeout_seconds=batch.timeout.total_seconds(),
        estimated_seconds=batch.estimate.total_seconds(),
        **context,
    )
    if batch.is_extended:
        log.warning(
            "batch_extended",
            cause="its busiest host needs longer than CRAWL_BATCH_TIMEOUT at this CRAWL_DELAY_SECONDS; "
            "see the capacity table of the README",
            timeout_seconds=batch.timeout.total_seconds(),
            configured_seconds=batch.configured_timeout.total_seconds(),
            **context,
        )


def log_batch_completed(log: Logger, batch: "Batch") -> None:
    """The one summary line of a batch."""
    log.info(
        "batch_completed",
        batch_id=batch.id,
        run_key=batch.run_key.isoformat(),
        total=batch.total,
        success=batch.success,
        failed=batch.failed,
        failed_items=[{"tracking_id": item.tracking_id, "reason": item.reason} for item in batch.failed_items],
        failed_items_count=batch.failed,
        elapsed_seconds=batch.elapsed_seconds(datetime.now(UTC)),
        correlation_id=batch.correlation_id,
    )


def log_settled(log: Logger, settled: "SettledReading", *, elapsed_seconds: float) -> None:
    """One `crawl_result` per tracking; one `crawl_failed` if they stayed unknown. The time is that of the attempt."""
    check = settled.check
    about: dict[str, object] = {
        "rank_type": check.search.rank_type,
        "keyword": check.search.keyword,
        "checked_on": check.checked_on.isoformat(),
        "batch_id": check.batch_id,
        "elapsed_seconds": round(elapsed_seconds, 3),
    }
    _log_results(log, settled.stored, about)
    if settled.fault is not None:
        log.error(
            "crawl_failed",
            tracking_ids=[tracking_id for tracking_id, _key in check.trackings],
            code=settled.fault.code,
            cause=settled.fault.message,
            **about,
        )
    if settled.layout_alarm:
        log.error(
            "layout_changed",
            rank_type=check.search.rank_type,
            batch_id=check.batch_id,
            cause="no page of this rank type was understood: the site's pages have changed, the parser must follow",
        )


def log_given_up(log: Logger, checks: Iterable["SettledCheck"]) -> None:
    """The lines that the worker of a check would have written, for checks that ended without one."""
    for check in checks:
        about: dict[str, object] = {
            "task_id": str(check.task_id),
            "correlation_id": check.correlation_id,
            "rank_type": check.rank_type,
            "keyword": check.keyword,
            "checked_on": check.checked_on.isoformat(),
            "batch_id": check.batch_id,
        }
        _log_results(log, check.stored, about)
        code, _, cause = check.reason.partition(": ")
        log.error("crawl_failed", tracking_ids=list(check.tracking_ids), code=code, cause=cause, **about)


def _log_results(log: Logger, stored: Iterable["StoredRank"], about: Mapping[str, object]) -> None:
    for row in stored:
        log.info(
            "crawl_result",
            tracking_id=row.tracking_id,
            outcome=row.outcome,
            rank=row.rank,
            session_number=row.session_number,
            checked_count=row.checked_count,
            reason=row.reason,
            **about,
        )


def log_postponed(log: Logger, postponed: "Postponed") -> None:
    """The check waits, and why."""
    log.info(
        "crawl_postponed",
        tracking_ids=[tracking_id for tracking_id, _key in postponed.check.trackings],
        rank_type=postponed.check.search.rank_type,
        keyword=postponed.check.search.keyword,
        not_before=postponed.not_before.isoformat(),
        cause=postponed.reason,
        costs_an_attempt=postponed.costs_an_attempt,
        batch_id=postponed.check.batch_id,
    )


def log_round(log: Logger, found: "Round") -> None:
    """What the janitor repaired, and the queue figures."""
    log_given_up(log, found.given_up)
    for failure in found.failures:
        log.error("janitor_step_failed", step=failure.step, cause=str(failure.error), exc_info=failure.error)
    for figures in found.queues:
        if not (figures.depth or figures.lost or figures.published):
            continue
        log.info(
            "queue_figures",
            queue=figures.queue,
            depth=figures.depth,
            lost=figures.lost,
            published=figures.published,
            in_progress=figures.in_progress,
            oldest_waiting_seconds=round(figures.oldest_waiting_seconds, 1),
        )
    if found.broker_error:
        log.error("broker_unavailable", cause=found.broker_error)
    if found.returned:
        log.warning("leases_returned", returned=found.returned)


def _upper_level(_logger: object, _name: str, event: dict[str, Any]) -> dict[str, Any]:
    """Levels in capitals, as Lambda's own log filter expects them."""
    return event | {"level": str(event["level"]).upper()}
