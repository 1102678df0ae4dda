"""Reviews of a shop, invented, as many as its number says. Known: the names of the fields."""

from __future__ import annotations

from typing import Final

from tests.doubles.baemin.exchange import Ask
from tests.doubles.baemin.shops import Shop
from tests.doubles.control_port import Json
from tests.doubles.reply import Reply
from tests.doubles.seeded import number

_LARGEST_PAGE: Final = 20
_MOST: Final = 60
_WORDS: Final = (
    "모형 후기입니다.",
    "지어낸 이야기예요 & 맛도 지어냈어요.",
    "<다시> 시킬 모형입니다.",
    "견본치고 좋았어요.",
)


def answer(ask: Ask, seed: int, shop: Shop) -> Reply:
    """The list, a page of it, or its counts."""
    rows = [_review(seed, shop, n) for n in range(number(seed, "reviews", shop.number) % _MOST)]
    tail = ask.parts[4:]
    if tail == ["reviews", "count"]:
        return Reply.data(
            {
                "reviewCount": len(rows),
                "noCommentReviewCount": sum(not row["comments"] for row in rows),
                "blockedReviewCount": 0,
                "recentReviewCount": min(len(rows), 5),
            }
        )
    if tail != ["reviews"]:
        return Reply.data({"errorType": "NOT_FOUND", "errorMessage": "찾을 수 없습니다."}, 404)
    begin, size = (_whole(ask, name) for name in ("offset", "limit"))
    end = begin + min(size or 10, _LARGEST_PAGE)
    return Reply.data({"next": end < len(rows), "reviews": rows[begin:end]})


def _whole(ask: Ask, name: str) -> int:
    value = ask.query.get(name, "")
    return int(value) if value.isdecimal() else 0


def _review(seed: int, shop: Shop, index: int) -> Json:
    value = number(seed, "review", shop.number, index)
    day = f"2099-0{1 + value % 6}-{1 + value // 8 % 28:02d}"
    return {
        "id": int(f"{day.replace('-', '')}{value % 100_000_000:08d}"),
        "shopNumber": int(shop.number),
        "memberNickname": f"모형손님{value % 1000}",
        "rating": 1 + value % 5,
        "contents": _WORDS[value % len(_WORDS)],
        "createdAt": f"{day}T12:00:00",
        "displayStatus": "DISPLAY",
        "displayType": "DEFAULT",
        "comments": [{"contents": "모형 사장의 답글입니다."}] if value % 2 else [],
        "images": [],
        "menus": [{"name": "모형 메뉴"}],
        "deliveryReviews": [],
        "orderCount": 1 + value % 9,
        "blockMessage": None,
        "writableComment": not value % 2,
    }
