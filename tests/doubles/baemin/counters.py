"""Counters, of each account and in all. Before the login nobody knows the account: such pages count in all only."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Final

from tests.doubles.control_port import Json

NAMES: Final = (
    "login_pages",
    "login_posts",
    "logins",
    "pages",
    "api_calls",
    "details",
    "blocks",
    "bridges",
    "expiries",
    "unsigned",
    "postponed",
)
"""Login pages, login posts that arrived, logins that gave a session, owner pages, signed API calls, detail calls among
them, requests of a blocked account, block screens shown, requests with a dead session, calls with a bad header, and
password changes put off."""


class Counters:
    """Counts by name."""

    def __init__(self) -> None:
        self._all: Counter[str] = Counter()
        self._accounts: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def count(self, name: str, login_id: str = "") -> None:
        """Counts one more."""
        self._all[name] += 1
        if login_id:
            self._accounts[login_id][name] += 1

    def as_json(self) -> Json:
        """`{"all": {name: n}, "accounts": {login_id: {name: n}}}`, every name in each."""
        return {"all": _full(self._all), "accounts": {name: _full(one) for name, one in self._accounts.items()}}

    def of(self, login_id: str) -> dict[str, int]:
        """The counts of one account."""
        return _full(self._accounts[login_id])

    def clear(self) -> None:
        """Back to zero."""
        self._all.clear()
        self._accounts.clear()


def _full(counts: Counter[str]) -> dict[str, int]:
    return {name: counts[name] for name in NAMES}
