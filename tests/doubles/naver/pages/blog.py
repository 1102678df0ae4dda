"""The blog tab on the PC host, in its designs.

Known: list box, `data-template-id`, `data-heatmap-target`, link forms, the XLoad call. Invented: the
opaque values, the number of adverts, everything else inside a card.
"""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

from tests.doubles.naver.exchange import Ask, Scene
from tests.doubles.naver.pages.frame import (
    Dress,
    advert_address,
    endless,
    front_page,
    link,
    marked,
    no_results,
    search_page,
)
from tests.doubles.naver.rows import Row
from tests.doubles.naver.world import CARDS_PER_PAGE, View
from tests.doubles.reply import Reply
from tests.doubles.seeded import token

QUERY_INFO = "X-Prs-Query-Info"
_AD_HELP = "https://help.naver.com/alias/search/integration_m68.naver"


def tab(ask: Ask, scene: Scene) -> Reply:
    """`search.naver?ssc=tab.blog.all`: the first cards and the address of the next load."""
    if not ask.keyword:
        return Reply.page(front_page())
    view = view_of(ask, scene, "pc")
    pages = scene.world.page_count(view)
    if not pages:
        return Reply.page(search_page(ask.keyword, scene.world.seed, no_results(ask.keyword)))
    page = min(ask.step, pages) if scene.options.search_start == "honoured" else 1
    cards = cut(scene.world.page(view, page), scene)
    main = wrapped_list(cards, ask.keyword, scene.design)
    script = endless(next_url(view, scene, page), {QUERY_INFO: query_info(view, scene)}, scene.design)
    return Reply.page(search_page(ask.keyword, scene.world.seed, main, script=script))


def view_of(ask: Ask, scene: Scene, device: str) -> View:
    """The list that a request is about."""
    return View(rank_type="blog", keyword=ask.keyword, day=scene.day, device=device)


def cut(cards: tuple[Row, ...], scene: Scene) -> tuple[Row, ...]:
    """The cards, or three organic ones where the fault SHORT is on."""
    if not scene.short:
        return cards
    return tuple(card for card in cards if card.role == "organic")[:3]


def query_info(view: View, scene: Scene) -> str:
    """The opaque header value of a list."""
    return token(48, scene.world.seed, "query info", view.keyword, view.device)


def next_url(view: View, scene: Scene, page: int) -> str:
    """The address of the load after `page`, "" after the last."""
    if page >= scene.world.page_count(view) or (scene.short and scene.short_drops_next):
        return ""
    version = 48 if scene.design == "old" else 50
    values = {
        "ssc": "tab.m_blog.all" if view.device == "mobile" else "tab.blog.all",
        "api_type": "8",
        "query": view.keyword,
        "sm": "tab_jum",
        "page": str(page + 1),
        "start": str(page * CARDS_PER_PAGE + 1),
        "prank": str(page * CARDS_PER_PAGE),
        **issued(view, scene),
    }
    return f"{scene.urls['search_more']}/p/review/{version}/search.naver?{urlencode(values)}"


def issued(view: View, scene: Scene) -> dict[str, str]:
    """The opaque values that the page puts into the address of the next load."""
    names = ("enlu_query", "enqx_theme", "equery")
    return {name: token(40, scene.world.seed, name, view.keyword, view.device) for name in names}


def wrapped_list(cards: tuple[Row, ...], keyword: str, design: str) -> str:
    """The list box of a design with its cards."""
    inner = cards_html(cards, keyword, design)
    if design == "old":
        return f'<ul class="lst_view" data-replica-list>{inner}</ul>'
    dress = Dress(design)
    return (
        f"<section {dress('sc_new sp_nblog')}><div {dress('fds-ugc-single-intention-item-list-tab NtKCZd8')} "
        f"data-replica-list>{inner}</div></section>"
    )


