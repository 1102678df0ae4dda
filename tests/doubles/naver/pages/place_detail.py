"""The page of a single place. Known: og tags, review counts in the text, `PlaceDetailBase`. Invented: the rest."""

from __future__ import annotations

import re
from html import escape
from typing import Final

from tests.doubles.naver.exchange import Ask, Scene
from tests.doubles.naver.pages.frame import script_json
from tests.doubles.reply import Reply
from tests.doubles.seeded import number

_DETAIL: Final = re.compile(r"/([a-z]+)/(\d{6,12})(?:/[a-z/]*)?")
_VERTICALS: Final = ("place", "restaurant", "hospital", "hairshop")


def answer(ask: Ask, scene: Scene) -> Reply:
    """`/{vertical}/{id}[/home]`. A wrong vertical is redirected to the right one; a closed place is 404."""
    found = _DETAIL.fullmatch(ask.path)
    if found is None or found[2] in scene.world.scenario.closed_places:
        return Reply.page("<!doctype html><title>404</title><p>페이지를 찾을 수 없습니다.</p>", 404)
    vertical = vertical_of(found[2], scene)
    if found[1] != vertical:
        return Reply.redirect(f"{scene.urls[ask.site]}/{vertical}/{found[2]}/home")
    return Reply.page(_html(found[2], vertical, scene))


def vertical_of(place: str, scene: Scene) -> str:
    """The vertical a place belongs to: that of the keyword it is tracked for, else drawn from its id."""
    for keyword in scene.world.scenario.keywords:
        if keyword.rank_type == "place" and any(target.key == place for target in keyword.targets):
            return keyword.vertical
    return _VERTICALS[number(scene.world.seed, "vertical", place) % len(_VERTICALS)]


def _html(place: str, vertical: str, scene: Scene) -> str:
    shop = scene.world.shop(place, vertical)
    address = f"https://m.place.naver.com/{vertical}/{place}/home"
    base = {
        "__typename": "PlaceDetailBase",
        "id": place,
        "name": shop.name,
        "visitorReviewsTotal": shop.visitor_reviews,
        "cafeBlogReviewsTotal": shop.blog_reviews,
        "visitorReviewsScore": None,
        "category": shop.category,
    }
    state = {"ROOT_QUERY": {"__typename": "Query"}, f"PlaceDetailBase:{place}": base}
    return (
        '<!doctype html><html lang="ko"><head><meta charset="utf-8"><!-- replica: invented place -->'
        f'<title>{escape(shop.name)}</title><meta property="og:title" content="{escape(shop.name)} : 네이버">'
        f'<meta property="og:url" content="{address}"><link rel="canonical" href="{address}"></head><body>'
        f"<h1>{escape(shop.name)}</h1><span>방문자 리뷰 {shop.visitor_reviews:,}</span>"
        f"<span>블로그 리뷰 {shop.blog_reviews:,}</span>"
        f"<script>window.__APOLLO_STATE__ = {script_json(state)};</script></body></html>"
    )
