"""The request log of a replica: what arrived, when, and how it was answered, for tests that count or space requests."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from tests.doubles.ask import BaseAsk

_KEPT: Final = 200_000


@dataclass(slots=True, kw_only=True)
class LoggedRequest:
    """What every replica notes of a request. Times are seconds: of the wall clock, and `monotonic` of arrival.

    `status` and `finished_at` are None while the reply is being made; a dropped connection has status 0.
    """

    seq: int = 0
    site: str
    host_port: str
    method: str
    path: str
    query: str
    kind: str
    user_agent: str
    started_at: float = field(default_factory=time.time)
    monotonic: float = field(default_factory=time.monotonic)
    status: int | None = None
    fault: str = ""
    finished_at: float | None = None

    def close(self, status: int, fault: str = "") -> None:
        """Notes how the request was answered."""
        self.status, self.fault, self.finished_at = status, fault, time.time()


def usual_fields(ask: BaseAsk, host_port: str, kind: str) -> dict[str, Any]:
    """The fields of an entry that come from the request itself."""
    return {
        "site": ask.site,
        "host_port": host_port,
        "method": ask.method,
        "path": ask.path,
        "query": ask.raw_query,
        "kind": kind,
        "user_agent": ask.user_agent,
    }


class RequestLog:
    """The last 200,000 requests, in order of arrival. `entry` is the type of all of them."""

    def __init__(self, entry: type[LoggedRequest]) -> None:
        self._fields = {item.name for item in fields(entry)}
        self._entries: deque[LoggedRequest] = deque(maxlen=_KEPT)
        self._seq = 0

    def add(self, entry: LoggedRequest) -> None:
        """Notes the arrival of a request and numbers it."""
        self._seq += 1
        entry.seq = self._seq
        self._entries.append(entry)

    def clear(self) -> None:
        """Forgets all requests."""
        self._entries.clear()

    def select(self, filters: dict[str, str]) -> list[dict[str, Any]]:
        """Entries whose fields equal the filters; `path_prefix` and `after_seq` are special.

        Raises ValueError for a filter that is no field.
        """
        exact = dict(filters)
        prefix = exact.pop("path_prefix", "")
        after = int(exact.pop("after_seq", "0"))
        unknown = set(exact) - self._fields
        if unknown:
            raise ValueError(
                f"unknown filters {sorted(unknown)}; known: {sorted(self._fields)}, path_prefix, after_seq"
            )
        return [
            asdict(entry)
            for entry in self._entries
            if entry.seq > after
            and entry.path.startswith(prefix)
            and all(str(getattr(entry, name)) == value for name, value in exact.items())
        ]
