"""Looking at processes from outside."""

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[3]
PYTHON = (sys.executable, "-I", "-S", "-c")


def is_running(pid: int) -> bool:
    """Whether a process works; a dead one that nobody has collected does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def eventually(condition: Callable[[], bool], *, seconds: float = 15.0) -> bool:
    """Whether the condition becomes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def all_gone(pids: Iterable[int], *, seconds: float = 15.0) -> bool:
    """Whether all the processes end in time."""
    watched = list(pids)
    return eventually(lambda: not any(map(is_running, watched)), seconds=seconds)
