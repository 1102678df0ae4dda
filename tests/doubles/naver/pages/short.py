"""`naver.me`: short links. Which codes exist is told by the scenario; any other code is 404."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from tests.doubles.naver.exchange import Ask, Scene
from tests.doubles.reply import Reply

_MISSING = "<!doctype html><html><head><title>naver.me</title></head><body><p>없는 주소입니다.</p></body></html>"


def answer(ask: Ask, scene: Scene) -> Reply:
    """One hop of a short link. `two_hops` passes through a second code, `loop` never ends."""
    code, _, hop = ask.path.strip("/").partition("~")
    link = scene.world.scenario.short_links.get(code)
    if link is None or link.kind == "missing":
        return Reply.page(_MISSING, 404)
    target = quote(link.location, safe=":/?&=%#+,;@")
    match link.kind:
        case "two_hops" if not hop:
            return Reply.redirect(f"{scene.urls['short']}/{code}~2", 301)
        case "loop":
            return Reply.redirect(f"{scene.urls['short']}/{code}" + ("" if hop else "~2"))
        case "interstitial":
            return Reply.page(_interstitial(target))
        case _:
            return Reply.redirect(target)


def _interstitial(target: str) -> str:
    return (
        '<!doctype html><html lang="ko"><head><meta charset="utf-8"><!-- replica: invented page -->'
        f'<meta http-equiv="refresh" content="0; url={escape(target)}"><title>naver.me</title></head>'
        f'<body><a href="{escape(target)}">이동하기</a></body></html>'
    )
