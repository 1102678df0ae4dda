"""The browsers that the workers of one system have started, and a program before them that can hold their start."""

import os
import shlex
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from crawl_worker.engine.chromium import find_chromium
from tests.acceptance.night import wait_until

PROGRAM = """#!/bin/sh
: > {waiting}
while [ -e {gate} ]; do sleep 0.02; done
rm -f {waiting}
exec {chromium} "$@"
"""


class Browsers:
    """Browsers whose files lie in a folder of their own: by that they are known, orphans too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "browsers"
        self.folder.mkdir()
        self._seen: set[psutil.Process] = set()
        self._gate = folder / "browser-gate"
        self._waiting = folder / "browser-waits"
        self._program = folder / "chromium"
        chromium = find_chromium("")
        assert chromium is not None, "there is no Chromium; run `make setup`"
        names = {"waiting": self._waiting, "gate": self._gate, "chromium": chromium}
        self._program.write_text(PROGRAM.format(**{name: shlex.quote(str(path)) for name, path in names.items()}))
        self._program.chmod(0o700)

    @property
    def settings(self) -> dict[str, str]:
        """Environment for the system."""
        return {"CHROMIUM_PATH": str(self._program), "TMPDIR": str(self.folder)}

    def hold_the_next_start(self) -> None:
        """End all browsers, and let the next one wait before it starts."""
        for process in self.alive():
            with suppress(psutil.Error):
                process.kill()
        wait_until(lambda: not self.alive(), 5, self.alive)
        self._waiting.unlink(missing_ok=True)
        self._gate.touch()

    @property
    def one_waits(self) -> bool:
        """Whether a browser waits for its start."""
        return self._waiting.exists()

    def release(self) -> None:
        """Let browsers start."""
        self._gate.unlink(missing_ok=True)

    def alive(self) -> list[psutil.Process]:
        """Every process of every browser of the system; one that was seen once is known as an orphan too."""
        for process in psutil.process_iter():
            if self._is_first_of_a_browser(process):
                self._seen.update(family_of(process.pid))
        self._seen = set(still_running(self._seen))
        return sorted(self._seen, key=lambda process: process.pid)

    def pages(self) -> list[psutil.Process]:
        """The processes that show pages."""
        return [process for process in self.alive() if "--type=renderer" in _command(process)]

    def _is_first_of_a_browser(self, process: psutil.Process) -> bool:
        command = _command(process)
        return str(self._program) in command or f"--user-data-dir={self.folder}" in command


def still_running(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended."""
    return [process for process in processes if _is_running(process)]


def family_of(pid: int) -> list[psutil.Process]:
    """A process and all its descendants."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _is_running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _command(process: psutil.Process) -> str:
    try:
        return "" if process.pid == os.getpid() else " ".join(process.cmdline())
    except psutil.Error:
        return ""
