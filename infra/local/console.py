"""What a person sees of a running stack: each new line of every log, behind the name of its process."""

import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

_LOOK_SECONDS = 0.3
_JOIN_SECONDS = 2.0


class LogFollower:
    """Prints the logs as they grow, until it is left.

    The processes write to their files, so a slow console slows nobody.
    """

    def __init__(self, logs: Callable[[], Mapping[str, Path]]) -> None:
        self._logs = logs
        self._read: dict[str, int] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="log-follower", daemon=True)

    def __enter__(self) -> Self:
        """Begin to follow."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Print what is still to come and end."""
        self._done.set()
        self._thread.join(_JOIN_SECONDS)

    def _follow(self) -> None:
        while not self._done.wait(_LOOK_SECONDS):
            self._print_new_lines()
        self._print_new_lines()

    def _print_new_lines(self) -> None:
        for name, log in self._logs().items():
            for line in self._new_lines(name, log):
                sys.stdout.write(f"{name:>18} | {line}\n")
        sys.stdout.flush()

    def _new_lines(self, name: str, log: Path) -> list[str]:
        """Whole lines only; a line that is still being written waits for the next look."""
        if not log.exists():
            return []
        with log.open("rb") as file:
            file.seek(self._read.get(name, 0))
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read[name] = self._read.get(name, 0) + len(whole) + len(newline)
        return whole.decode(errors="replace").splitlines() if newline else []
