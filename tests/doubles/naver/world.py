"""The truth of the replica: which rows a list holds, in which order, on which day. Pure and seeded; no clock.

The walk of a target, the order of strangers and the effect of device, vertical and coordinates are invented; what a
list may contain (repeats, other hosts, rows without an id, adverts that copy a tracked row) is known of the real site.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from random import Random
from typing import Final, Literal

from tests.doubles.naver import identities, rows
from tests.doubles.naver.rows import SIBLING, TARGET, Row, Spot
from tests.doubles.naver.scenario import Advert, Keyword, RankType, Scenario
from tests.doubles.naver.walk import rank_on
from tests.doubles.seeded import number

CARDS_PER_PAGE: Final = 30
DEFAULT_DEVICE: Final[dict[RankType, str]] = {"place": "mobile", "blog": "pc", "cafe": "pc"}
_REPEATS: Final = {6: 2, 33: 20}
"""After which row (zero-based) which earlier one is listed again."""
_SPREAD: Final = {"page": 7, "api": 40}
"""How far strangers change places from day to day."""
_REMEMBERED: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One list as one reader sees it. Everything here changes the order."""

    rank_type: RankType
    keyword: str
    day: date
    device: str = ""
    vertical: str = ""
    x: float | None = None
    y: float | None = None
    source: Literal["page", "api"] = "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a faultless reader must find: the rank, or the distinct organic rows that were there to be read."""

    outcome: Literal["exposed", "not_exposed"]
    rank: int | None
    checked_count: int
    reachable: int


