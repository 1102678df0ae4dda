"""Integrated search: the place block, the block of popular posts, and, on phones, many script blocks.

None of this is the order that the product measures by default; it is here because readers meet it, and so that tests
show that its rows are not taken for a tab's. Known: ids and attributes of rows, link forms, headings. Invented: which
blocks a keyword has.
"""

from __future__ import annotations

from html import escape
from typing import Final
from urllib.parse import quote

from tests.doubles.naver.exchange import Ask, Scene
from tests.doubles.naver.pages import blog_mobile
from tests.doubles.naver.pages.frame import Dress, search_page
from tests.doubles.naver.pages.place_json import advert_id
from tests.doubles.naver.rows import Row
from tests.doubles.naver.scenario import Json
from tests.doubles.naver.world import View
from tests.doubles.reply import Reply
from tests.doubles.seeded import number

_ATTRIBUTES: Final = {"restaurant": "nmb_res", "hospital": "nmb_hpl", "hairshop": "nmb_hai"}
_MOBILE_AREAS: Final = (
    "urB_coR",
    "urB_boR",
    "web_gen",
    "web_gen",
    "nws_all",
    "img_all",
    "vdo_all",
    "kin_all",
    "shp_all",
    "web_gen",
)


def answer(ask: Ask, scene: Scene, device: str) -> Reply:
    """The integrated page of a keyword."""
    main = _place_block(ask.keyword, scene, device) + _popular_posts(ask.keyword, scene, device)
    if device == "mobile":
        main += "<script>var entry={bootstrap:function(){}};</script>" + _mobile_blocks(ask.keyword, scene)
    return Reply.page(search_page(ask.keyword, scene.world.seed, main))


def has_place_block(keyword: str, scene: Scene) -> bool:
    """Whether the page shows places at all: scripted place keywords with rows do, others in three of four cases."""
    if any(item.rank_type == "place" and item.keyword == keyword for item in scene.world.scenario.keywords):
        return scene.world.keyword("place", keyword).rows > 0
    return number(scene.world.seed, "place block", keyword) % 4 != 0


def _place_block(keyword: str, scene: Scene, device: str) -> str:
    if not has_place_block(keyword, scene):
        return ""
    scripted = scene.world.keyword("place", keyword)
    view = View(rank_type="place", keyword=keyword, day=scene.day, device=device, vertical=scripted.vertical)
    rows = scene.world.organic(view, 1, 5 + number(scene.world.seed, "block", keyword) % 4)
    if len(rows) == 1:
        return f'<div id="_title"><a href="{_place_link(rows[0], view)}">{escape(rows[0].title)}</a></div>'
    family = _ATTRIBUTES.get(view.vertical, "loc_plc")
    adverts = "".join(
        f'<li class="type_ad" data-{family}e-doc-id="{advert_id(row, n)}"><a href="{_place_link(row, view)}">'
        f"{escape(row.title)}</a><span>광고</span></li>"
        for n, (_, row) in enumerate(scene.world.adverts(view, 1)[:2])
    )
    shown = "".join(
        f'<li data-{family}-doc-id="{row.key}"><a href="{_place_link(row, view)}">{escape(row.title)}</a>'
        f'<a href="{_place_link(row, view)}"><img alt=""></a></li>'
        for row in rows
    )
    more = f"https://m.place.naver.com/{view.vertical}/list?query={quote(keyword)}&amp;level=top&amp;entry=pll"
    return (
        f'<div id="loc-main-section-root"><section class="place_section"><h2>플레이스</h2><ul>{adverts}{shown}</ul>'
        f'<a role="button" href="#">펼쳐서 더보기</a><a href="{more}">{escape(keyword)} 더보기</a></section></div>'
    )


def _place_link(row: Row, view: View) -> str:
    if view.device == "pc":
        return f"https://map.naver.com/p/entry/place/{row.key}"
    return f"https://m.place.naver.com/{view.vertical}/{row.key}/home"


def _popular_posts(keyword: str, scene: Scene, device: str) -> str:
    """The 7 to 10 cards under the heading 인기글; some are cafe posts."""
    cards = _popular_rows(keyword, scene, device)
    if not cards:
        return ""
    dress = Dress(scene.design)
    inner = "".join(
        f'<div data-template-id="ugcItem"><a href="{escape(row.author_url)}" '
        f'data-heatmap-target="articleSourceJSX_title">{escape(row.author)}</a>'
        f'<a href="{escape(row.url)}" cru="{escape(row.url)}" data-heatmap-target=".link">'
        f"<span {dress('sds-comps-text-type-headline1')}>{escape(row.title)}</span></a></div>"
        for row in cards
    )
    box = dress("fds-ugc-single-intention-item-list")
    return f"<section><h2>{escape(keyword)} 인기글</h2><div {box}>{inner}</div></section>"


def _popular_rows(keyword: str, scene: Scene, device: str) -> list[Row]:
    posts = scene.world.organic(View(rank_type="blog", keyword=keyword, day=scene.day, device=device), 1, 10)
    talks = scene.world.organic(View(rank_type="cafe", keyword=keyword, day=scene.day, device=device), 1, 10)
    count = 7 + number(scene.world.seed, "popular", keyword) % 4
    return [talks[n] if n % 4 == 3 and n < len(talks) else posts[n] for n in range(min(count, len(posts)))]


def _mobile_blocks(keyword: str, scene: Scene) -> str:
    rows = _popular_rows(keyword, scene, "mobile")
    return "".join(
        blog_mobile.bootstrap(area, f"{'ugc_blog' if area.startswith('urB') else 'other'}_{n}", _items(area, rows))
        for n, area in enumerate(_MOBILE_AREAS)
    )


def _items(area: str, rows: list[Row]) -> list[Json]:
    if area == "urB_boR":
        return [blog_mobile.item(row, position) for position, row in enumerate(rows, start=1)]
    if area == "urB_coR":
        return [blog_mobile.item(row, position) for position, row in enumerate(rows[3:4], start=1)]
    return [{"templateId": "webItem", "props": {"title": "둘레 소식", "href": "https://example.com/notice"}}]
