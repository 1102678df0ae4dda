"""The janitor where there is no EventBridge: a process of its own. `python -m functions.janitor.loop`.

Any number may run; an advisory lock lets one work at a time, and another takes over when it dies.
"""

import os
import signal
import sys
import threading

from functions.janitor.handling import Handler, StepsFailed
from nightjar.database.engine import DatabaseUnavailable
from nightjar.observability import logger
from nightjar.settings import BadSettings


def main() -> int:
    """Run rounds until SIGTERM or SIGINT; 2 if the settings are wrong."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    handler = Handler(os.environ)
    try:
        interval = handler.parts.settings.interval.total_seconds()
    except BadSettings as error:
        sys.stderr.write(f"janitor: {error.message}\n")
        return 2
    while not stopping.is_set():
        work_once(handler)
        stopping.wait(interval)
    return 0


def work_once(handler: Handler) -> None:
    """One round, unless another janitor is at work. Whatever fails is reported, and tried again by the next one."""
    try:
        handler.handle({}, None)
    except StepsFailed as error:
        logger(__name__).error("round_incomplete", cause=error.message)
    except DatabaseUnavailable as error:
        logger(__name__).error("database_unavailable", cause=error.message)


if __name__ == "__main__":
    sys.exit(main())
