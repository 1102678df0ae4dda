"""Which page a search address means, on the PC host, the phone host and the host of further loads."""

from __future__ import annotations

from urllib.parse import unquote

from tests.doubles.naver.exchange import Ask, Scene
from tests.doubles.naver.pages import blog, blog_mobile, blog_more, cafe, integrated
from tests.doubles.naver.pages.frame import front_page
from tests.doubles.reply import Reply

_BLOG = frozenset({"tab.blog.all", "blog"})
_CAFE = frozenset({"tab.cafe.all", "article", "articleg"})
_MOBILE_BLOG = frozenset({"tab.m_blog.all", "m_blog"})
_MOBILE_CAFE = frozenset({"tab.m_cafe.all", "m_cafe"})


def answer_pc(ask: Ask, scene: Scene) -> Reply:
    """`search.naver.com`."""
    if ask.path == "/p/crd/rd":
        return Reply.redirect(unquote(ask.query.get("u", "https://www.naver.com/")))
    if ask.path != "/search.naver":
        return _not_found()
    wanted = _wanted(ask)
    if wanted & _BLOG:
        return blog.tab(ask, scene)
    if wanted & _CAFE:
        return cafe.tab(ask, scene, "pc")
    return integrated.answer(ask, scene, "pc") if ask.keyword else Reply.page(front_page())


def answer_mobile(ask: Ask, scene: Scene) -> Reply:
    """`m.search.naver.com`."""
    if ask.path != "/search.naver":
        return _not_found()
    wanted = _wanted(ask)
    if wanted & (_MOBILE_BLOG | _BLOG):
        return blog_mobile.tab(ask, scene)
    if wanted & (_MOBILE_CAFE | _CAFE):
        return cafe.tab(ask, scene, "mobile")
    return integrated.answer(ask, scene, "mobile") if ask.keyword else Reply.page(front_page())


def answer_more(ask: Ask, scene: Scene) -> Reply:
    """`s.search.naver.com`: the number in the path is a version and does not matter."""
    if ask.path.startswith("/p/review/"):
        return blog_more.load(ask, scene)
    if ask.path.startswith("/p/cafe/"):
        return cafe.load(ask, scene)
    return _not_found()


def _wanted(ask: Ask) -> set[str]:
    return {ask.query.get("ssc", ""), ask.query.get("where", "")}


def _not_found() -> Reply:
    return Reply.page("<!doctype html><title>404</title>", 404)
