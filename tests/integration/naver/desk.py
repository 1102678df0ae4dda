"""A desk to read ranks at: the real fetcher, the real browser and the sources, against a running replica."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from crawl_worker.engine.browser import Browser, BrowserProfile
from crawl_worker.engine.fetcher import PoliteFetcher
from crawl_worker.engine.http import HttpClient
from crawl_worker.engine.politeness import blocking_host
from crawl_worker.engine.settings import EngineSettings
from crawl_worker.sites.naver.settings import NaverSettings
from crawl_worker.sites.naver.sources import rank_sources
from nightjar.application.rank_checking import keys_of
from nightjar.domain.naver_link import ShortLink
from nightjar.domain.rank import Reading, judge
from nightjar.domain.target import Target
from nightjar.domain.target_url import parse_target
from nightjar.domain.tracking import Device, Location, RankType, Search, Source
from nightjar.errors import Blocked, EndInDoubt, HostBusy
from tests.doubles.naver.replica import Json, Replica

DEPTHS = {RankType.PLACE: 300, RankType.BLOG: 100, RankType.CAFE: 100}
USUAL_DEVICE = {RankType.PLACE: Device.MOBILE, RankType.BLOG: Device.PC, RankType.CAFE: Device.PC}
ENGINE = EngineSettings(timeout=timedelta(seconds=4))
_PASTED = {"place": "https://m.place.naver.com/place/{}", "blog": "https://blog.naver.com/{}"} | {
    "cafe": "https://cafe.naver.com/{}"
}


@dataclass
class OneAtATime:
    """A gate without pauses that notes every hold, and refuses to hold a host twice at once.

    `cooling` are hosts that a block closed to the scripts of pages; holds it does not refuse.
    """

    held: set[str] = field(default_factory=set)
    holds: list[str] = field(default_factory=list)
    cooling: set[str] = field(default_factory=set)

    async def refuse_cooling(self, host: str) -> None:
        if host in self.cooling:
            raise HostBusy(host, not_before=datetime.now(UTC) + timedelta(minutes=5))

    @asynccontextmanager
    async def hold(self, host: str, *, budget: timedelta) -> AsyncIterator[None]:
        assert budget > timedelta(0)
        assert host not in self.held, f"{host} was asked twice at the same time"
        self.held.add(host)
        self.holds.append(host)
        try:
            yield
        except Blocked as block:
            self.cooling |= {blocking_host(block) or host}
            raise
        finally:
            self.held.remove(host)


@dataclass
class Desk:
    """Reads as a worker does. `environment` is the replica's settings."""

    environment: Mapping[str, str]
    http: HttpClient
    browser: Browser
    gate: OneAtATime = field(default_factory=OneAtATime)

    async def reading(
        self,
        search: Search,
        wanted: Sequence[Target] = (),
        *,
        depth: int | None = None,
        source: Source = Source.PAGE,
        settings: Mapping[str, str] | None = None,
        seen_end: int | None = None,
    ) -> Reading:
        """What one attempt at a search reads; `settings` take the place of the replica's."""
        naver = NaverSettings.from_environment({**self.environment, **(settings or {})})
        fetcher = PoliteFetcher(self.gate, self.http, self.browser, profile=BrowserProfile(user_agent="desk"))
        sources = rank_sources(naver, fetcher, (), sources={search.rank_type: source})
        return await sources[search.rank_type].read(
            search, wanted=wanted, depth=depth or DEPTHS[search.rank_type], seen_end=seen_end
        )

    async def confirmed(
        self, search: Search, wanted: Sequence[Target] = (), *, source: Source = Source.PAGE, settled_in: int = 2
    ) -> Reading:
        """The reading of a search whose end is in doubt at first: so many attempts at most, one after the other."""
        seen_end = None
        for _ in range(settled_in - 1):
            try:
                return await self.reading(search, wanted, source=source, seen_end=seen_end)
            except EndInDoubt as doubt:
                seen_end = doubt.rows
        return await self.reading(search, wanted, source=source, seen_end=seen_end)

    async def results(
        self, search: Search, targets: Sequence[Target], *, source: Source = Source.PAGE
    ) -> list[dict[str, object]]:
        """What would be stored of each target, out of one reading, in the words of the replica's truth."""
        reading = await self.confirmed(search, targets, source=source)
        return [in_words_of_truth(reading, target, depth=DEPTHS[search.rank_type]) for target in targets]


def in_words_of_truth(reading: Reading, target: Target, *, depth: int) -> dict[str, object]:
    """Outcome, rank and rows read. For a target that was met its rank stands in: others may have been sought longer."""
    result = judge(1, keys_of(target, reading.same_cafe), reading, depth=depth)
    return {"outcome": str(result.outcome), "rank": result.rank, "checked_count": result.rank or result.checked_count}


def truths(replica: Replica, search: Search, keys: Sequence[str], **view: object) -> list[dict[str, object]]:
    """What the replica knows of targets by their keys."""
    given: Json = {"rank_type": search.rank_type, "keyword": search.keyword, "device": search.device, **view}
    given["depth"] = DEPTHS[search.rank_type]
    if search.rank_type is RankType.PLACE:
        given["vertical"] = search.vertical
    if search.location is not None:
        given |= {"x": search.location.x, "y": search.location.y}
    answers = replica.control.truths([{**given, "target": key} for key in keys])
    return [{name: answer[name] for name in ("outcome", "rank", "checked_count")} for answer in answers]


def a_search(
    rank_type: str,
    keyword: str,
    *,
    device: Device | None = None,
    vertical: str = "place",
    location: Location | None = None,
) -> Search:
    """A search as a tracking has it."""
    kind = RankType(rank_type)
    return Search(
        rank_type=kind,
        keyword=keyword,
        device=device or USUAL_DEVICE[kind],
        vertical=vertical if kind is RankType.PLACE else None,
        location=location,
    )


def a_target(rank_type: str, pasted: str) -> Target:
    """The target of a pasted link, or of a key of the replica."""
    text = pasted if "://" in pasted else _PASTED[rank_type].format(pasted)
    target = parse_target(RankType(rank_type), text)
    assert not isinstance(target, ShortLink)
    return target
