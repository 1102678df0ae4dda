"""Place lists on `m.place` (phone) and `pcmap.place` (PC): Apollo state of the first batch, first rows as HTML, script.

Known: addresses, parameters, one script tag with two states, ids and `data-*` of rows, the scroll box. Invented: how
many rows are in the first HTML, the page buttons' markup, the rule that the script appends by.
"""

from __future__ import annotations

import re
from functools import cache
from html import escape
from pathlib import Path
from typing import Final

from tests.doubles.naver.exchange import Ask, Scene
from tests.doubles.naver.pages import place_detail, place_json
from tests.doubles.naver.pages.frame import INVENTED, Dress, script_json
from tests.doubles.naver.rows import Row
from tests.doubles.naver.world import View
from tests.doubles.reply import Reply

ROWS_IN_HTML: Final = 15
PC_PAGE: Final = 70
PC_PAGES: Final = 5
LARGEST_DISPLAY: Final = 100
_LIST: Final = re.compile(r"/([a-z]+)/list/?")
_AD_HELP: Final = "https://help.naver.com/support/alias/NSP/NSP_53.naver"
_NO_SUCH_LIST: Final = frozenset({"cafe"})
_ROW_CLASSES: Final = {"restaurant": "UEzoS", "hospital": "p0FrU", "hairshop": "p0FrU"}


def answer(ask: Ask, scene: Scene) -> Reply:
    """Everything on a place host: lists, and pages of single places."""
    found = _LIST.fullmatch(ask.path)
    if found is None:
        return place_detail.answer(ask, scene)
    if found[1] in _NO_SUCH_LIST:
        return Reply.page("<!doctype html><title>404</title><p>페이지를 찾을 수 없습니다.</p>", 404)
    return _list_page(ask, found[1], scene)


def _list_page(ask: Ask, vertical: str, scene: Scene) -> Reply:
    view = View(
        rank_type="place",
        keyword=ask.keyword,
        day=scene.day,
        device="pc" if ask.site == "pcplace" else "mobile",
        vertical=vertical,
        x=ask.coordinate("x"),
        y=ask.coordinate("y"),
    )
    first = PC_PAGE if view.device == "pc" else scene.world.keyword("place", view.keyword).first_batch
    honoured = scene.options.place_start == "honoured"
    display = min(ask.whole("display", first), LARGEST_DISPLAY) if honoured else first
    start = max(ask.whole("start", 1), 1) if honoured else 1
    rows = slice_rows(view, start, display, scene)
    return Reply.page(_html(view, rows, start, display, scene))


def slice_rows(view: View, start: int, display: int, scene: Scene) -> tuple[Row, ...]:
    """`display` rows from row `start` (1-based) of a list, three where the fault SHORT is on; no keyword, no rows."""
    rows = scene.world.place_rows(view, start, display) if view.keyword else ()
    return rows[:3] if scene.short else rows


def _html(view: View, rows: tuple[Row, ...], start: int, display: int, scene: Scene) -> str:
    state = place_json.apollo_state(view, rows, start, display, scene)
    adverts = _adverts_by_row(view, start, scene)
    shown = "".join(
        "".join(_advert_row(advert, view, scene) for advert in adverts.get(number, ())) + _row(row, number, view, scene)
        for number, row in enumerate(rows[:ROWS_IN_HTML], start=1)
    )
    empty = "" if rows or start > 1 else '<div class="FYvSc">조건에 맞는 업체가 없습니다.</div>'
    return (
        f'<!doctype html><html lang="ko"><head><meta charset="utf-8">{INVENTED}<title>'
        f"{escape(view.keyword)} - 네이버 지도</title>"
        "<style>.captcha{display:none}li{min-height:80px}"
        "#_pcmap_list_scroll_container.pc{height:600px;overflow-y:auto}</style></head><body>"
        f'<div id="_pcmap_list_scroll_container" class="{view.device}"><ul>{shown}</ul></div>{empty}'
        f"{_buttons(view, scene)}"
        f"<script>window.__APOLLO_STATE__ = {script_json(state)};\n"
        f"window.__PLACE_STATE__ = {script_json({'query': view.keyword, 'note': '}; </div>'})};\n"
        f'window.__LOCATION_STATE__ = {{}};window.__ncaptcha_api = {{"enabled":false}};</script>'
        f"<script>{_script_settings(view, start, display, scene)}\n{list_script()}</script></body></html>"
    )


