"""What the words of a pager say: a number, or a step."""

import re
from enum import StrEnum


class Step(StrEnum):
    """Where a link of a pager leads, if it is not a number."""

    NEXT = "next"
    PREVIOUS = "previous"
    FIRST = "first"
    LAST = "last"


_WORDS = {
    Step.NEXT: (
        *("next", "next page", "older", "older posts", "more", "load more", "다음", "다음 페이지", "다음페이지"),
        *("더보기", ">", "›", "→", "▶", "▷"),
    ),
    Step.PREVIOUS: (
        *("prev", "previous", "previous page", "newer", "newer posts", "이전", "이전 페이지", "이전페이지"),
        *("<", "‹", "←", "◀", "◁"),
    ),
    Step.FIRST: ("first", "first page", "처음", "처음 페이지", "맨처음", "맨 처음", "처음으로", "<<", "«", "|<"),
    Step.LAST: (
        "last",
        "last page",
        "end",
        "끝",
        "끝 페이지",
        "마지막",
        "마지막 페이지",
        "맨끝",
        "맨 끝",
        "맨뒤",
        "끝으로",
        ">>",
        "»",
        ">|",
    ),
}
_BY_WORD = {word: step for step, words in _WORDS.items() for word in words}
_ARROWS = " \t<>‹›«»←→▶▷◀◁[]()…."
_NUMBER = re.compile(r"[\[(]?\s*(?:page|페이지)?\s*(\d{1,6})\s*(?:페이지|쪽)?\s*[\])]?", re.IGNORECASE)

# `3 / 40`, `page 3 of 40`, `총 40페이지`: the last page in a page's own words.
_OF = re.compile(r"(?:page\s*)?(\d{1,6})\s*(?:/|of|중)\s*(\d{1,6})(?!\s*[/\d])", re.IGNORECASE)
_IN_ALL = re.compile(r"(?:총|전체)\s*(\d{1,6})\s*(?:페이지|쪽)|\b(\d{1,6})\s+pages\b", re.IGNORECASE)


def number_in(text: str) -> int | None:
    """The page number that a link shows."""
    found = _NUMBER.fullmatch(text.strip())
    return int(found[1]) if found else None


def step_in(text: str, rel: str) -> Step | None:
    """Where a link says that it leads: by its rel, else by its words."""
    relations = rel.split()
    if "next" in relations:
        return Step.NEXT
    if "prev" in relations or "previous" in relations:
        return Step.PREVIOUS
    words = text.strip().lower()
    return _BY_WORD.get(words) or _BY_WORD.get(words.strip(_ARROWS))


def total_in(text: str) -> int | None:
    """The number of pages that a text names; None if it names none, or one that cannot be."""
    for found in _OF.finditer(text):
        if int(found[1]) <= int(found[2]):
            return int(found[2])
    in_all = _IN_ALL.search(text)
    return int(in_all[1] or in_all[2]) if in_all else None
