"""From an EventBridge event to the use case and back."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import uuid4

from nightjar.application.rank_run import FanOutResult, fan_out_night
from nightjar.domain.kst import kst_day
from nightjar.errors import Invalid
from nightjar.observability import bind, clear, configure_logging, log_batch_completed, log_batch_opened, logger
from nightjar.wiring import FanOut, build_fan_out

log = logger(__name__)


def _nobody(_: FanOutResult) -> None:
    """Outside Lambda nothing turns the figures into metrics."""


class Handler:
    """One execution environment of the function: parts are made at the first event and kept.

    `observe` is told what each delivery did.
    """

    def __init__(self, environment: Mapping[str, str], *, observe: Callable[[FanOutResult], None] = _nobody) -> None:
        self._environment = environment
        self._observe = observe
        self._parts: FanOut | None = None

    def handle(self, event: Mapping[str, Any], context: Any) -> dict[str, object]:
        """Run the night that the event is for. Raises Invalid, BadSettings, DatabaseUnavailable."""
        parts = self._made_parts()
        correlation_id = str(event.get("id") or uuid4())
        clear()
        bind(correlation_id=correlation_id, function_request_id=getattr(context, "aws_request_id", None))
        result = fan_out_night(
            parts.database.transaction,
            parts.queue,
            run_key=run_key_of(event),
            rules=parts.rules,
            correlation_id=correlation_id,
            opened=partial(log_batch_opened, log),
            announce=partial(log_batch_completed, log),
        )
        log.info("night_fanned_out", **result.as_json())
        self._observe(result)
        return result.as_json()

    def close(self) -> None:
        """Give the connections back, where the environment does not simply vanish."""
        if self._parts is not None:
            self._parts.close()

    def _made_parts(self) -> FanOut:
        if self._parts is None:
            configure_logging("nightly_fanout", level=self._environment.get("LOG_LEVEL", "INFO"))
            self._parts = build_fan_out(self._environment)
        return self._parts


def run_key_of(event: Mapping[str, Any]) -> date:
    """The Korean day of the event's `time`: a delayed or repeated delivery carries the same one. Raises Invalid."""
    raw = event.get("time")
    try:
        return kst_day(datetime.fromisoformat(str(raw)))
    except ValueError:
        raise Invalid(f"the event's time is {raw!r}, not a moment such as 2026-01-31T16:00:00Z") from None