class World:
    """All lists of one seed and scenario."""

    def __init__(self, seed: int, scenario: Scenario) -> None:
        self.seed = seed
        self.scenario = scenario
        self._keywords = {(item.rank_type, item.keyword): item for item in scenario.keywords}
        self._targets = {target.key: target for item in scenario.keywords for target in item.targets}
        self.order = lru_cache(_REMEMBERED)(self._order)
        self.loads = lru_cache(_REMEMBERED)(self._loads)
        self._stranger_keys = lru_cache(_REMEMBERED)(self._make_stranger_keys)

    def keyword(self, rank_type: RankType, keyword: str) -> Keyword:
        """The scripted keyword, or an invented list of 60 to 199 rows for one that no scenario names."""
        found = self._keywords.get((rank_type, keyword))
        if found is not None:
            return found
        return Keyword(rank_type=rank_type, keyword=keyword, rows=60 + number(self.seed, "rows", keyword) % 140)

    def organic(self, view: View, start: int = 1, count: int | None = None) -> tuple[Row, ...]:
        """Organic rows of a list without repeats, `count` (or all) from row `start` (1-based)."""
        end = None if count is None else start - 1 + count
        return tuple(self._row(view, spot) for spot in self.order(view)[start - 1 : end])

    def place_rows(self, view: View, start: int, count: int) -> tuple[Row, ...]:
        """Rows of a place list in document order, repeats included, adverts not."""
        return tuple(self._row(view, spot) for spot in self._place_cards(view)[start - 1 : start - 1 + count])

    def place_length(self, view: View) -> int:
        """Rows that a place list has, repeats included."""
        return len(self._place_cards(view))

    def page_count(self, view: View) -> int:
        """Loads of a blog or cafe list until it is over; 0 where there are no results."""
        return len(self.loads(view))

    def page(self, view: View, number_: int) -> tuple[Row, ...]:
        """The cards of a load (1-based) of a blog or cafe list: organic, repeated, and adverts."""
        cards = [self._row(view, spot) for spot in self.loads(view)[number_ - 1]]
        for before, advert in sorted(self.adverts(view, number_), key=lambda item: item[0], reverse=True):
            if before <= len(cards):
                cards.insert(before - 1, advert)
        return tuple(cards)

    def adverts(self, view: View, page: int) -> tuple[tuple[int, Row], ...]:
        """Adverts of a page (1-based), each with the 1-based number of the card before which it stands."""
        keyword = self.keyword(view.rank_type, view.keyword)
        if not keyword.rows:
            return ()
        chosen = _usual_adverts(keyword, page) if keyword.adverts is None else keyword.adverts
        return tuple((advert.before, self._advert(view, keyword, advert)) for advert in chosen if advert.page == page)

    def shop(self, key: str, vertical: str) -> identities.Shop:
        """The shop behind a place id."""
        target = self._targets.get(key)
        return identities.shop(self.seed, key, vertical, target.name if target else "")

    def truth(self, view: View, target_key: str, depth: int) -> Truth:
        """The rank of a target by the counting rule, within `depth` distinct organic rows.

        A cafe key may carry the club id in place of the slug; a blog key without a post number means any post.
        """
        wanted = target_key.lower() if view.rank_type == "blog" else target_key
        order = self.order(view)
        seen: set[str] = set()
        rank = 0
        for key, _ in order:
            if key and key in seen:
                continue
            if rank == depth:
                break
            seen.add(key)
            rank += 1
            if self._is_target(view.rank_type, key, wanted):
                return Truth(outcome="exposed", rank=rank, checked_count=rank, reachable=len(order))
        return Truth(outcome="not_exposed", rank=None, checked_count=rank, reachable=len(order))

    def _is_target(self, rank_type: RankType, key: str, wanted: str) -> bool:
        key = key.lower() if rank_type == "blog" else key
        if rank_type == "blog" and "/" not in wanted:
            return key.split("/", maxsplit=1)[0] == wanted
        if rank_type == "cafe" and wanted.split("/", maxsplit=1)[0].isdecimal():
            slug, article = key.split("/")
            return wanted == f"{identities.cafe(self.seed, slug).club_id}/{article}"
        return bool(key) and key == wanted

    def _order(self, view: View) -> tuple[Spot, ...]:
        keyword = self.keyword(view.rank_type, view.keyword)
        placed = self._placed(view, keyword)
        strangers = iter(self._strangers(view, keyword))
        length = keyword.rows if view.source == "api" else keyword.reachable
        return tuple(placed.get(rank) or next(strangers) for rank in range(1, length + 1))

    def _placed(self, view: View, keyword: Keyword) -> dict[int, Spot]:
        shift = self._shift(view, keyword)
        placed: dict[int, Spot] = {}
        for target in keyword.targets:
            rank = rank_on(self.seed, keyword.keyword, target, view.day, shift)
            if rank is not None:
                placed[_free(placed, rank)] = Spot(target.key, TARGET)
        if keyword.targets and keyword.has_trap("sibling_post"):
            rank = 2 + number(self.seed, "sibling", keyword.keyword, view.day) % 3
            placed[_free(placed, rank)] = Spot(rows.sibling_key(keyword.targets[0].key), SIBLING)
        return placed

    def _strangers(self, view: View, keyword: Keyword) -> list[Spot]:
        drawn = Random(number(self.seed, "order", keyword.keyword, self._context(view, keyword), view.day))
        spread = _SPREAD[view.source]
        places = [index + int(drawn.random() * spread) for index in range(keyword.rows)]
        keys = self._stranger_keys(keyword.rank_type, keyword.keyword)
        return [Spot(keys[index], index) for index in sorted(range(keyword.rows), key=places.__getitem__)]

    def _make_stranger_keys(self, rank_type: RankType, name: str) -> tuple[str, ...]:
        keyword = self.keyword(rank_type, name)
        return tuple(rows.stranger_key(self.seed, keyword, index) for index in range(keyword.rows))

    def _context(self, view: View, keyword: Keyword) -> str:
        """What sets this view apart from the usual one of its keyword; "" for the usual one."""
        differences = []
        if view.device not in ("", DEFAULT_DEVICE[view.rank_type]):
            differences.append(view.device)
        if view.rank_type == "place" and view.vertical not in ("", keyword.vertical):
            differences.append(view.vertical)
        if view.x is not None and view.y is not None:
            differences.append(f"{view.x:.4f},{view.y:.4f}")
        if view.source == "api":
            differences.append("api")
        return "|".join(differences)

    def _shift(self, view: View, keyword: Keyword) -> int:
        context = self._context(view, keyword)
        return 1 + number(self.seed, "shift", keyword.keyword, context) % 6 if context else 0

    def _row(self, view: View, spot: Spot) -> Row:
        keyword = self.keyword(view.rank_type, view.keyword)
        match view.rank_type:
            case "place":
                shop = self.shop(spot.key, view.vertical or keyword.vertical)
                return rows.place_row(self.seed, shop, spot, view.day)
            case "cafe":
                return rows.cafe_row(self.seed, keyword, spot, view.day)
            case "blog":
                return rows.blog_row(self.seed, keyword, spot, view.day)

    def _advert(self, view: View, keyword: Keyword, advert: Advert) -> Row:
        stranger = 10_000 + advert.page * 100 + advert.before
        key = advert.target or rows.stranger_key(self.seed, keyword, stranger)
        return rows.as_advert(self._row(view, Spot(key, stranger)), advert)

    def _place_cards(self, view: View) -> tuple[Spot, ...]:
        order = self.order(view)
        return _with_repeats(order) if self.keyword("place", view.keyword).has_trap("repeated_row") else order

    def _loads(self, view: View) -> tuple[tuple[Spot, ...], ...]:
        """Blog and cafe: the organic cards of every load, with repeats and up to two cards of the load before."""
        cards = self.order(view)
        if self.keyword(view.rank_type, view.keyword).has_trap("duplicate_post"):
            cards = _with_repeats(cards)
        loads: list[tuple[Spot, ...]] = []
        cursor = 0
        while cursor < len(cards):
            overlap = number(self.seed, "overlap", view.keyword, len(loads)) % 3 if loads else 0
            load = cards[cursor - overlap : cursor - overlap + CARDS_PER_PAGE]
            cursor += len(load) - overlap
            loads.append(load)
        return tuple(loads)


def _usual_adverts(keyword: Keyword, page: int) -> tuple[Advert, ...]:
    copied = keyword.targets[0].key if keyword.targets else ""
    if page > 1:
        return (Advert(before=5, page=page),)
    match keyword.rank_type:
        case "blog":
            direct = Advert(before=16, target=copied, style="direct")
            return (Advert(before=1, target=copied), Advert(before=9), direct)
        case "cafe":
            return (Advert(before=1, target=copied), Advert(before=12, target=copied, style="direct"))
        case "place":
            return (Advert(before=1, target=copied), Advert(before=1), Advert(before=9, target=copied))


def _with_repeats(order: tuple[Spot, ...]) -> tuple[Spot, ...]:
    cards: list[Spot] = []
    for index, spot in enumerate(order):
        cards.append(spot)
        if index in _REPEATS:
            cards.append(order[_REPEATS[index]])
    return tuple(cards)


def _free(placed: dict[int, Spot], rank: int) -> int:
    while rank in placed:
        rank += 1
    return rank
