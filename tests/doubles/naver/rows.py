"""From the identity of a row to what its card says: title, text, author, links. Invented; a function of the key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, NamedTuple

from tests.doubles.naver import identities
from tests.doubles.naver.scenario import Advert, Keyword
from tests.doubles.seeded import number

TARGET = -1
SIBLING = -2
_BLOCK_WORDS_INDEX = 4
_NAMELESS_INDEX = 13


class Spot(NamedTuple):
    """A place in a list: the identity that counts ("" where the page gives none), and which row it is.

    serial: the number of a stranger from 0, TARGET, or SIBLING.
    """

    key: str
    serial: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One card. `related` are links to other posts that it also holds; `style` is that of an advert."""

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


def stranger_key(seed: int, keyword: Keyword, index: int) -> str:
    """The identity of the index-th stranger of a keyword."""
    value = number(seed, keyword.rank_type, keyword.keyword, index)
    match keyword.rank_type:
        case "place":
            nameless = keyword.has_trap("nameless_row") and index == _NAMELESS_INDEX
            return "" if nameless else identities.place_id(seed, keyword.keyword, index)
        case "cafe":
            return f"{identities.cafe_slug(seed, value % 400)}/{identities.article_id(value)}"
        case "blog":
            return _blog_key(seed, keyword, index, value)


def sibling_key(target_key: str) -> str:
    """Another post by the blogger of a target."""
    return f"{target_key.split('/', maxsplit=1)[0]}/{identities.log_no('sibling', target_key)}"


def blog_row(seed: int, keyword: Keyword, spot: Spot, day: date) -> Row:
    """The card of a post. The card of a SIBLING also links to the target, which must not win a rank by it."""
    value = number(seed, "blog", spot.key)
    foreign = spot.key.startswith("https://")
    blog = spot.key.split("/", maxsplit=1)[0]
    has_related = keyword.has_trap("related_posts") and not foreign and value % 4 == 0
    related = [f"https://blog.naver.com/{blog}/{identities.log_no(value, n)}" for n in range(2 * has_related)]
    if spot.serial == SIBLING:
        related.insert(0, f"https://blog.naver.com/{keyword.targets[0].key}")
    return Row(
        role="organic",
        key=spot.key if foreign else spot.key.lower(),
        title=_title(keyword, spot, value),
        text=identities.snippet(keyword.keyword, value),
        author=identities.nickname(value // 3),
        url=spot.key if foreign else f"https://blog.naver.com/{spot.key}",
        author_url=spot.key.rsplit("/", 1)[0] if foreign else f"https://blog.naver.com/{blog}",
        written=identities.written_on(day, value),
        value=value,
        related=tuple(related),
        through_redirect=keyword.has_trap("redirect_links") and value % 5 == 0,
    )


def cafe_row(seed: int, keyword: Keyword, spot: Spot, day: date) -> Row:
    """The card of a cafe post."""
    value = number(seed, "cafe post", spot.key)
    slug = spot.key.split("/", maxsplit=1)[0]
    return Row(
        role="organic",
        key=spot.key,
        title=_title(keyword, spot, value),
        text=identities.snippet(keyword.keyword, value),
        author=identities.cafe(seed, slug).name,
        url=f"https://cafe.naver.com/{spot.key}",
        author_url=f"https://cafe.naver.com/{slug}",
        written=identities.written_on(day, value),
        value=value,
    )


def place_row(seed: int, shop: identities.Shop, spot: Spot, day: date) -> Row:
    """The row of a shop."""
    return Row(
        role="organic",
        key=spot.key,
        title=shop.name,
        text=shop.category,
        author="",
        url=f"https://m.place.naver.com/{shop.vertical}/{spot.key}",
        author_url="",
        written=day,
        value=number(seed, "place row", spot.key),
    )


def as_advert(row: Row, advert: Advert) -> Row:
    """The same card as an advert: nothing of an organic card's other links is left."""
    return replace(row, role="advert", style=advert.style, related=(), through_redirect=False)


def _blog_key(seed: int, keyword: Keyword, index: int, value: int) -> str:
    if keyword.has_trap("foreign_hosts") and index % 17 == 5:
        return f"https://njletters{value % 400}.tistory.com/{value % 900 + 1}"
    if keyword.has_trap("foreign_hosts") and index % 23 == 9:
        return f"https://in.naver.com/njinfluencer{value % 90}/contents/internal/{value % 10**15}"
    return f"{identities.blog_id(seed, value % 5000)}/{identities.log_no(value)}"


def _title(keyword: Keyword, spot: Spot, value: int) -> str:
    if spot.serial == _BLOCK_WORDS_INDEX and keyword.has_trap("block_words"):
        return f"{keyword.keyword} {identities.BLOCK_WORDS_TITLE}"
    return identities.title(keyword.keyword, value)
