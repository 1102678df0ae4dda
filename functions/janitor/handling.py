"""One round of the janitor, for the Lambda and for the loop."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

from nightjar.application.janitor import FailedStep, Round, run_round
from nightjar.errors import NightjarError
from nightjar.observability import bind, clear, configure_logging, log_batch_completed, log_round, logger
from nightjar.wiring import Janitor, build_janitor

log = logger(__name__)


JANITOR_LOCK = 7_302_012
"""Advisory lock of the one janitor at work: two at once could both republish what one of them just did."""


def _nobody(_: Round) -> None:
    """Outside Lambda nothing turns the figures into metrics."""


class StepsFailed(NightjarError):
    """A round was not whole. The rest of it was done; the next round tries again what failed."""

    def __init__(self, failures: Sequence[FailedStep]) -> None:
        names = ", ".join(failure.step for failure in failures)
        super().__init__(f"steps of the round failed: {names}; the log has their traces")


class Handler:
    """One execution environment: parts are made at the first round and kept. `observe` is told what each found."""

    def __init__(self, environment: Mapping[str, str], *, observe: Callable[[Round], None] = _nobody) -> None:
        self._environment = environment
        self._observe = observe
        self._parts: Janitor | None = None

    def handle(self, event: Mapping[str, Any], context: Any) -> dict[str, object]:
        """Run one round, unless another janitor is at work. Raises BadSettings, DatabaseUnavailable, StepsFailed."""
        clear()
        request_id = getattr(context, "aws_request_id", None)
        bind(correlation_id=str(event.get("id") or uuid4()), function_request_id=request_id)
        with self.parts.database.transaction() as uow:
            if not uow.try_lock(JANITOR_LOCK):
                return {"skipped": "another janitor is at work"}
            found = self.round()
        if found.failures:
            raise StepsFailed(found.failures)
        return {
            "returned": found.returned,
            "given_up": len(found.given_up),
            "closed": list(found.closed),
            "published": sum(queue.published for queue in found.queues),
            "lost": sum(queue.lost for queue in found.queues),
        }

    def round(self) -> Round:
        """Look at everything once, repair it, and log what was found."""
        parts = self.parts
        found = run_round(
            parts.database.transaction, parts.queue, rules=parts.rules, announce=partial(log_batch_completed, log)
        )
        log_round(log, found)
        self._observe(found)
        return found

    @property
    def parts(self) -> Janitor:
        """What the janitor works with."""
        if self._parts is None:
            configure_logging("janitor", level=self._environment.get("LOG_LEVEL", "INFO"))
            self._parts = build_janitor(self._environment)
        return self._parts
