"""The state of a running replica, and the one way from a request to a reply."""

from __future__ import annotations

import gzip
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from typing import Final

from tests.doubles.naver.exchange import SITES, Ask, Options, Scene
from tests.doubles.naver.faults import FaultBoard, Situation, replacement
from tests.doubles.naver.log import Entry
from tests.doubles.naver.pages import api, blog, cafe, graphql, hosts, map_page, place, search, short
from tests.doubles.naver.rate import RateJudge
from tests.doubles.naver.scenario import Scenario
from tests.doubles.naver.world import World
from tests.doubles.reply import Reply
from tests.doubles.request_log import RequestLog

DESIGNS: Final = ("old", "new", "mutated")
_KOREA: Final = timezone(timedelta(hours=9))
_CACHED_SITES: Final = frozenset({"search", "search_more", "mobile_search", "place", "pcplace", "place_graphql"})
_CACHE_BYTES: Final = 64 * 2**20
_WORTH_PACKING: Final = 1024

_ANSWERS: Final[dict[str, Callable[[Ask, Scene], Reply]]] = {
    "search": search.answer_pc,
    "search_more": search.answer_more,
    "mobile_search": search.answer_mobile,
    "place": place.answer,
    "pcplace": place.answer,
    "place_graphql": graphql.answer,
    "map": map_page.answer,
    "cafe": cafe.cafe_host,
    "short": short.answer,
    "api": api.answer,
    "ader": hosts.answer_ader,
    "nid": hosts.answer_nid,
}


@dataclass(frozen=True, slots=True)
class Packed:
    """A reply and its body compressed with gzip (None where it is too short to gain)."""

    reply: Reply
    packed: bytes | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is to be sent, and the fault behind it ("" for the usual reply). `delay` is in seconds."""

    answer: Packed
    fault: str = ""
    delay: float = 0.0


class Stage:
    """Everything that the control API can change. `urls` is filled in once the ports are known."""

    def __init__(self, seed: int, scenario: Scenario) -> None:
        self.urls: dict[str, str] = {}
        self.world = World(seed, scenario)
        self.fixed_day: date | None = None
        self.designs = dict.fromkeys(SITES, "new")
        self.options = Options()
        self.faults = FaultBoard()
        self.rate = RateJudge()
        self.log = RequestLog(Entry)
        self.quota = api.Quota()
        self._cache: OrderedDict[object, Packed] = OrderedDict()
        self._cached_bytes = 0

    @property
    def day(self) -> date:
        """The day that the pages show: the one that was set, else today in Korea."""
        return self.fixed_day or datetime.now(_KOREA).date()

    def put_scenario(self, scenario: Scenario) -> None:
        """Shows another world from now on."""
        self.world = World(self.world.seed, scenario)
        self.forget_pages()

    def forget_pages(self) -> None:
        """Empties the cache of rendered pages; needed after any change that a page can show."""
        self._cache.clear()
        self._cached_bytes = 0

    def respond(self, ask: Ask, client: str) -> Outcome:
        """The reply to a request, with the faults and the rate rule that are in force."""
        scene = self._scene(ask)
        fault = self.faults.match(ask, scene.day.isoformat()) or self.rate.judge(ask, client, time.monotonic())
        if fault is None:
            return Outcome(self._usual(ask, scene))
        if fault.id == "SHORT":
            scene = replace(scene, short=True, short_drops_next=fault.drops_next)
        usual = self._usual(ask, scene)
        if fault.id in ("SHORT", "SLOW"):
            return Outcome(usual, fault.id, fault.delay if fault.id == "SLOW" else 0.0)
        return Outcome(_pack(replacement(Situation(fault, ask, scene, client, usual.reply))), fault.id)

    def _scene(self, ask: Ask) -> Scene:
        return Scene(
            world=self.world, day=self.day, urls=self.urls, design=self.designs[ask.site], options=self.options
        )

    def _usual(self, ask: Ask, scene: Scene) -> Packed:
        if ask.path == "/robots.txt":
            return Packed(hosts.robots(ask), None)
        if (
            ask.site == "api"
            and api.is_counted(ask)
            and not self.quota.take(scene.day.isoformat(), scene.options.api_quota)
        ):
            return Packed(api.over_quota(ask), None)
        if ask.site not in _CACHED_SITES:
            return _pack(_ANSWERS[ask.site](ask, scene))
        return self._cached(ask, scene)

    def _cached(self, ask: Ask, scene: Scene) -> Packed:
        sent = ask.headers.get(blog.QUERY_INFO.lower(), "")
        asked = (ask.site, ask.method, ask.path, ask.raw_query, ask.body, ask.is_mobile, sent)
        key = (*asked, scene.day, scene.design, scene.short, scene.short_drops_next)
        found = self._cache.get(key)
        if found is None:
            found = self._cache[key] = _pack(_ANSWERS[ask.site](ask, scene))
            self._cached_bytes += _size(found)
            while self._cached_bytes > _CACHE_BYTES:
                self._cached_bytes -= _size(self._cache.popitem(last=False)[1])
        else:
            self._cache.move_to_end(key)
        return found


def _pack(reply: Reply) -> Packed:
    worth = len(reply.body) >= _WORTH_PACKING and reply.drop_after is None
    return Packed(reply, gzip.compress(reply.body, compresslevel=1, mtime=0) if worth else None)


def _size(packed: Packed) -> int:
    return len(packed.reply.body) + len(packed.packed or b"")
