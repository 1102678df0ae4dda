"""The truth of the replica: which rows a list holds, in which order, on which day. Pure and seeded; no clock.

The walk of a target, the order of strangers and the effect of device, vertical and coordinates are invented; what a
list may contain (repeats, other hosts, rows without an id, adverts that copy a tracked row) is known of the real site.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Final, Literal

from tests.doubles.naver import identities
from tests.doubles.naver.identities import number
from tests.doubles.naver.scenario import Advert, Keyword, RankType, Scenario, Target
from tests.doubles.naver.walk import rank_on

CARDS_PER_PAGE: Final = 30
DEFAULT_DEVICE: Final[dict[RankType, str]] = {"place": "mobile", "blog": "pc", "cafe": "pc"}
_REPEATS: Final = ((2, 6), (20, 33))
"""(row, after which row it is listed again), both zero-based."""


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
class Row:
    """One row of a list. `key` is the identity that counts; "" is a row whose id the page does not give."""

    role: Literal["organic", "advert"]
    key: str
    title: str
    text: str
    author: str
    url: str
    author_url: str
    written: date
    value: int
    related: tuple[str, ...] = ()
    through_redirect: bool = False
    style: str = ""


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
        self.organic = lru_cache(maxsize=1024)(self._organic)
        self.pages = lru_cache(maxsize=1024)(self._pages)

    def keyword(self, rank_type: RankType, keyword: str) -> Keyword:
        """The scripted keyword, or an invented list of 60 to 199 rows for one that no scenario names."""
        found = self._keywords.get((rank_type, keyword))
        if found is not None:
            return found
        return Keyword(rank_type=rank_type, keyword=keyword, rows=60 + number(self.seed, "rows", keyword) % 140)

    def place_cards(self, view: View) -> tuple[Row, ...]:
        """The rows of a place list in document order, repeats included, adverts not."""
        rows = self.organic(view)
        return _with_repeats(rows) if self.keyword("place", view.keyword).has_trap("repeated_row") else rows

    def adverts(self, view: View, page: int) -> tuple[tuple[int, Row], ...]:
        """Adverts of a page (1-based), each with the 1-based number of the card before which it stands."""
        keyword = self.keyword(view.rank_type, view.keyword)
        if not keyword.rows:
            return ()
        chosen = _usual_adverts(keyword, page) if keyword.adverts is None else keyword.adverts
        return tuple((advert.before, self._advert(view, advert)) for advert in chosen if advert.page == page)

    def shop(self, key: str, vertical: str) -> identities.Shop:
        """The shop behind a place id."""
        target = self._targets.get(key)
        return identities.shop(self.seed, key, vertical, target.name if target else "")

    def truth(self, view: View, target_key: str, depth: int) -> Truth:
        """The rank of a target by the counting rule, within `depth` distinct organic rows.

        A cafe key may carry the club id in place of the slug; a blog key without a post number means any post.
        """
        wanted = target_key.lower() if view.rank_type == "blog" else target_key
        seen: set[str] = set()
        rank = 0
        for row in self.organic(view):
            if row.key and row.key in seen:
                continue
            if rank == depth:
                break
            seen.add(row.key)
            rank += 1
            if self._is_target(view, row, wanted):
                return Truth(outcome="exposed", rank=rank, checked_count=rank, reachable=len(self.organic(view)))
        return Truth(outcome="not_exposed", rank=None, checked_count=rank, reachable=len(self.organic(view)))

    def _is_target(self, view: View, row: Row, wanted: str) -> bool:
        if view.rank_type == "blog" and "/" not in wanted:
            return row.key.split("/", maxsplit=1)[0] == wanted
        if view.rank_type == "cafe" and "/" in row.key:
            slug, article = row.key.split("/")
            return wanted in {row.key, f"{identities.cafe(self.seed, slug).club_id}/{article}"}
        return bool(row.key) and row.key == wanted

    def _organic(self, view: View) -> tuple[Row, ...]:
        keyword = self.keyword(view.rank_type, view.keyword)
        placed = self._placed(view, keyword)
        strangers = iter(self._strangers(view, keyword))
        rows = (placed.get(rank) or next(strangers) for rank in range(1, keyword.rows + 1))
        limit = keyword.rows if view.source == "api" else keyword.reachable
        return tuple(row for rank, row in enumerate(rows, start=1) if rank <= limit)

    def _placed(self, view: View, keyword: Keyword) -> dict[int, Row]:
        shift = self._shift(view, keyword)
        placed: dict[int, Row] = {}
        for target in keyword.targets:
            rank = rank_on(self.seed, keyword.keyword, target, view.day, shift)
            if rank is not None:
                placed[_free(placed, rank)] = self._target_row(view, target)
        if keyword.targets and keyword.has_trap("sibling_post"):
            rank = 2 + number(self.seed, "sibling", keyword.keyword, view.day) % 3
            placed[_free(placed, rank)] = self._sibling(view, keyword.targets[0])
        return {rank: row for rank, row in placed.items() if rank <= keyword.rows}

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

    def _strangers(self, view: View, keyword: Keyword) -> list[Row]:
        context = self._context(view, keyword)
        spread = 40 if view.source == "api" else 7

        def drawn(index: int) -> int:
            return index + number(self.seed, keyword.keyword, context, index, view.day) % spread

        return [self._stranger(view, keyword, index) for index in sorted(range(keyword.rows), key=drawn)]

    def _stranger(self, view: View, keyword: Keyword, index: int) -> Row:
        value = number(self.seed, view.rank_type, keyword.keyword, index)
        match view.rank_type:
            case "place":
                nameless = keyword.has_trap("nameless_row") and index == 13
                return self._place_row(view, "" if nameless else identities.place_id(self.seed, keyword.keyword, index))
            case "cafe":
                slug = identities.cafe_slug(self.seed, value % 400)
                return self._cafe_row(view, keyword, f"{slug}/{identities.article_id(value)}", index)
            case "blog":
                return self._blog_row(view, keyword, self._blog_key(keyword, index, value), index)

    def _blog_key(self, keyword: Keyword, index: int, value: int) -> str:
        if keyword.has_trap("foreign_hosts") and index % 17 == 5:
            return f"https://njletters{value % 400}.tistory.com/{value % 900 + 1}"
        if keyword.has_trap("foreign_hosts") and index % 23 == 9:
            return f"https://in.naver.com/njinfluencer{value % 90}/contents/internal/{value % 10**15}"
        return f"{identities.blog_id(self.seed, value % 5000)}/{identities.log_no(value)}"

    def _target_row(self, view: View, target: Target) -> Row:
        keyword = self.keyword(view.rank_type, view.keyword)
        match view.rank_type:
            case "place":
                return self._place_row(view, target.key)
            case "cafe":
                return self._cafe_row(view, keyword, target.key, -1)
            case "blog":
                return self._blog_row(view, keyword, target.key, -1)

    def _sibling(self, view: View, target: Target) -> Row:
        """Another post by the target's blogger whose card also links to the target: that link must not win a rank."""
        blog = target.key.split("/", maxsplit=1)[0]
        keyword = self.keyword("blog", view.keyword)
        row = self._blog_row(view, keyword, f"{blog}/{identities.log_no('sibling', target.key)}", -2)
        return replace(row, related=(f"https://blog.naver.com/{target.key}", *row.related))

    def _blog_row(self, view: View, keyword: Keyword, key: str, index: int) -> Row:
        value = number(self.seed, "blog", key)
        foreign = key.startswith("https://")
        blog = "" if foreign else key.split("/", maxsplit=1)[0]
        decoy = keyword.has_trap("block_words") and index == 4
        related = keyword.has_trap("related_posts") and not foreign and value % 4 == 0
        return Row(
            role="organic",
            key=key if foreign else key.lower(),
            title=f"{keyword.keyword} {identities.BLOCK_WORDS_TITLE}"
            if decoy
            else identities.title(keyword.keyword, value),
            text=identities.snippet(keyword.keyword, value),
            author=identities.nickname(value // 3),
            url=key if foreign else f"https://blog.naver.com/{key}",
            author_url=key.rsplit("/", 1)[0] if foreign else f"https://blog.naver.com/{blog}",
            written=identities.written_on(view.day, value),
            value=value,
            related=tuple(f"https://blog.naver.com/{blog}/{identities.log_no(value, n)}" for n in range(2 * related)),
            through_redirect=keyword.has_trap("redirect_links") and value % 5 == 0,
        )

    def _cafe_row(self, view: View, keyword: Keyword, key: str, index: int) -> Row:
        value = number(self.seed, "cafe post", key)
        slug = key.split("/", maxsplit=1)[0]
        decoy = keyword.has_trap("block_words") and index == 4
        return Row(
            role="organic",
            key=key,
            title=f"{keyword.keyword} {identities.BLOCK_WORDS_TITLE}"
            if decoy
            else identities.title(keyword.keyword, value),
            text=identities.snippet(keyword.keyword, value),
            author=identities.cafe(self.seed, slug).name,
            url=f"https://cafe.naver.com/{key}",
            author_url=f"https://cafe.naver.com/{slug}",
            written=identities.written_on(view.day, value),
            value=value,
        )

    def _place_row(self, view: View, key: str) -> Row:
        vertical = view.vertical or self.keyword("place", view.keyword).vertical
        shop = self.shop(key, vertical)
        return Row(
            role="organic",
            key=key,
            title=shop.name,
            text=shop.category,
            author="",
            url=f"https://m.place.naver.com/{vertical}/{key}",
            author_url="",
            written=view.day,
            value=number(self.seed, "place row", key),
        )

    def _advert(self, view: View, advert: Advert) -> Row:
        keyword = self.keyword(view.rank_type, view.keyword)
        key = advert.target or self._stranger(view, keyword, 10_000 + advert.page * 100 + advert.before).key
        row = self._target_row(view, Target(key=key))
        return replace(row, role="advert", style=advert.style, related=(), through_redirect=False)

    def _pages(self, view: View) -> tuple[tuple[Row, ...], ...]:
        """Blog and cafe: the cards of every page, with repeats, 0 to 2 cards of the page before, and adverts."""
        keyword = self.keyword(view.rank_type, view.keyword)
        rows = self.organic(view)
        cards = _with_repeats(rows) if keyword.has_trap("duplicate_post") else rows
        pages: list[tuple[Row, ...]] = []
        cursor = 0
        while cursor < len(cards):
            overlap = number(self.seed, "overlap", keyword.keyword, len(pages)) % 3 if pages else 0
            begin = cursor - overlap
            page = cards[begin : begin + CARDS_PER_PAGE]
            cursor = begin + len(page)
            pages.append(_with_adverts(page, self.adverts(view, len(pages) + 1)))
        return tuple(pages)


def _usual_adverts(keyword: Keyword, page: int) -> tuple[Advert, ...]:
    copied = keyword.targets[0].key if keyword.targets else ""
    if page > 1:
        return (Advert(before=5, page=page),)
    match keyword.rank_type:
        case "blog":
            return (
                Advert(before=1, target=copied),
                Advert(before=9),
                Advert(before=16, target=copied, style="direct"),
            )
        case "cafe":
            return (Advert(before=1, target=copied), Advert(before=12, target=copied, style="direct"))
        case "place":
            return (Advert(before=1, target=copied), Advert(before=1), Advert(before=9, target=copied))


def _with_repeats(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    cards: list[Row] = []
    for index, row in enumerate(rows):
        cards.append(row)
        cards.extend(rows[repeated] for repeated, after in _REPEATS if after == index)
    return tuple(cards)


def _with_adverts(page: tuple[Row, ...], adverts: Iterable[tuple[int, Row]]) -> tuple[Row, ...]:
    cards: list[Row] = []
    waiting = list(adverts)
    for number_, row in enumerate(page, start=1):
        cards.extend(advert for before, advert in waiting if before == number_)
        cards.append(row)
    return tuple(cards)


def _free(placed: dict[int, Row], rank: int) -> int:
    while rank in placed:
        rank += 1
    return rank
