"""A child process: a program in a process group of its own that dies with the process that started it."""

import atexit
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_HERE = Path(__file__).parent
_PYTHON = (sys.executable, "-I", "-S")  # starts in 10 ms: no site packages, no environment
_STAY = -1
_FAREWELL_SECONDS = 5.0


class Child:
    """A running program. What it prints goes to `log`, and it ends when this process ends, however this one ends.

    `user` is the id of the user to run as (only root can ask for it). `stop_signal` is the one that makes the program
    end in good order.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        folder: Path = ROOT,
        stop_signal: signal.Signals = signal.SIGTERM,
        user: int | None = None,
    ) -> None:
        self._stop_signal = stop_signal
        self._log = log
        self._log_start = log.stat().st_size if log.exists() else 0
        self._guardian = _guardian()
        start = (*_PYTHON, str(_HERE / "launcher.py"), str(self._guardian.pipe), str(int(stop_signal)))
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*start, str(_STAY if user is None else user), *command],
                cwd=folder,
                env=None if env is None else dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
                pass_fds=(self._guardian.pipe,),
            )
        self._started_at = time.monotonic()
        self._farewell = threading.Lock()
        self._is_buried = False

    @property
    def pid(self) -> int:
        """The process id, which is the id of its group too."""
        return self._process.pid

    @property
    def age(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started_at

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while the program runs."""
        code = self._process.poll()
        if code is not None:
            self._bury()
        return code

    @property
    def is_alive(self) -> bool:
        """Whether the program runs."""
        return self.exit_code is None

    def output(self) -> str:
        """What the program has printed so far."""
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def send(self, number: signal.Signals) -> None:
        """Send a signal: SIGKILL to the whole group, as when a container ends, any other to the program alone."""
        if not self.is_alive:
            return
        with suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end, at most `timeout` seconds; the exit code, or None when the program still runs."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)
        return self.exit_code

    def stop(self, timeout: float) -> bool:
        """End the program in good order, and kill it after `timeout` seconds; whether it ended by itself."""
        self.send(self._stop_signal)
        if self.wait(timeout) is not None:
            return True
        self.send(signal.SIGKILL)
        self.wait(_FAREWELL_SECONDS)
        return False

    def _bury(self) -> None:
        """Kill what is left of the group, once: a leader that died leaves its own children behind."""
        with self._farewell:
            if self._is_buried:
                return
            self._is_buried = True
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._guardian.forget(self.pid)


class Guardian:
    """The owner's end of the guardian (see guardian.py)."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        reading, self.pipe = os.pipe()
        command = [*_PYTHON, str(_HERE / "guardian.py")]
        # A session of its own: Ctrl-C in the terminal must not reach it.
        self._process = subprocess.Popen(
            command, stdin=reading, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        os.close(reading)

    def forget(self, pid: int) -> None:
        """The group has ended."""
        self._write(f"-{pid}\n")

    def remove_at_the_end(self, folder: Path) -> None:
        """A temporary folder that must not outlive this process."""
        self._write(f"{folder.resolve()}\n")

    def release(self) -> None:
        """End the guardian; it stops whatever is still registered."""
        if self.owner == os.getpid():
            os.close(self.pipe)
            self._process.wait(_FAREWELL_SECONDS)

    def _write(self, line: str) -> None:
        with suppress(BrokenPipeError):
            os.write(self.pipe, line.encode())


_guardians: list[Guardian] = []
_guardians_lock = threading.Lock()


def remove_at_the_end(folder: Path) -> None:
    """Have a temporary folder removed when this process has ended, in whatever way."""
    _guardian().remove_at_the_end(folder)


def _guardian() -> Guardian:
    """The guardian of this process, started with its first child; a forked process gets one of its own."""
    with _guardians_lock:
        if not _guardians or _guardians[-1].owner != os.getpid():
            _guardians.append(Guardian())
            atexit.register(_guardians[-1].release)
        return _guardians[-1]
