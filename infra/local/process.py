"""A process that is meant to run: started until it answers, watched, stopped in good order, restarted."""

import os
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from infra.local.child import Child

_POLL_SECONDS = 0.05
_TAIL_LINES = 12


class StartError(Exception):
    """A process did not start; the message names it and ends with the last lines of its log."""


class Supervised(Protocol):
    """What the supervisor needs of anything that it starts."""

    @property
    def name(self) -> str:
        """The name in messages and logs."""

    @property
    def has_died(self) -> bool:
        """Whether it ended without having been asked to."""

    def launch(self) -> None:
        """Start, without waiting for it to be ready."""

    def await_ready(self) -> None:
        """Wait until it is ready; raises StartError."""

    def revive(self) -> None:
        """Start again what has died; raises StartError."""

    def stop(self) -> bool:
        """Stop; False if it had to be killed."""


class ManagedProcess(ABC):
    """One process of the stack. Every method may be called from any thread.

    A subclass says what is run, how to tell that it is ready, and how it is stopped.
    """

    stop_signal = signal.SIGTERM
    stop_timeout = 10.0
    start_timeout = 30.0

    def __init__(self, name: str, *, log: Path) -> None:
        self._name = name
        self.log = log
        self._child: Child | None = None
        self._is_wanted = False
        self._is_stopping = False
        self._lock = threading.RLock()

    @property
    def name(self) -> str:
        """The name in messages and logs."""
        return self._name

    @property
    def pid(self) -> int | None:
        """The process id; None while nothing runs."""
        child = self._child
        return child.pid if child and child.is_alive else None

    @property
    def is_alive(self) -> bool:
        """Whether the process runs now."""
        return self.pid is not None

    @property
    def has_died(self) -> bool:
        """Whether the process ended without having been asked to."""
        return self._is_wanted and not self.is_alive

    def start(self) -> None:
        """Start and wait until the process is ready. Raises StartError, and then nothing is left running."""
        with self._lock:
            try:
                self.launch()
                self.await_ready()
            except BaseException:
                self._is_wanted = False
                raise

    def launch(self) -> None:
        """Start without waiting; nothing happens when the process runs already."""
        with self._lock:
            if self.is_alive:
                return
            self._is_stopping = False
            self._is_wanted = True
            self._prepare()
            self._child = self._new_child()

    def await_ready(self) -> None:
        """Wait until the process is ready, at most `start_timeout` seconds, or end it and raise StartError."""
        with self._lock:
            try:
                self._wait_until_ready()
                self._complete()
            except BaseException:
                self._end()
                raise

    def stop(self) -> bool:
        """Stop in good order; after `stop_timeout` seconds the process is killed, and the answer is False."""
        self._is_stopping = True  # before the lock: it also ends a start that is still waiting
        with self._lock:
            self._is_wanted = False
            return self._end()

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal as from outside: a supervisor takes the death that follows for an accident."""
        if self._child:
            self._child.send(number)

    def restart(self) -> None:
        """Stop if need be and start again, at the same address. Raises StartError."""
        with self._lock:
            self.stop()
            self.start()

    def revive(self) -> None:
        """Start again a process that has died; one that was stopped on purpose stays so.

        Raises StartError, and then the process still counts as died.
        """
        with self._lock:
            if self.has_died:
                self.launch()
                self.await_ready()

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end, at most `timeout` seconds; the exit code, or None when the process still runs."""
        return self._child.wait(timeout) if self._child else None

    def _end(self) -> bool:
        return self._child is None or self._child.stop(self.stop_timeout)

    def _new_child(self) -> Child:
        return Child(self._command(), log=self.log, env=self._environment(), stop_signal=self.stop_signal)

    @abstractmethod
    def _command(self) -> Sequence[str]:
        """The program and its arguments."""

    @abstractmethod
    def _is_ready(self, child: Child) -> bool:
        """Whether the process, which is alive, does its work."""

    def _environment(self) -> Mapping[str, str]:
        return os.environ

    def _prepare(self) -> None:
        """What has to be there before a start."""
        return

    def _complete(self) -> None:
        """What has to be done as soon as the process is ready."""
        return

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self.start_timeout
        while True:
            if self._is_stopping:
                raise StartError(f"{self.name} was stopped while it started")
            if self._child is None or not self._child.is_alive:
                raise StartError(self._failure(f"ended with exit code {self.wait(0)} while it started"))
            if self._is_ready(self._child):
                return
            if time.monotonic() > deadline:
                raise StartError(self._failure(f"was not ready after {self.start_timeout:g} s"))
            time.sleep(_POLL_SECONDS)

    def _failure(self, what: str) -> str:
        lines = self._child.output().splitlines() if self._child else []
        tail = "".join(f"\n    {line}" for line in lines[-_TAIL_LINES:])
        return f"{self.name} {what}; its log is {self.log}" + (f" and ends with:{tail}" if tail else " and is empty")


class Program(ManagedProcess):
    """A process that is told everything when it is made: the API, a worker, the janitor, Beat."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str],
        is_ready: Callable[[Child], bool],
        start_timeout: float = 30.0,
        stop_timeout: float = 10.0,
    ) -> None:
        super().__init__(name, log=log)
        self._arguments = tuple(command)
        self._env = dict(env)
        self._ready = is_ready
        self.start_timeout = start_timeout
        self.stop_timeout = stop_timeout

    def _command(self) -> Sequence[str]:
        return self._arguments

    def _environment(self) -> Mapping[str, str]:
        return self._env

    def _is_ready(self, child: Child) -> bool:
        return self._ready(child)


class OneTimeJob(Program):
    """A program that ends before anything else starts: the migrations. Ready means ended with exit code 0."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str],
        timeout: float = 120.0,
    ) -> None:
        super().__init__(name, command, log=log, env=env, is_ready=_never_while_it_runs, start_timeout=timeout)

    @property
    def has_died(self) -> bool:
        """Never: it is meant to end."""
        return False

    def _wait_until_ready(self) -> None:
        code = self.wait(self.start_timeout)
        if code is None:
            raise StartError(self._failure(f"did not end in {self.start_timeout:g} s"))
        if code != 0:
            raise StartError(self._failure(f"ended with exit code {code}"))


def _never_while_it_runs(_: Child) -> bool:
    return False
