"""Opens a night that nobody opened, where no EventBridge keeps its event until it was delivered.

Beat's message lies in Redis alone until a worker has planned the night: it is lost if Redis loses its memory or is
away, or if the worker dies before its plan is committed. That there is no batch of the night tells that this happened.
"""

from datetime import date, datetime, timedelta
from functools import partial
from uuid import uuid4

from nightjar.application.rank_run import fan_out_night
from nightjar.domain.kst import kst_day
from nightjar.observability import bind, clear, log_batch_completed, log_batch_opened, logger
from nightjar.wiring import FanOut

log = logger(__name__)

CATCH_UP_AFTER = timedelta(minutes=5)
"""Until then the usual way may only be slow."""

CATCH_UP_FOR = timedelta(hours=12)
"""As long as Beat's message would be valid: a night that is longer over stays missed."""


class NightWatch:
    """Looks whether a night is missing. Any number may look: a night exists once for a Korean day."""

    def __init__(self, parts: FanOut) -> None:
        self._parts = parts

    def look(self, now: datetime) -> None:
        """Open the night that began last, if nobody has. Raises DatabaseUnavailable."""
        run_key = self._missing(now)
        if run_key is None:
            return
        correlation_id = str(uuid4())
        clear()
        bind(correlation_id=correlation_id)
        log.warning(
            "night_missed",
            run_key=run_key.isoformat(),
            cause="nobody opened this night: the message of Beat was lost, or Beat does not run; opening it now",
        )
        fan_out_night(
            self._parts.database.transaction,
            self._parts.queue,
            run_key=run_key,
            rules=self._parts.rules,
            correlation_id=correlation_id,
            opened=partial(log_batch_opened, log),
            announce=partial(log_batch_completed, log),
        )

    def _missing(self, now: datetime) -> date | None:
        began_at = self._parts.schedule.newest(now)
        if not CATCH_UP_AFTER <= now - began_at <= CATCH_UP_FOR:
            return None
        run_key = kst_day(began_at)
        with self._parts.database.transaction() as uow:
            return run_key if uow.batches.lacks_night(run_key, began_at=began_at) else None
