"""The request log: what arrived, when, and how it was answered, for tests that count requests or their spacing."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Final

from tests.doubles.naver.exchange import Ask
from tests.doubles.naver.scenario import Json

_KEPT: Final = 200_000


@dataclass(slots=True)
class Entry:
    """One request. Times are seconds: `started_at` and `finished_at` of the wall clock, `monotonic` of arrival.

    `status` and `finished_at` are None while the reply is being made; a dropped connection has status 0.
    """

    seq: int
    site: str
    host_port: str
    method: str
    path: str
    query: str
    keyword: str
    step: int
    kind: str
    user_agent: str
    started_at: float
    monotonic: float
    day: str
    status: int | None = None
    fault: str = ""
    finished_at: float | None = None


class RequestLog:
    """The last 200,000 requests, in order of arrival."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_KEPT)
        self._seq = 0

    def open(self, ask: Ask, host_port: str, day: str) -> Entry:
        """Notes the arrival of a request."""
        self._seq += 1
        entry = Entry(
            seq=self._seq,
            site=ask.site,
            host_port=host_port,
            method=ask.method,
            path=ask.path,
            query=ask.raw_query,
            keyword=ask.keyword,
            step=ask.step,
            kind=ask.kind,
            user_agent=ask.user_agent,
            started_at=time.time(),
            monotonic=time.monotonic(),
            day=day,
        )
        self._entries.append(entry)
        return entry

    def clear(self) -> None:
        """Forgets all requests."""
        self._entries.clear()

    def select(self, filters: dict[str, str]) -> list[Json]:
        """Entries whose fields equal the filters; `path_prefix` and `after_seq` are special.

        Raises ValueError for a filter that is no field.
        """
        exact = dict(filters)
        prefix = exact.pop("path_prefix", "")
        after = int(exact.pop("after_seq", "0"))
        unknown = set(exact) - set(Entry.__slots__)
        if unknown:
            raise ValueError(
                f"unknown filters {sorted(unknown)}; known: {sorted(Entry.__slots__)}, path_prefix, after_seq"
            )
        return [
            asdict(entry)
            for entry in self._entries
            if entry.seq > after
            and entry.path.startswith(prefix)
            and all(str(getattr(entry, name)) == value for name, value in exact.items())
        ]
