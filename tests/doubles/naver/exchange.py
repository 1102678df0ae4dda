"""A request, and what a page may know: the values that every page function works on, besides the reply it makes."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Final, cast
from urllib.parse import unquote

from tests.doubles.ask import BaseAsk
from tests.doubles.naver.scenario import Json
from tests.doubles.naver.world import World

SITES: Final[dict[str, str]] = {
    "search": "NAVER_SEARCH_URL",
    "search_more": "NAVER_SEARCH_MORE_URL",
    "mobile_search": "NAVER_MOBILE_SEARCH_URL",
    "place": "NAVER_PLACE_URL",
    "pcplace": "NAVER_PCPLACE_URL",
    "place_graphql": "NAVER_PLACE_GRAPHQL_URL",
    "map": "NAVER_MAP_URL",
    "cafe": "NAVER_CAFE_URL",
    "short": "NAVER_SHORT_URL",
    "api": "NAVER_API_URL",
    "ader": "REPLICA_ADER_URL",
    "nid": "REPLICA_NID_URL",
}
"""Site -> the name under which its base URL is announced."""

SCRIPT_HEADER: Final = "X-Replica-Script"
_MOBILE_AGENT: Final = re.compile(r"Mobile|Android|iPhone", re.IGNORECASE)
_STATIC_PATH: Final = re.compile(r"\.(?:ico|css|js|png|jpg|svg|woff2?)$")
_STATIC_DESTINATIONS: Final = frozenset({"image", "style", "script", "font", "manifest"})


@dataclass(frozen=True)
class Ask(BaseAsk):
    """One request, as far as the pages care."""

    @cached_property
    def keyword(self) -> str:
        """The searched keyword, in one spelling (NFC, single spaces); "" where there is none."""
        found = self.query.get("query", "") or _keyword_in_path(self) or _keyword_in_body(self)
        return " ".join(unicodedata.normalize("NFC", found).split())

    @cached_property
    def step(self) -> int:
        """Which load of a list this is, from 1: page 2 of an endless list is step 2."""
        if "page" in self.query and self.site == "search_more":
            return self.whole("page", 1)
        start = self.graphql_input.get("start") if self.graphql_input else self.whole("start", 1)
        display = self.graphql_input.get("display") if self.graphql_input else self.whole("display", 0)
        size = display if isinstance(display, int) and display > 0 else _USUAL_LOAD.get(self.site, 30)
        return 1 + (max(start, 1) - 1) // size if isinstance(start, int) else 1

    @cached_property
    def graphql_input(self) -> Json:
        """`variables.input` of the first GraphQL operation in the body, else {}."""
        operations = self.graphql_operations
        variables = cast("Json", operations[0].get("variables") or {}) if operations else {}
        return cast("Json", variables.get("input") or {})

    @cached_property
    def graphql_operations(self) -> list[Json]:
        """The operations of a GraphQL body, which may be one object or an array; [] for anything else."""
        if self.site != "place_graphql" or not self.body:
            return []
        try:
            document = json.loads(self.body)
        except ValueError:
            return []
        operations = document if isinstance(document, list) else [document]
        return [item for item in operations if isinstance(item, dict)]

    @property
    def is_mobile(self) -> bool:
        """Whether the User-Agent is that of a phone."""
        return bool(_MOBILE_AGENT.search(self.user_agent))

    @property
    def kind(self) -> str:
        """`page` for what a client starts, `xhr` for what a page's script or frame fetches, `static` for the rest."""
        destination = self.headers.get("sec-fetch-dest", "")
        if SCRIPT_HEADER.lower() in self.headers or self.method == "OPTIONS" or destination in ("iframe", "frame"):
            return "xhr"
        if destination in _STATIC_DESTINATIONS or _STATIC_PATH.search(self.path):
            return "static"
        return "page"

    def whole(self, name: str, default: int) -> int:
        """A whole number from the query, or the default where it is absent or something else."""
        value = self.query.get(name, "")
        return int(value) if value.isdecimal() else default

    def coordinate(self, name: str) -> float | None:
        """A coordinate from the query, None where it is absent or not a number."""
        try:
            return float(self.query[name])
        except (KeyError, ValueError):
            return None


_USUAL_LOAD: Final = {"place": 50, "pcplace": 70, "place_graphql": 50, "api": 10}


def _keyword_in_path(ask: Ask) -> str:
    parts = ask.path.split("/")
    found = ask.site == "map" and len(parts) > 3 and parts[1:3] == ["p", "search"]
    return unquote(parts[3]) if found else ""


def _keyword_in_body(ask: Ask) -> str:
    found = ask.graphql_input.get("query")
    return found if isinstance(found, str) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Behaviours of the real site that nobody could settle; the defaults are the more cautious reading.

    search_start: `start` on the www blog and cafe tabs is `ignored` or `honoured`. place_start: the same for place
    lists. query_info_header: whether the endless blog list answers only with the X-Prs-Query-Info header of the page.
    api_quota: calls a day that the official API accepts.
    """

    search_start: str = "ignored"
    place_start: str = "honoured"
    query_info_header: bool = True
    api_quota: int = 25_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a page function may know besides the request."""

    world: World
    day: date
    urls: Mapping[str, str]
    """Site -> base URL on this machine."""
    design: str = "new"
    options: Options = field(default_factory=Options)
    short: bool = False
    """Fault SHORT: give three rows where there should be a full load."""
    short_drops_next: bool = False
