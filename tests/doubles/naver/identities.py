"""Invented people, shops, blogs and cafes, each a pure function of the seed and a few words.

Every id lies where no real one is expected: blog ids begin with `nj_`, cafe slugs with `njcafe`, place ids with `99`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from tests.doubles.seeded import number

_ADJECTIVES: Final = (
    "조용한",
    "느긋한",
    "햇살",
    "푸른",
    "작은",
    "둥근",
    "새벽",
    "고운",
    "맑은",
    "단정한",
    "포근한",
    "반짝",
)
_NOUNS: Final = ("솔방울", "다람쥐", "찻잔", "연필", "구름", "나룻배", "등대", "돌담", "목화", "보리", "은행잎", "물레")
_TITLE_ENDS: Final = (
    "다녀온 하루 기록",
    "처음 가 본 사람의 메모",
    "비교해 보고 고른 이유",
    "주말에 둘러본 이야기",
    "알아 두면 좋은 점 정리",
    "다시 찾은 까닭",
    "가기 전에 읽을 것 & 준비물",
    '세 번째 방문, "역시나" 하는 곳',
    "솔직한 느낌 <짧은 글>",
    "계절마다 달라지는 풍경",
)
_SNIPPETS: Final = (
    "아침 일찍 나서서 천천히 걸어 보았습니다. 사람이 적은 시간이 좋았어요.",
    "광고 없이 제 돈으로 다녀왔고, 느낀 대로만 적었습니다.",
    "길이 조금 헷갈리니 지도를 먼저 보고 출발하면 편합니다.",
    "준비하면서 찾아본 내용을 한 번에 볼 수 있게 모았습니다.",
    "작은 차이지만 가 보면 바로 알 수 있는 부분을 적어 둡니다.",
)
_SLUG_WORDS: Final = ("moss", "lamp", "reed", "clay", "fern", "oar", "pine", "wool", "dune", "kite", "plum", "slate")
_SHOP_ENDS: Final = {
    "restaurant": ("국수", "식당", "화덕", "밥상"),
    "hospital": ("의원", "치과의원", "한의원"),
    "hairshop": ("헤어", "살롱"),
    "place": ("공방", "서점", "스튜디오", "상회"),
}
_CATEGORIES: Final = {"restaurant": "한식", "hospital": "의원", "hairshop": "미용실", "place": "생활,편의"}
_SAVE_BUCKETS: Final = ("~100", "100+", "500+", "1,000+", "5,000+")
BLOCK_WORDS_TITLE: Final = "주차장 이용이 일시적으로 제한 되었던 날"
"""A harmless title that contains words of a block page (trap DECOY)."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A place as the list and its own page show it. Coordinates are degrees (WGS84), counts are plain numbers."""

    place_id: str
    name: str
    vertical: str
    category: str
    address: str
    road_address: str
    x: float
    y: float
    phone: str
    visitor_reviews: int
    blog_reviews: int
    save_bucket: str


@dataclass(frozen=True, slots=True)
class Cafe:
    """A cafe: the slug of its address, its numeric club id and its name."""

    slug: str
    club_id: str
    name: str


def blog_id(seed: int, index: int) -> str:
    """The id of the index-th invented blogger."""
    value = number(seed, "blogger", index)
    return f"nj_{_SLUG_WORDS[value % len(_SLUG_WORDS)]}{index % 10_000:04d}"


def log_no(*parts: object) -> str:
    """A post number of twelve digits."""
    return str(223_000_000_000 + number("post", *parts) % 999_999_999)


def article_id(*parts: object) -> str:
    """A cafe article number of up to seven digits."""
    return str(100_000 + number("article", *parts) % 9_000_000)


def place_id(*parts: object) -> str:
    """A place number of ten digits that begins with 99."""
    return str(9_900_000_000 + number("place", *parts) % 99_999_999)


def nickname(value: int) -> str:
    """A pen name made of two invented words."""
    return f"{_ADJECTIVES[value % len(_ADJECTIVES)]} {_NOUNS[value // 16 % len(_NOUNS)]}"


def title(keyword: str, value: int) -> str:
    """A post title that holds the keyword; some hold characters that HTML must escape."""
    return f"{keyword} {_TITLE_ENDS[value % len(_TITLE_ENDS)]} {value % 97}"


def snippet(keyword: str, value: int) -> str:
    """Two sentences of body text that name the keyword; one kind contains the word for advert, harmlessly."""
    return f"{keyword} 이야기. {_SNIPPETS[value % len(_SNIPPETS)]}"


def written_on(day: date, value: int) -> date:
    """A date within the two years before the given day."""
    return day - timedelta(days=1 + value % 700)


@lru_cache(maxsize=4096)
def cafe(seed: int, slug: str) -> Cafe:
    """The cafe behind a slug. The club id is a function of seed and slug."""
    value = number(seed, "cafe", slug)
    return Cafe(slug=slug, club_id=str(20_000_000 + value % 9_999_999), name=f"{nickname(value)} 모임")


def cafe_slug(seed: int, index: int) -> str:
    """The slug of the index-th invented cafe."""
    value = number(seed, "slug", index)
    return f"njcafe{_SLUG_WORDS[value % len(_SLUG_WORDS)]}{index % 1000:03d}"


@lru_cache(maxsize=65536)
def shop(seed: int, place: str, vertical: str, name: str = "") -> Shop:
    """The shop behind a place id; `name` overrides the invented one."""
    value = number(seed, "shop", place)
    ends = _SHOP_ENDS.get(vertical, _SHOP_ENDS["place"])
    return Shop(
        place_id=place,
        name=name or f"{nickname(value)} {ends[value // 256 % len(ends)]}",
        vertical=vertical,
        category=_CATEGORIES.get(vertical, _CATEGORIES["place"]),
        address=f"가상시 모형동 {value % 900 + 1}",
        road_address=f"가상시 모형구 견본로 {value % 300 + 1}",
        x=127.0 + value % 9000 / 100_000,
        y=37.5 + value // 9000 % 9000 / 100_000,
        phone=f"02-0000-{value % 10_000:04d}",
        visitor_reviews=value // 64 % 4000,
        blog_reviews=value // 128 % 2500,
        save_bucket=_SAVE_BUCKETS[value // 512 % len(_SAVE_BUCKETS)],
    )
