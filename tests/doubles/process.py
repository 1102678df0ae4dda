"""A replica as a process of its own, and a client of its control port."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from types import TracebackType
from typing import Any, Final, Self

_ROOT: Final = Path(__file__).resolve().parents[2]
_READY_SECONDS: Final = 20.0
_STOP_SECONDS: Final = 5.0
_CALL_SECONDS: Final = 10.0

Json = dict[str, Any]


class ReplicaError(RuntimeError):
    """The replica did not start, or refused a control call; the message says why."""


class ControlCalls:
    """Calls of a control port. Synchronous; every call has a time limit."""

    def __init__(self, url: str) -> None:
        self.url = url

    def _call(self, method: str, path: str, document: Json | None = None) -> object:
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(self.url + path, data=body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_CALL_SECONDS) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            raise ReplicaError(f"{method} {path} was refused: {error.read().decode()}") from error


class ReplicaProcess:
    """`python -m MODULE` as a process, a context manager. It also ends when the process that started it is gone."""

    def __init__(self, module: str, *arguments: str, python: str = sys.executable) -> None:
        self._command = [python, "-m", module, "--parent", str(os.getpid()), *arguments]
        self._process: subprocess.Popen[str] | None = None
        self._announced: dict[str, str] = {}

    def start(self) -> Self:
        """Starts the process and waits until it listens. Raises ReplicaError after 20 seconds."""
        self._process = subprocess.Popen(self._command, cwd=_ROOT, stdout=subprocess.PIPE, text=True)
        lines: Queue[str] = Queue()
        Thread(target=_first_line, args=(self._process, lines), daemon=True).start()
        try:
            line = lines.get(timeout=_READY_SECONDS)
        except Empty:
            line = ""
        if not line:
            self.stop()
            raise ReplicaError(
                f"the replica announced nothing within {_READY_SECONDS:.0f} s; run it by hand: {self._command}"
            )
        self._announced = json.loads(line)
        return self

    def stop(self) -> None:
        """Stops the process, by force after five seconds."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process else None

    @property
    def urls(self) -> dict[str, str]:
        """Everything that was announced, the control URL included."""
        return dict(self._announced)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _first_line(process: subprocess.Popen[str], lines: Queue[str]) -> None:
    if process.stdout is not None:
        lines.put(process.stdout.readline())
