"""Starts the replica as a process of its own, and speaks to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast
from urllib.parse import urlencode, urlsplit

from tests.doubles.process import ControlCalls, Json, ReplicaError, ReplicaProcess
from tests.doubles.web.canary import canary_addresses

__all__ = ["ControlClient", "Json", "ReplicaError", "WebReplica"]


class ControlClient(ControlCalls):
    """The control API as methods. Synchronous; every call has a time limit."""

    def requests(self, **filters: object) -> list[Json]:
        """Requests in order of arrival whose fields equal the filters (`site`, `path`, `path_prefix`, `after_seq`...).

        Each has `monotonic` and `finished_monotonic` (seconds), `in_flight` at its arrival, `headers`, `user_agent`.
        """
        query = urlencode({name: str(value) for name, value in filters.items()})
        return cast("list[Json]", self._call("GET", f"/requests?{query}"))

    def canary_hits(self) -> list[Json]:
        """Every connection to the canary: `monotonic, family, line`."""
        return cast("list[Json]", self._call("GET", "/canary"))

    def robots(self, host: str, variant: str) -> None:
        """Chooses the robots.txt of a host, one of its `Site.robots`."""
        self._call("PUT", "/robots", {"host": host, "variant": variant})

    def delay(self, host: str, seconds: float) -> None:
        """Every answer of the host takes so much longer."""
        self._call("PUT", "/delay", {"host": host, "seconds": seconds})

    def trouble(self, host: str, *, status: int, requests: int, retry_after: str = "") -> None:
        """The next requests for pages of the host get this status instead."""
        given = {"host": host, "status": status, "requests": requests, "retry_after": retry_after}
        self._call("PUT", "/trouble", given)

    def reset(self) -> None:
        """Back to the start: empty log, no hits, no troubles, the usual robots.txt."""
        self._call("POST", "/reset", {})


class WebReplica(ReplicaProcess):
    """The replica as a process: `with WebReplica() as web:`. It ends with the process that started it."""

    def __init__(self, *arguments: str) -> None:
        super().__init__("tests.doubles.web", *arguments)

    def url(self, host: str, target: str = "/") -> str:
        """The real address of a target of a host."""
        return self.urls[host] + target

    def target(self, host: str, url: str) -> str:
        """An address as truth words it: path and query within the host, `http://NAME.replica/...` of another."""
        if url.startswith(self.urls[host] + "/"):
            return url.removeprefix(self.urls[host])
        return self.whole_target(url)

    def whole_target(self, url: str) -> str:
        """An address as truth words it for the scope `site`: `http://NAME.replica/...`."""
        for name, origin in self.urls.items():
            if url.startswith(origin + "/"):
                return f"http://{name}.replica{url.removeprefix(origin)}"
        return url

    def targets(self, host: str, urls: Iterable[str]) -> frozenset[str]:
        """The same for many."""
        return frozenset(self.target(host, url) for url in urls)

    @property
    def origins(self) -> list[str]:
        """The origins that a crawl may be allowed to reach: all but the canary's and the control port's."""
        return [origin for name, origin in self.urls.items() if name not in {"canary", "control"}]

    @property
    def canary_addresses(self) -> dict[str, str]:
        """Every spelling of an address that must not be reached."""
        return canary_addresses(urlsplit(self.urls["canary"]).port or 0)

    @property
    def control(self) -> ControlClient:
        """A client of the control API."""
        return ControlClient(self.urls["control"])
