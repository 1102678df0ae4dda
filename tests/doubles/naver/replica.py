"""Starts the replica as a process of its own, and speaks to it."""

from __future__ import annotations

import sys
from typing import cast
from urllib.parse import urlencode

from tests.doubles.process import ControlCalls, Json, ReplicaError, ReplicaProcess

__all__ = ["ControlClient", "Json", "Replica", "ReplicaError"]


class ControlClient(ControlCalls):
    """The control API as methods. Synchronous; every call has a time limit."""

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


class Replica(ReplicaProcess):
    """The replica as a process: `with Replica() as replica:`. It also ends when the process that started it is gone."""

    def __init__(self, *arguments: str, python: str = sys.executable) -> None:
        super().__init__("tests.doubles.naver", *arguments, python=python)

    @property
    def settings(self) -> dict[str, str]:
        """Environment for the product: `NAVER_*_URL`, the API keys, and sources `page` for all three types.

        A test that wants the API sets `NAVER_BLOG_SOURCE` and `NAVER_CAFE_SOURCE` over it.
        """
        sources = {f"NAVER_{name}_SOURCE": "page" for name in ("BLOG", "CAFE", "PLACE")}
        return {name: value for name, value in self.urls.items() if name.startswith("NAVER_")} | sources

    @property
    def control(self) -> ControlClient:
        """A client of the control API."""
        return ControlClient(self.urls["CONTROL_URL"])
