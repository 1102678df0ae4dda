"""The guardian: a small process that outlives its owner just long enough to clean up after it.

A supervisor that is killed with SIGKILL can stop nothing any more. So each process that starts children also starts one
guardian, and the guardian reads a pipe. Every child writes its own process id into that pipe before it becomes the
program that it is to be, so there is no moment in which a child runs unknown. When the owner is gone, in whatever
way, the pipe ends; the guardian then stops every group that is still registered and removes the temporary folders.

Why not PR_SET_PDEATHSIG: it fires when the *thread* that started the child ends, is lost over some changes of user,
does not reach grandchildren, and exists on Linux only.

Lines in the pipe: `+PID SIGNAL` a group and the signal that stops it, `-PID` it has ended, `/FOLDER` remove this at
the end. This file runs by itself, with the standard library alone.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress

GRACE_SECONDS = 3.0
"How long a group may take to stop by itself before it is killed."


def guard(lines: Iterable[str]) -> None:
    """Follow the pipe to its end, then stop and remove what is left."""
    groups: dict[int, int] = {}
    folders: list[str] = []
    for line in lines:
        _note(line.rstrip("\n"), groups, folders)
    _stop(groups)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _note(line: str, groups: dict[int, int], folders: list[str]) -> None:
    if line.startswith("+"):
        pid, stop_signal = line[1:].split()
        groups[int(pid)] = int(stop_signal)
    elif line.startswith("-"):
        groups.pop(int(line[1:]), None)
    elif line.startswith("/"):
        folders.append(line)


def _stop(groups: dict[int, int]) -> None:
    for group, stop_signal in groups.items():
        _signal_group(group, stop_signal)
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline and any(_is_alive(group) for group in groups):
        time.sleep(0.05)
    for group in groups:
        _signal_group(group, signal.SIGKILL)


def _signal_group(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def main() -> None:
    """Guard the owner of standard input."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    guard(sys.stdin)


if __name__ == "__main__":
    main()
