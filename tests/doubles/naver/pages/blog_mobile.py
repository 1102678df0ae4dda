"""The blog tab on the phone host: cards travel as JSON in script calls.

Known: `bootstrap(` calls, `meta.area`, `refs.blockId`, `templateId`, the fields of an item and `clickLog.*.r`.
Invented: the nesting between them, the block of adverts, and that further loads bring the same script calls.
"""

from __future__ import annotations

import json
from urllib.parse import urlencode

from tests.doubles.naver.exchange import Ask, Scene
from tests.doubles.naver.pages import blog
from tests.doubles.naver.pages.frame import advert_address, endless, front_page, no_results, search_page
from tests.doubles.naver.rows import Row
from tests.doubles.naver.scenario import Json
from tests.doubles.reply import Reply


def tab(ask: Ask, scene: Scene) -> Reply:
    """`m.search ...?ssc=tab.m_blog.all`. A desktop browser is sent to the PC host."""
    if not ask.is_mobile:
        values = ask.query | {"ssc": "tab.blog.all"}
        return Reply.redirect(f"{scene.urls['search']}/search.naver?{urlencode(values)}")
    if not ask.keyword:
        return Reply.page(front_page())
    view = blog.view_of(ask, scene, "mobile")
    if not scene.world.page_count(view):
        return Reply.page(search_page(ask.keyword, scene.world.seed, no_results(ask.keyword)))
    more = endless(blog.next_url(view, scene, 1), {blog.QUERY_INFO: blog.query_info(view, scene)}, scene.design)
    main = (
        '<script>window.__SEARCH__={"ssc":"tab.m_blog.all"};var entry={bootstrap:function(){}};</script>'
        f"<div data-replica-list>{list_block(blog.cut(scene.world.page(view, 1), scene), scene)}</div>"
    )
    return Reply.page(search_page(ask.keyword, scene.world.seed, main, script=more))


def list_block(cards: tuple[Row, ...], scene: Scene) -> str:
    """The script call that carries the cards of one load."""
    items = [item(card, position) for position, card in enumerate(cards, start=1)]
    return bootstrap("urB_boR", f"ugc_blog_{scene.design}", items)


def bootstrap(area: str, block_id: str, items: list[Json]) -> str:
    """One `entry.bootstrap(...)` call."""
    block = {
        "meta": {"area": area, "version": "1.0"},
        "refs": {"blockId": block_id},
        "props": {"layout": {"children": [{"templateId": "ugcList", "props": {"children": items}}]}},
    }
    text = json.dumps(block, ensure_ascii=False).replace("</", "<\\/")
    return f'<div id="{block_id}"></div><script>entry.bootstrap(document.getElementById("{block_id}"), {text})</script>'


def item(card: Row, position: int) -> Json:
    """One card. `r` is the position on the screen and restarts in every block."""
    address = advert_address(card) if card.style == "ader" else card.url
    props: Json = {
        "title": card.title,
        "titleHref": address,
        "contentHref": address,
        "bodyText": card.text,
        "createdDate": f"{card.written:%Y.%m.%d.}",
        "sourceName": card.author,
        "sourceHref": card.author_url,
        "clickLog": {name: {"r": position, "i": f"{card.value:016x}"} for name in ("title", "content", "image")},
        "afterArticles": [{"title": "이 블로그의 다른 글", "href": url} for url in card.related],
    }
    if card.role == "advert":
        props["badge"] = {"text": "광고"}
    return {"templateId": "ugcItem", "props": props}
