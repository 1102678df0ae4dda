"""What a running stack tells others: the file stack.json in its data folder.

`python -m infra.local.state` ends with 1 while a stack runs on .nightjar. Only the standard library is used.
"""

import fcntl
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

STATE_FILE = "stack.json"
_LOCK_FILE = "lock"
_TRIES = 5
_TRY_AGAIN_SECONDS = 0.05


class NoStackError(Exception):
    """No stack runs on the data folder; the message says how to start one."""


class InUseError(Exception):
    """Another stack runs on the data folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackState:
    """Addresses, processes and settings of a running stack. It holds passwords: only the owner can read the file."""

    supervisor_pid: int
    api_url: str
    database_url: str
    redis_url: str
    env: Mapping[str, str]
    "The settings with which another program joins the stack."
    pids: Mapping[str, int | None]

    def write(self, folder: Path) -> None:
        """Write the file whole or not at all."""
        unfinished = folder / f"{STATE_FILE}.unfinished"
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=2)
        unfinished.replace(folder / STATE_FILE)

    @classmethod
    def of_running_stack(cls, folder: Path) -> Self:
        """The state of the stack that runs on the folder. Raises NoStackError."""
        if not FolderLock(folder).is_held():
            raise NoStackError(f"no stack runs on {folder}; start one with `make dev`")
        try:
            text = (folder / STATE_FILE).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise NoStackError(f"the stack on {folder} is still starting; try again in a moment") from None
        return cls(**json.loads(text))


class FolderLock:
    """Holds a data folder for one stack at a time; the system releases it however the holder ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor = -1

    def __enter__(self) -> Self:
        """Take the folder. Raises InUseError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self._folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        if not self._take():
            os.close(self._descriptor)
            raise InUseError(f"another stack runs on {self._folder}; stop it, or choose another --data-dir")
        return self

    def __exit__(self, *_: object) -> None:
        """Give the folder back."""
        os.close(self._descriptor)

    def is_held(self) -> bool:
        """Whether a stack runs on the folder now."""
        try:
            descriptor = os.open(self._folder / _LOCK_FILE, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            return not _try_lock(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)

    def _take(self) -> bool:
        """A few tries: somebody may be looking at this very moment."""
        for _ in range(_TRIES):
            if _try_lock(self._descriptor, fcntl.LOCK_EX):
                return True
            time.sleep(_TRY_AGAIN_SECONDS)
        return False


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(FolderLock(Path(".nightjar")).is_held())
