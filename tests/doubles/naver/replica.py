"""Starts the replica as a process of its own, and speaks to it."""

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
from typing import Any, Final, Self, cast
from urllib.parse import urlencode

_ROOT: Final = Path(__file__).resolve().parents[3]
_READY_SECONDS: Final = 20.0
_STOP_SECONDS: Final = 5.0
_CALL_SECONDS: Final = 10.0

Json = dict[str, Any]


class ReplicaError(RuntimeError):
    """The replica did not start, or refused a control call; the message says why."""


class ControlClient:
    """The control API as methods. Synchronous; every call has a time limit."""

    def __init__(self, url: str) -> None:
        self.url = url

    def set_day(self, day: object) -> None:
        """Shows the pages of a day (a date or YYYY-MM-DD); None is today in Korea."""
        self._call("PUT", "/day", {"day": None if day is None else str(day)})

    def fault(self, fault_id: str, **conditions: object) -> None:
        """Sets a fault; conditions are the fields of `faults.Fault`."""
        self._call("POST", "/faults", {"id": fault_id, **conditions})

    def faults(self) -> list[Json]:
        """The faults that are set, and how many requests met each."""
        return cast("list[Json]", self._call("GET", "/faults"))

    def clear_faults(self) -> None:
        """Removes all faults."""
        self._call("DELETE", "/faults")

    def design(self, version: str, site: str = "*") -> None:
        """Sets the design version of a site: old, new or mutated."""
        self._call("PUT", "/design", {"site": site, "version": version})

    def options(self, **options: object) -> None:
        """Sets behaviours that nobody could settle; those not named go back to their default."""
        self._call("PUT", "/options", options)

    def rate_rule(self, **rule: object) -> None:
        """Sets the rate rule and forgets its clients; `enabled=True` turns it on."""
        self._call("PUT", "/rate-rule", rule)

    def requests(self, **filters: object) -> list[Json]:
        """Requests in order of arrival whose fields equal the filters (`path_prefix` and `after_seq` too)."""
        query = urlencode({name: str(value) for name, value in filters.items()})
        return cast("list[Json]", self._call("GET", f"/requests?{query}"))

    def reset_log(self) -> None:
        """Forgets the requests."""
        self._call("POST", "/reset", {})

    def reset(self) -> None:
        """Back to the start: log, faults, designs, options, rate rule, day and quota. The scenario stays."""
        self._call("POST", "/reset", {"all": True})

    def put_scenario(self, scenario: Json, *, merge: bool = True) -> None:
        """Shows the keywords of a scenario: over those that are there, or in place of all."""
        self._call("POST" if merge else "PUT", "/scenario", scenario)

    def scenario(self) -> Json:
        """The scenario that is shown; `trackings` in it are worth registering."""
        return cast("Json", self._call("GET", "/scenario"))

    def truth(self, rank_type: str, keyword: str, target: str, **view: object) -> Json:
        """`{outcome, rank, checked_count, reachable}` for day, device, vertical, x, y, depth, source."""
        given = {"rank_type": rank_type, "keyword": keyword, "target": target, **view}
        return self.truths([given])[0]

    def truths(self, questions: list[Json]) -> list[Json]:
        """Many truths in one call."""
        items = [{name: str(value) for name, value in item.items() if value is not None} for item in questions]
        return cast("list[Json]", self._call("POST", "/truth", {"items": items}))

    def club_id(self, slug: str) -> str:
        """The numeric id of a cafe."""
        return str(cast("Json", self._call("GET", f"/cafe?{urlencode({'slug': slug})}"))["club_id"])

    def _call(self, method: str, path: str, document: Json | None = None) -> object:
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(self.url + path, data=body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_CALL_SECONDS) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            raise ReplicaError(f"{method} {path} was refused: {error.read().decode()}") from error


class Replica:
    """The replica as a process: `with Replica() as replica:`. It also ends when the process that started it is gone."""

    def __init__(self, *arguments: str, python: str = sys.executable) -> None:
        self._command = [python, "-m", "tests.doubles.naver", "--parent", str(os.getpid()), *arguments]
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
    def settings(self) -> dict[str, str]:
        """Environment for the product: `NAVER_*_URL`, the API keys, and sources `page` for all three types.

        A test that wants the API sets `NAVER_BLOG_SOURCE` and `NAVER_CAFE_SOURCE` over it.
        """
        sources = {f"NAVER_{name}_SOURCE": "page" for name in ("BLOG", "CAFE", "PLACE")}
        return {name: value for name, value in self._announced.items() if name.startswith("NAVER_")} | sources

    @property
    def urls(self) -> dict[str, str]:
        """Everything that was announced, the control URL included."""
        return dict(self._announced)

    @property
    def control(self) -> ControlClient:
        """A client of the control API."""
        return ControlClient(self._announced["CONTROL_URL"])

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _first_line(process: subprocess.Popen[str], lines: Queue[str]) -> None:
    if process.stdout is not None:
        lines.put(process.stdout.readline())
