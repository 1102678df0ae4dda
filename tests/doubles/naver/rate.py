"""The rate rule: too many requests from one client in a window bring block pages for a while.

The figures are those that people measured from outside; they conflict, so all can be set. Off until a test turns it on.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, fields
from typing import Final

from tests.doubles.naver.exchange import Ask
from tests.doubles.naver.faults import Fault
from tests.doubles.naver.scenario import Json

_GROUPS: Final = {
    "search": "search",
    "search_more": "search",
    "mobile_search": "search",
    "place": "place",
    "pcplace": "place",
    "place_graphql": "place",
}
_FORGIVEN_AFTER: Final = 3600.0
"""Seconds after which an earlier breach is forgotten (invented)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRule:
    """More than `requests` in `window` seconds block for `block` seconds, again within an hour for `repeat_block`."""

    enabled: bool = False
    search_requests: int = 10
    search_window: float = 5.0
    place_requests: int = 5
    place_window: float = 10.0
    block: float = 8.0
    repeat_block: float = 1800.0

    @staticmethod
    def from_json(document: Json) -> RateRule:
        """Builds a rule. Raises ValueError for unknown or mistyped fields."""
        known = {item.name: type(item.default) for item in fields(RateRule)}
        for name, value in document.items():
            if name not in known or not isinstance(value, bool if known[name] is bool else int | float):
                raise ValueError(f"the rate rule has the fields {known}, got {name}={value!r}")
        return RateRule(**document)  # type: ignore[arg-type]


class RateJudge:
    """Applies the rule to each client and group of hosts. Only requests that a client starts are counted."""

    def __init__(self) -> None:
        self.rule = RateRule()
        self._seen: dict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._blocked_until: dict[tuple[str, str], float] = {}

    def set(self, rule: RateRule) -> None:
        """Takes a new rule and forgets all clients."""
        self.rule = rule
        self._seen.clear()
        self._blocked_until.clear()

    def judge(self, ask: Ask, client: str, now: float) -> Fault | None:
        """The block page that is due at the time `now` (seconds, monotonic), or None."""
        group = _GROUPS.get(ask.site)
        if not self.rule.enabled or group is None or ask.kind != "page":
            return None
        who = (group, client)
        until = self._blocked_until.get(who, 0.0)
        if now < until or self._breaks(who, now):
            return Fault(id="S403" if group == "search" else "P429", site=ask.site)
        return None

    def _breaks(self, who: tuple[str, str], now: float) -> bool:
        search = who[0] == "search"
        window = self.rule.search_window if search else self.rule.place_window
        allowed = self.rule.search_requests if search else self.rule.place_requests
        seen = self._seen[who]
        while seen and seen[0] <= now - window:
            seen.popleft()
        seen.append(now)
        if len(seen) <= allowed:
            return False
        earlier = self._blocked_until.get(who)
        again = earlier is not None and now - earlier < _FORGIVEN_AFTER
        self._blocked_until[who] = now + (self.rule.repeat_block if again else self.rule.block)
        seen.clear()
        return True
