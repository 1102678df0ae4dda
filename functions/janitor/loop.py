"""The janitor where there is no EventBridge: a process of its own. `python -m functions.janitor.loop`.

Any number may run; an advisory lock lets one work at a time, and another takes over when it dies.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from functions.janitor.handling import Handler, StepsFailed
from functions.janitor.missed_night import NightWatch
from nightjar.database.engine import DatabaseUnavailable
from nightjar.observability import logger
from nightjar.settings import BadSettings
from nightjar.wiring import build_fan_out


def main() -> int:
    """Run rounds until SIGTERM or SIGINT; 2 if the settings are wrong."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    handler = Handler(os.environ)
    try:
        settings = handler.parts.settings
        watch = NightWatch(build_fan_out(os.environ)) if settings.catches_up else None
    except BadSettings as error:
        sys.stderr.write(f"janitor: {error.message}\n")
        return 2
    while not stopping.is_set():
        work_once(handler, watch)
        stopping.wait(settings.interval.total_seconds())
    return 0


def work_once(handler: Handler, watch: NightWatch | None = None) -> None:
    """One round, unless another janitor is at work. Whatever fails is reported, and tried again by the next one."""
    _report(lambda: handler.handle({}, None))
    if watch is not None:
        _report(lambda: watch.look(datetime.now(UTC)))


def _report(work: Callable[[], object]) -> None:
    try:
        work()
    except StepsFailed as error:
        logger(__name__).error("round_incomplete", cause=error.message)
    except DatabaseUnavailable as error:
        logger(__name__).error("database_unavailable", cause=error.message)
    except Exception as error:  # noqa: BLE001  # the loop must go on: it is what repairs
        logger(__name__).exception("round_failed", cause=str(error))


if __name__ == "__main__":
    sys.exit(main())
