"""The state of the running replica: its log, what the control port has set, and what the canary counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.doubles.request_log import LoggedRequest, RequestLog
from tests.doubles.web.page import Page, Robots
from tests.doubles.web.sites import SITES


@dataclass(slots=True, kw_only=True)
class Entry(LoggedRequest):
    """One request. `in_flight` counts the host's unanswered requests at its arrival, itself included."""

    in_flight: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    finished_monotonic: float | None = None


@dataclass(slots=True, kw_only=True)
class Trouble:
    """What the next requests to a host get instead of their page."""

    status: int
    requests: int
    retry_after: str = ""


@dataclass(slots=True, kw_only=True)
class CanaryHit:
    """One connection to the canary: when, from which family, and the first line that was said."""

    monotonic: float
    family: str
    line: str = ""


@dataclass(slots=True)
class Stage:
    """All of it."""

    urls: dict[str, str] = field(default_factory=dict)
    log: RequestLog = field(default_factory=lambda: RequestLog(Entry))
    in_flight: Counter[str] = field(default_factory=Counter)
    canary_hits: list[CanaryHit] = field(default_factory=list)
    robots: dict[str, str] = field(default_factory=dict)
    delays: dict[str, float] = field(default_factory=dict)
    troubles: dict[str, Trouble] = field(default_factory=dict)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)

    def robots_of(self, host: str) -> Robots:
        """The robots.txt that a host has now."""
        return SITES[host]().robots[self.robots.get(host, "default")]

    def set_robots(self, host: str, variant: str) -> None:
        """Chooses a variant of a host's robots.txt. Raises ValueError if there is no such variant."""
        known = SITES[host]().robots
        if variant not in known:
            raise ValueError(f"{host} has no robots.txt {variant!r}; known: {sorted(known)}")
        self.robots[host] = variant

    def trouble_of(self, host: str) -> Trouble | None:
        """The trouble that this request meets, if any; it is then used up by one."""
        trouble = self.troubles.get(host)
        if trouble is None or trouble.requests < 1:
            return None
        trouble.requests -= 1
        return trouble

    def status_of(self, host: str, target: str, page: Page) -> int:
        """The status of this answer: pages may begin with others."""
        turn = self.asked[host, target]
        self.asked[host, target] += 1
        return page.first_statuses[turn] if turn < len(page.first_statuses) else page.status

    def reset(self) -> None:
        """Back to the start, with an empty log."""
        self.log.clear()
        self.canary_hits.clear()
        for chosen in (self.robots, self.delays, self.troubles, self.asked):
            chosen.clear()
