"""Invented sentences and names, Korean and English, each a function of its key."""

from __future__ import annotations

from typing import Final

from tests.doubles.seeded import number

_KOREAN: Final = (
    (
        "새벽 시장은",
        "등대 골목은",
        "남쪽 포구는",
        "오래된 우체국은",
        "언덕 위 가게는",
        "바람개비 마을은",
        "조용한 책방은",
    ),
    ("첫 배가 들어오기 전에", "비가 그친 뒤에", "장날마다", "해가 기울 무렵", "겨울 내내", "손님이 드문 날이면"),
    ("작은 등불을", "구리 종을", "손으로 짠 바구니를", "말린 유자를", "푸른 천을", "종이 지도를", "나무 도장을"),
    ("하나씩 닦아 둡니다.", "이웃에게 나누어 줍니다.", "천천히 고칩니다.", "창가에 걸어 놓습니다.", "다시 셉니다."),
)
_ENGLISH: Final = (
    (
        "The harbour office",
        "A retired clockmaker",
        "The hill library",
        "Our ferry crew",
        "The night bakery",
        "A surveyor",
    ),
    ("quietly", "once a season", "before every storm", "against all advice", "with borrowed tools", "by lamplight"),
    ("repairs", "catalogues", "repaints", "measures", "collects", "trades", "describes", "weighs"),
    ("copper bells", "torn maps", "winter apples", "lost letters", "river stones", "blue rope", "paper lanterns"),
    ("near the eastern gate", "behind the market hall", "along the canal", "on the long pier", "under the old bridge"),
)
_ADJECTIVES: Final = (
    "푸른",
    "작은",
    "둥근",
    "가벼운",
    "오래된",
    "따뜻한",
    "단단한",
    "은빛",
    "노란",
    "깊은",
    "얇은",
    "고운",
)
_NOUNS: Final = (
    "등불", "찻잔", "바구니", "우산", "목도리", "화분", "도장", "빗자루", "연필", "공책",
    "주전자", "방석", "수저", "시계", "손수건", "거울", "받침", "그릇", "단추", "가방",
)  # fmt: skip


def korean(count: int, *key: object) -> tuple[str, ...]:
    """So many Korean sentences."""
    return tuple(_sentence(_KOREAN, key, turn) for turn in range(count))


def english(count: int, *key: object) -> tuple[str, ...]:
    """So many English sentences."""
    return tuple(f"{_sentence(_ENGLISH, key, turn)}." for turn in range(count))


def product(index: int) -> str:
    """A product name; 240 differ."""
    return f"{_ADJECTIVES[index % len(_ADJECTIVES)]} {_NOUNS[index // len(_ADJECTIVES) % len(_NOUNS)]}"


def _sentence(parts: tuple[tuple[str, ...], ...], key: tuple[object, ...], turn: int) -> str:
    choice = number("sentence", *key, turn)
    words = []
    for part in parts:
        choice, index = divmod(choice, len(part))
        words.append(part[index])
    return " ".join(words)
