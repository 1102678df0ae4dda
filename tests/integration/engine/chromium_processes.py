"""Which processes of Chromium and its driver live, seen from outside the engine."""

import asyncio
import os
import time
from contextlib import suppress

import psutil

_OTHERS: set[int] = set()


def chromium_of(pid: int | None = None, *, roots: bool = False) -> list[psutil.Process]:
    """The Chromium processes below a process, this one by default; `roots` leaves out those that Chromium started."""
    return [process for process in _below(pid) if _is_chromium(process) and not (roots and _is_helper(process))]


def engine_processes_of(pid: int | None = None) -> list[psutil.Process]:
    """Chromium and the driver below a process, this one by default."""
    return [process for process in _below(pid) if _is_chromium(process) or _is_driver(process)]


async def gone(processes: list[psutil.Process], *, within: float) -> bool:
    """Whether all have ended within so many seconds."""
    until = time.monotonic() + within
    while any(map(_runs, processes)):
        if time.monotonic() > until:
            return False
        await asyncio.sleep(0.02)
    return True


def work_of(processes: list[psutil.Process]) -> float:
    """How much of a core the processes use, in percent; measured over 0.2 s each. Those that ended use nothing."""
    total = 0.0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            total += process.cpu_percent(0.2)
    return total


def ignore_what_runs_already() -> None:
    """Browsers of other tests in this process are not ours to count."""
    _OTHERS.clear()
    _OTHERS.update(process.pid for process in psutil.Process().children(recursive=True))


def _below(pid: int | None) -> list[psutil.Process]:
    processes = psutil.Process(pid or os.getpid()).children(recursive=True)
    return [process for process in processes if process.pid not in _OTHERS]


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _is_chromium(process: psutil.Process) -> bool:
    return any("chrom" in argument.rpartition("/")[2] for argument in _command(process)[:1])


def _is_driver(process: psutil.Process) -> bool:
    return "run-driver" in _command(process)


def _is_helper(process: psutil.Process) -> bool:
    return any(argument.startswith("--type=") for argument in _command(process))


def _command(process: psutil.Process) -> list[str]:
    try:
        # Chromium's helpers write their command as one argument.
        return [argument for part in process.cmdline() for argument in part.split()]
    except psutil.Error:
        return []
