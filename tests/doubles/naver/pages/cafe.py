"""The cafe tab, PC and phone, the loads of its list, and the pages of the cafe host.

Known: `li.bx`, `title_link`, `name`, `sub`, `dsc_link`, the `?art=` tail, both JSON envelopes, `g_sClubId`. Invented:
the opaque values, the shells of the cafe host, the adverts.
"""

from __future__ import annotations

import re
from html import escape
from urllib.parse import quote, urlencode

from tests.doubles.naver.exchange import Ask, Scene
from tests.doubles.naver.identities import cafe
from tests.doubles.naver.pages.blog import cut
from tests.doubles.naver.pages.frame import (
    Dress,
    advert_address,
    endless,
    front_page,
    marked,
    no_results,
    search_page,
)
from tests.doubles.naver.rows import Row
from tests.doubles.naver.world import CARDS_PER_PAGE, View
from tests.doubles.reply import Reply
from tests.doubles.seeded import token

_MINIMAL_OVERLAP = 8
_AD_HELP = "https://help.naver.com/alias/search/integration_m68.naver"
_SLUG = re.compile(r"/([A-Za-z0-9_]+)/?")
_SHELL = re.compile(r"/(?:ca-fe|f-e)/(?:web/)?cafes/(?:\w+)/(?:menus/\d+/)?articles/\d+")


def tab(ask: Ask, scene: Scene, device: str) -> Reply:
    """`ssc=tab.cafe.all` (device pc) and `ssc=tab.m_cafe.all` (device mobile)."""
    if not ask.keyword:
        return Reply.page(front_page())
    view = View(rank_type="cafe", keyword=ask.keyword, day=scene.day, device=device)
    pages = scene.world.page_count(view)
    if not pages:
        return Reply.page(search_page(ask.keyword, scene.world.seed, no_results(ask.keyword)))
    page = min(ask.step, pages) if scene.options.search_start == "honoured" else 1
    inner = _rows(cut(scene.world.page(view, page), scene), view, scene)
    decoys = _decoys(view, scene) if scene.world.keyword("cafe", ask.keyword).has_trap("decoy_rows") else ""
    script = endless(_next_url(view, scene, page), {}, scene.design)
    dress = Dress(scene.design)
    main = f'<section {dress("sc_new sp_ncafe")}>{decoys}<ul class="lst_view" data-replica-list>{inner}</ul></section>'
    return Reply.page(search_page(ask.keyword, scene.world.seed, main, script=script))


def load(ask: Ask, scene: Scene) -> Reply:
    """A load: true rows for the page's own values, a muddled list without them, nothing for a part of them."""
    device = "mobile" if "m_cafe" in ask.query.get("ssc", "") else "pc"
    view = View(rank_type="cafe", keyword=ask.keyword, day=scene.day, device=device)
    issued = _issued(view, scene)
    if not any(name in ask.query for name in issued):
        return _minimal_load(ask, view, scene)
    if not ask.keyword or any(ask.query.get(name) != value for name, value in issued.items()):
        return Reply(content_type="text/html")
    page = ask.step
    if not 2 <= page <= scene.world.page_count(view):
        return Reply.data({"collection": [{"html": ""}], "url": ""})
    html = _rows(cut(scene.world.page(view, page), scene), view, scene)
    return Reply.data({"collection": [{"html": html}], "url": _next_url(view, scene, page)})


def cafe_host(ask: Ask, scene: Scene) -> Reply:
    """`cafe.naver.com`: the home of a cafe names its club id; article pages are shells without a slug."""
    if _SHELL.fullmatch(ask.path):
        return Reply.page(_shell("카페 글", '<div id="app"></div>'))
    found = _SLUG.fullmatch(ask.path)
    if found is None or not _exists(found[1]):
        return Reply.page(_shell("페이지를 찾을 수 없습니다", "<p>요청하신 카페가 없습니다.</p>"), 404)
    home = cafe(scene.world.seed, found[1].lower())
    script = f'<script>var g_sClubId = "{home.club_id}"; var g_sCafeUrl = "{home.slug}";</script>'
    return Reply.page(
        _shell(home.name, f"{script}<iframe name='cafe_main' src='/ca-fe/cafes/{home.club_id}'></iframe>")
    )


