"""The map host: an almost empty shell whose script inserts frames, and the marker preview that is not in list order.

Known: frame ids, addresses, the code `CE_EMPTY_TOKEN`, fields of the preview. Invented: the token, and the envelope of
the refusal.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote, urlencode

from tests.doubles.naver import blocks
from tests.doubles.naver.exchange import Ask, Scene
from tests.doubles.naver.pages.frame import script_json
from tests.doubles.naver.pages.place_detail import vertical_of
from tests.doubles.naver.scenario import Json
from tests.doubles.naver.world import View
from tests.doubles.reply import Reply
from tests.doubles.seeded import number, token

_SEARCH: Final = re.compile(r"/p/search/([^/]+)(?:/place/(\d+))?/?")
_ENTRY: Final = re.compile(r"/p/entry/place/(\d+)/?")
_PREVIEW: Final = "/p/api/search/allSearch"
_PREVIEW_ROWS: Final = 9


def answer(ask: Ask, scene: Scene) -> Reply:
    """Shells of the map, and the preview."""
    if ask.path == _PREVIEW:
        return _preview(ask, scene)
    if found := _SEARCH.fullmatch(ask.path):
        return Reply.page(_shell(scene, keyword=unquote(found[1]), place=found[2] or ""))
    if found := _ENTRY.fullmatch(ask.path):
        return Reply.page(_shell(scene, keyword="", place=found[1]))
    return Reply.page("<!doctype html><title>404</title>", 404)


def preview_token(keyword: str, scene: Scene) -> str:
    """The token (44 characters) that the map page makes for a keyword."""
    return token(44, scene.world.seed, "map token", keyword)


def _shell(scene: Scene, *, keyword: str, place: str) -> str:
    frames = {}
    if keyword:
        vertical = scene.world.keyword("place", keyword).vertical
        query = urlencode({"query": keyword, "display": 70, "locale": "ko", "svcName": "map_pcv5"})
        frames["searchIframe"] = f"{scene.urls['pcplace']}/{vertical}/list?{query}"
    if place:
        frames["entryIframe"] = f"{scene.urls['pcplace']}/{vertical_of(place, scene)}/{place}/home"
    preview = f"{_PREVIEW}?query={quote(keyword)}&type=all&token={preview_token(keyword, scene)}" if keyword else ""
    return (
        '<!doctype html><html lang="ko"><head><meta charset="utf-8"><!-- replica: invented shell -->'
        '<title>네이버 지도</title></head><body><div id="app"></div>'
        f"<script>(function(){{var frames={script_json(frames)};"
        "Object.keys(frames).forEach(function(name){var frame=document.createElement('iframe');"
        "frame.id=name;frame.name=name;frame.width=400;frame.height=700;frame.src=frames[name];"
        "document.getElementById('app').appendChild(frame)});"
        f"var preview={script_json(preview)};if(preview){{fetch(preview,{{headers:{{'X-Replica-Script':'1'}}}})}}"
        "})()</script></body></html>"
    )


def _preview(ask: Ask, scene: Scene) -> Reply:
    if ask.query.get("token") != preview_token(ask.keyword, scene):
        return blocks.map_captcha()
    vertical = scene.world.keyword("place", ask.keyword).vertical
    view = View(rank_type="place", keyword=ask.keyword, day=scene.day, vertical=vertical)
    rows = scene.world.organic(view, 1, 2 * _PREVIEW_ROWS)
    if not rows:
        return Reply.data({"result": {"place": None}})
    muddled = sorted(rows, key=lambda row: number(scene.world.seed, "preview", row.key))
    found: list[Json] = []
    for index, row in enumerate(muddled[:_PREVIEW_ROWS]):
        shop = scene.world.shop(row.key, vertical)
        found.append(
            {
                "index": str(index),
                "rank": str(index + 1),
                "id": row.key,
                "name": row.title,
                "tel": shop.phone,
                "virtualTel": "",
                "category": [shop.category],
                "roadAddress": shop.road_address,
                "address": shop.address,
                "x": str(shop.x),
                "y": str(shop.y),
                "thumUrl": None,
                "placeReviewCount": shop.visitor_reviews,
                "reviewCount": shop.blog_reviews,
            }
        )
    return Reply.data({"result": {"place": {"totalCount": len(scene.world.order(view)), "list": found}}})