def _adverts_by_row(view: View, start: int, scene: Scene) -> dict[int, list[Row]]:
    """Adverts of the first load, by the number of the row before which they stand."""
    found: dict[int, list[Row]] = {}
    for before, row in scene.world.adverts(view, 1) if start == 1 else ():
        found.setdefault(before, []).append(row)
    return found


def _row(row: Row, number: int, view: View, scene: Scene) -> str:
    dress = Dress(scene.design)
    nested = scene.world.keyword("place", view.keyword).has_trap("nested_promo") and number % 7 == 4
    promo = f"<ul {dress('Promo1')}><li {dress('UEzoS')}>새로 오픈했어요</li></ul>" if nested else ""
    exposure = "undefined" if number % 2 else "undefinedundefined"
    return (
        f'<li {_row_class(view, dress)} data-laim-exp-id="{exposure}"><div {dress("CHC5F")}>'
        f'<a {dress("tzwk0")} {_address(row, view)} role="button"><div {dress("place_bluelink bSoi3")}>'
        f"<span {dress('TYaxT YwYLL')}>{escape(row.title)}</span>"
        f"<span {dress('KCMnt YzBgS')}>{escape(row.text)}</span></div></a>{promo}</div></li>"
    )


def _advert_row(row: Row, view: View, scene: Scene) -> str:
    dress = Dress(scene.design)
    return (
        f'<li {_row_class(view, dress)} data-laim-exp-id="undefined*e"><div {dress("CHC5F")}>'
        f'<a href="{_AD_HELP}" {dress("gU6bV _DHlh")}><span>광고</span></a><a {dress("tzwk0")} {_address(row, view)}>'
        f"<span {dress('TYaxT YwYLL')}>{escape(row.title)}</span></a></div></li>"
    )


def _row_class(view: View, dress: Dress) -> str:
    return dress("OXiLu" if dress.design == "old" else _ROW_CLASSES.get(view.vertical, "VLTHu"))


def _address(row: Row, view: View) -> str:
    if view.device == "pc" or not row.key:
        return 'href="#"'
    return f'href="https://m.place.naver.com/{view.vertical}/{row.key}?entry=pll"'


def _buttons(view: View, scene: Scene) -> str:
    if view.device != "pc":
        return ""
    pages = min(PC_PAGES, -(-scene.world.place_length(view) // PC_PAGE)) if view.keyword else 0
    buttons = "".join(f'<a role="button" href="#" data-page="{page}">{page}</a>' for page in range(1, pages + 1))
    return (
        f'<div class="zRM9F" id="_pcmap_pages">{buttons}<a role="button" href="#" data-page="next">다음페이지</a></div>'
    )


def _script_settings(view: View, start: int, display: int, scene: Scene) -> str:
    settings = {
        "graphql": f"{scene.urls['place_graphql']}/graphql",
        "device": view.device,
        "vertical": view.vertical,
        "keyword": view.keyword,
        "x": None if view.x is None else str(view.x),
        "y": None if view.y is None else str(view.y),
        "start": start,
        "display": display,
        "shown": ROWS_IN_HTML,
        "rowClass": _row_class(view, Dress(scene.design))[7:-1],
    }
    return f"window.__REPLICA__ = {script_json(settings)};"


@cache
def list_script() -> str:
    """The script of the list page."""
    return (Path(__file__).parent / "place_list.js").read_text(encoding="utf-8")
