"""Starts processes in order, restarts what dies, stops them in reverse order.

Why no library: honcho starts everything at once and ends when one process ends; supervisor is configured by files and
driven over XML-RPC from a process of its own; circus brings pyzmq and tornado and an arbiter that owns the main loop.
None waits until a process answers before it starts the next, and a test has to hold a process in its hand to kill it.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

from infra.local.process import StartError, Supervised

_WATCH_SECONDS = 0.25
_JOIN_SECONDS = 5.0

Stage = Sequence[Supervised]
"""What may start together: everything of a stage is ready before the next stage is launched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """How a process that died is started again; all times in seconds.

    The first delay doubles with each death in `within`, up to `longest_delay`; after `most` deaths in `within` the
    supervisor gives up.
    """

    first_delay: float = 0.5
    longest_delay: float = 10.0
    most: int = 5
    within: float = 60.0


class Supervisor:
    """Brings processes up stage by stage, keeps them running from `watch` on, and stops them in `stop`.

    `say` gets one line for whatever a person should know. When a process cannot be kept alive `failure` says why and
    `ended` is set; the others are left as they are, for the owner to stop.
    """

    def __init__(self, *, say: Callable[[str], None], policy: RestartPolicy | None = None) -> None:
        self._say = say
        self._policy = policy or RestartPolicy()
        self._deaths: dict[str, deque[float]] = {}
        self._due: dict[str, float] = {}
        self._stages: list[Stage] = []
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self.ended = threading.Event()
        self.failure: str | None = None

    def bring_up(self, stage: Stage) -> None:
        """Start a stage and wait until all of it is ready. Raises StartError; `stop` then ends what did start."""
        self._stages.append(stage)
        for process in stage:
            process.launch()
        for process in stage:
            process.await_ready()
            self._say(f"{process.name} is ready")

    def watch(self) -> None:
        """From now on start again whatever dies; nothing is brought up after this."""
        self._watcher.start()

    def stop(self) -> None:
        """Stop everything, the last stage first; what started together stops together."""
        self.ended.set()
        if self._watcher.is_alive() and self._watcher is not threading.current_thread():
            self._watcher.join(_JOIN_SECONDS)
        while self._stages:
            self._stop_stage(self._stages.pop())

    def _stop_stage(self, stage: Stage) -> None:
        if not stage:
            return
        with ThreadPoolExecutor(max_workers=len(stage)) as pool:
            for process, ended_by_itself in zip(stage, pool.map(_stop, stage), strict=True):
                if not ended_by_itself:
                    self._say(f"{process.name} did not stop in time and was killed")

    def _watch(self) -> None:
        while not self.ended.wait(_WATCH_SECONDS):
            for process in chain.from_iterable(self._stages):
                if process.has_died:
                    self._handle_death(process)
            if self.failure:
                self.ended.set()

    def _handle_death(self, process: Supervised) -> None:
        """Note a new death and set a time for the restart, or restart if that time has come."""
        now = time.monotonic()
        due = self._due.get(process.name)
        if due is None:
            self._note_death(process, now)
        elif now >= due:
            del self._due[process.name]
            self._revive(process)

    def _note_death(self, process: Supervised, now: float) -> None:
        deaths = self._deaths.setdefault(process.name, deque())
        deaths.append(now)
        while deaths and deaths[0] < now - self._policy.within:
            deaths.popleft()
        if len(deaths) > self._policy.most:
            self.failure = f"{process.name} died {len(deaths)} times in {self._policy.within:g} s; see its log"
            return
        delay = min(self._policy.first_delay * 2 ** (len(deaths) - 1), self._policy.longest_delay)
        self._due[process.name] = now + delay
        self._say(f"{process.name} died; starting it again in {delay:g} s")

    def _revive(self, process: Supervised) -> None:
        try:
            process.revive()
        except StartError as error:
            self._say(str(error))  # it still counts as died: the next look sets the next delay
        else:
            self._say(f"{process.name} is ready again")


def _stop(process: Supervised) -> bool:
    return process.stop()
