"""What the request log notes of a request to this replica."""

from __future__ import annotations

from dataclasses import dataclass

from tests.doubles.request_log import LoggedRequest


@dataclass(slots=True, kw_only=True)
class Entry(LoggedRequest):
    """One request: besides the usual, what was searched, which load of the list it is, and the day that was shown."""

    keyword: str
    step: int
    day: str
