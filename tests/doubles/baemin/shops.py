"""Invented shops. Numbers are eight digits from 10000001 on, as in no real listing; names are made of model words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.doubles.seeded import number

SERVICE: Final = "음식배달"
_KINDS: Final = (
    ("분식", "분식"),
    ("국수", "한식"),
    ("찻집", "카페·디저트"),
    ("화로", "고기·구이"),
    ("보쌈", "족발·보쌈"),
    ("도시락", "도시락"),
    ("치킨", "치킨"),
    ("만두", "중식"),
)
_WORDS: Final = ("가상", "모형", "견본", "시험", "임의", "예시")
_STREETS: Final = ("모형로", "견본길", "예시대로", "가상로12번길")
TRAP_NAMES: Final = (
    "모형 & 견본 국수 테스트점",
    "가상찻집·디저트 테스트점",
    "국수/만두 모형점",
    "모형 국수 / 만두 테스트점",
    "1인 도시락 2호점",
    "🍜 견본라면 🍜 테스트점",
    '<b>임의</b> "따옴표" 테스트점',
    "아주 긴 이름을 가진 모형 가게 " + "가나다라마바사아자차카타파하 " * 10 + "테스트점",
    "24시 예시치킨 101호 테스트점",
    "O'견본 버거 & 셰이크 100% 테스트점",
)
"""Names that are awkward to read; each is a complete name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A shop as the owner site shows it; None where it shows nothing. Coordinates are degrees (WGS84).

    form: which of the four known texts its option has. text_number: the number in that text, which may be another one.
    in_search: whether the search call lists it. in_detail: whether its detail call finds it.
    """

    number: str
    name: str
    category: str
    form: int = 1
    text_number: str = ""
    road_address: str | None = None
    lat: float | None = None
    lng: float | None = None
    phone: str | None = None
    status: str | None = "OPEN"
    stopped: bool = False
    in_search: bool = True
    in_detail: bool = True

    @property
    def label(self) -> str:
        """The text of its option."""
        shown = self.text_number or self.number
        return {
            1: f"[{SERVICE}] {self.name} / {self.category} {shown}",
            2: f"[{SERVICE}] {self.name} / {self.category}",
            3: f"{self.name} / {self.category} {shown}",
            4: f"{self.category} {shown} {self.name}",
        }[self.form]

    @property
    def heading(self) -> str:
        """The heading over the select while this shop is chosen."""
        return f"[{SERVICE}] {self.name}" if self.service else self.name

    @property
    def service(self) -> str | None:
        """The service type in the brackets of its text, if it has brackets."""
        return SERVICE if self.form in (1, 2) else None


def shop(seed: int, first: int, index: int, *, name: str = "", form: int = 1, kitchen: int | None = None) -> Shop:
    """The index-th shop of an account whose first shop has the number `first`. One kitchen is one address."""
    kind, category = _KINDS[(first + index) % len(_KINDS)]
    value = number(seed, "shop", first, index)
    place = number(seed, "kitchen", first, index if kitchen is None else kitchen)
    return Shop(
        number=str(first + index),
        name=name or f"{_WORDS[value % len(_WORDS)]}{kind} {index + 1}호점",
        category=category,
        form=form,
        road_address=f"모형시 견본구 {_STREETS[place % len(_STREETS)]} {1 + place % 300}" if place % 11 else None,
        lat=round(37.4 + place % 2000 / 10_000, 6),
        lng=round(126.9 + place // 2000 % 2000 / 10_000, 6),
        phone=f"050-0000-{value % 10_000:04d}" if value % 3 else None,
        status="OPEN" if value % 7 else None,
        stopped=value % 9 == 0,
    )