def _exists(slug: str) -> bool:
    return not slug.lower().startswith("nosuch")


def _shell(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="ko"><head><meta charset="utf-8"><!-- replica: invented shell -->'
        f"<title>{escape(title)} : 네이버 카페</title></head><body>{body}</body></html>"
    )


def _issued(view: View, scene: Scene) -> dict[str, str]:
    names = ("nlu_query", "nqx_context")
    return {name: token(60, scene.world.seed, name, view.keyword, view.device) for name in names}


def _next_url(view: View, scene: Scene, page: int) -> str:
    if page >= scene.world.page_count(view) or (scene.short and scene.short_drops_next):
        return ""
    values = {
        "ssc": "tab.m_cafe.all" if view.device == "mobile" else "tab.cafe.all",
        "query": view.keyword,
        "st": "rel",
        "date_option": "0",
        "start": str(page * CARDS_PER_PAGE + 1),
        **_issued(view, scene),
    }
    return f"{scene.urls['search_more']}/p/cafe/48/search.naver?{urlencode(values)}"


def _minimal_load(ask: Ask, view: View, scene: Scene) -> Reply:
    begin = max(ask.whole("start", 1) - 1, 0)
    begin -= _MINIMAL_OVERLAP if begin >= _MINIMAL_OVERLAP else 0
    rows = scene.world.organic(view, begin + 1, CARDS_PER_PAGE)
    return Reply.data({"result": {"section": [{"html": _rows(rows, view, scene)}]}})


def _rows(cards: tuple[Row, ...], view: View, scene: Scene) -> str:
    numeric = scene.world.keyword("cafe", view.keyword).has_trap("numeric_links")
    return "".join(_row(card, view, scene, numeric=numeric) for card in cards)


def _row(card: Row, view: View, scene: Scene, *, numeric: bool) -> str:
    dress = Dress(scene.design)
    address = escape(advert_address(card) if card.style == "ader" else _article(card, view, scene, numeric=numeric))
    label = (
        f'<a {dress("link_ad")} href="{_AD_HELP}"><span {dress("ico_ad")}>광고</span></a>'
        if card.role == "advert"
        else ""
    )
    row = (
        f'<div {dress("user_box")}><div {dress("user_info")}><a {dress("name")} href="{escape(card.author_url)}">'
        f"{escape(card.author)}</a>{label}<span {dress('sub')}>{card.written:%Y.%m.%d.}</span></div></div>"
        f'<div {dress("detail_box")}><div {dress("title_area")}><a class="title_link" href="{address}">'
        f'{marked(card.title, view.keyword)}</a></div><a {dress("dsc_link")} href="{address}">'
        f"{marked(card.text, view.keyword)}</a></div>"
    )
    outer = "bx" if view.device == "mobile" else "bx _bx"
    inner = f"<div {dress('view_wrap')}>{row}</div>" if scene.design != "mutated" else f"<div><div>{row}</div></div>"
    return f'<li class="{outer}">{inner}</li>'


def _article(card: Row, view: View, scene: Scene, *, numeric: bool) -> str:
    signed = f"{token(24, 'art', card.key)}.{token(90, 'jwt', card.key)}.{token(43, 'sig', card.key)}"
    tail = f"?art={signed}&q={quote(view.keyword)}"
    if view.device != "mobile":
        return card.url + tail
    slug, article = card.key.split("/")
    if numeric and card.value % 6 == 0:
        return (
            f"https://m.cafe.naver.com/ca-fe/web/cafes/{cafe(scene.world.seed, slug).club_id}/articles/{article}{tail}"
        )
    return f"https://m.cafe.naver.com/{slug}/{article}{tail}"


def _decoys(view: View, scene: Scene) -> str:
    """Option rows and rows that name a cafe: `li.bx` without a post."""
    options = "".join(
        f'<li class="bx"><a href="?st={value}">{name}</a></li>'
        for name, value in (("관련도순", "rel"), ("최신순", "date"))
    )
    names = "".join(
        f'<li class="bx"><div class="name_area"><a class="cafe_name" href="{row.author_url}">{escape(row.author)}</a>'
        "</div></li>"
        for row in scene.world.organic(view, 1, 2)
    )
    return f"<ul>{options}</ul><ul>{names}</ul>"
