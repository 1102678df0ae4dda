"""The loads of the endless blog list (`s.search.naver.com/p/review/50/search.naver`).

Known: the JSON of a load, and that the address must be the one that the page issued. Whether the header is needed too
is not known; see `Options.query_info_header`.
"""

from __future__ import annotations

from tests.doubles.naver.exchange import Ask, Scene
from tests.doubles.naver.pages import blog, blog_mobile
from tests.doubles.naver.world import View
from tests.doubles.reply import Reply


def load(ask: Ask, scene: Scene) -> Reply:
    """A load of the endless list. Without the values that the page issued: 200 and nothing."""
    view = blog.view_of(ask, scene, "mobile" if "m_blog" in ask.query.get("ssc", "") else "pc")
    if not _was_issued(ask, view, scene):
        return Reply(content_type="text/html")
    page = ask.whole("page", 0)
    if not 2 <= page <= scene.world.page_count(view):
        return Reply.data({"collection": [{"html": ""}], "url": ""})
    cards = blog.cut(scene.world.page(view, page), scene)
    if view.device == "mobile":
        html = blog_mobile.list_block(cards, scene)
    else:
        html = blog.cards_html(cards, ask.keyword, scene.design)
    return Reply.data({"collection": [{"html": html}], "url": blog.next_url(view, scene, page)})


def _was_issued(ask: Ask, view: View, scene: Scene) -> bool:
    if any(ask.query.get(name) != value for name, value in blog.issued(view, scene).items()):
        return False
    sent = ask.headers.get(blog.QUERY_INFO.lower())
    return sent == blog.query_info(view, scene) if scene.options.query_info_header else True