def cards_html(cards: tuple[Row, ...], keyword: str, design: str) -> str:
    """The cards of one load."""
    if design == "old":
        return "".join(_old_card(card, keyword) for card in cards)
    dress = Dress(design)
    return "".join(
        _new_advert(card, keyword, dress) if _is_ader(card) else _new_card(card, keyword, dress) for card in cards
    )


def _is_ader(card: Row) -> bool:
    return card.style == "ader"


def _new_card(card: Row, keyword: str, dress: Dress) -> str:
    label = (
        f'<a href="{_AD_HELP}"><span {dress("sds-comps-text ad_label")}>광고</span></a>'
        if card.role == "advert"
        else ""
    )
    related = "".join(
        f'<a {dress("fds-related-link")} href="{escape(url)}" data-heatmap-target=".series">이전 글 {n}</a>'
        for n, url in enumerate(card.related, start=1)
    )
    group = f"<div {dress('fds-related')}><strong>이 블로그의 다른 글</strong>{related}</div>" if related else ""
    return (
        f'<div {dress("Orf2UUx fender-ui_228e3bd1")} data-template-id="ugcItem">{label}{_profile(card, dress)}'
        f'<a {dress("sc_title_link")} {link(card)} data-heatmap-target=".nblg" target="_blank">'
        f"<span {dress('sds-comps-text sds-comps-text-type-headline1')}>{marked(card.title, keyword)}</span></a>"
        f'<a {dress("sc_body_link")} {link(card)} data-heatmap-target=".nblg_body">'
        f"<span {dress('sds-comps-text sds-comps-text-type-body1')}>{marked(card.text, keyword)}</span></a>"
        f'<a {dress("sc_thumb")} {link(card)} data-heatmap-target=".thumb"><img alt="" loading="lazy"></a>{group}</div>'
    )


def _new_advert(card: Row, keyword: str, dress: Dress) -> str:
    address = advert_address(card)
    return (
        f'<div {dress("Orf2UUx fender-ui_228e3bd1")} data-template-id="ugcItem">'
        f'<a href="{_AD_HELP}"><span {dress("sds-comps-text ad_label")}>광고</span></a>{_profile(card, dress)}'
        f'<a {dress("sc_title_link")} href="{address}" data-heatmap-target=".tit">'
        f"<span {dress('sds-comps-text sds-comps-text-type-headline1')}>{marked(card.title, keyword)}</span></a>"
        f'<a href="{address}" data-heatmap-target=".dsc">{marked(card.text, keyword)}</a></div>'
    )


def _profile(card: Row, dress: Dress) -> str:
    return (
        f"<div {dress('sds-comps-profile-info-title')}><span {dress('sds-comps-profile-info-title-text')}>"
        f'<a href="{escape(card.author_url)}" data-heatmap-target="articleSourceJSX_title">{escape(card.author)}</a>'
        "</span>"
        f"<span {dress('sds-comps-profile-info-subtext')}>{card.written:%Y.%m.%d.}</span></div>"
    )


def _old_card(card: Row, keyword: str) -> str:
    ader = _is_ader(card)
    target = f'href="{advert_address(card)}"' if ader else link(card)
    label = (
        f'<a class="link_ad" href="{_AD_HELP}"><i class="spblog ico_ad">광고</i></a>' if card.role == "advert" else ""
    )
    related = "".join(f'<a class="elss" href="{escape(url)}">이 블로그의 다른 글</a>' for url in card.related)
    return (
        f'<li class="bx"><div class="view_wrap"><div class="user_box"><div class="user_info">'
        f'<a class="name" href="{escape(card.author_url)}">{escape(card.author)}</a>{label}'
        f'<span class="sub">{card.written:%Y.%m.%d.}</span></div></div><div class="detail_box"><div class="title_area">'
        f'<a class="title_link" {target}>{marked(card.title, keyword)}</a></div>'
        f'<a class="dsc_link" {target}>{marked(card.text, keyword)}</a></div>{related}</div></li>'
    )
