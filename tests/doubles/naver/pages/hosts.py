"""robots.txt of each host, as far as it is known, and two hosts that only receive: for clicks and for logins."""

from __future__ import annotations

from typing import Final

from tests.doubles.naver.exchange import Ask, Scene
from tests.doubles.reply import Reply

_CLOSED: Final = "User-agent: *\nDisallow: /\n"
_SEARCH: Final = (
    "# This is an invented wording of a known rule: no access for AI training and retrieval\n"
    + _CLOSED
    + "".join(
        f"\nUser-agent: {agent}\nDisallow: /\n"
        for agent in (
            "GPTBot",
            "OAI-SearchBot",
            "ClaudeBot",
            "Claude-SearchBot",
            "PerplexityBot",
            "Google-Extended",
            "CCBot",
        )
    )
)
_FRONT_ONLY: Final = "User-agent: *\nDisallow: /\nAllow: /$\n"
_ROBOTS: Final = {
    "search": _SEARCH,
    "search_more": _SEARCH,
    "mobile_search": _SEARCH,
    "cafe": _CLOSED,
    "place": _FRONT_ONLY,
    "pcplace": _FRONT_ONLY,
    "place_graphql": _FRONT_ONLY,
    "map": _FRONT_ONLY,
}


def robots(ask: Ask) -> Reply:
    """robots.txt. The exact text of the place and map hosts is not known; of the rest there is none here."""
    text = _ROBOTS.get(ask.site)
    if text is None:
        return Reply(status=404, body=b"Not Found", content_type="text/plain")
    return Reply(body=text.encode(), content_type="text/plain; charset=UTF-8")


def answer_ader(ask: Ask, _scene: Scene) -> Reply:
    """The click host: an advert's token leads to the post it was made for, be it a tracked one."""
    encoded = ask.path.rsplit("/", 1)[-1].partition("~")[0]
    try:
        return Reply.redirect(bytes.fromhex(encoded).decode())
    except ValueError:
        return Reply.page("<!doctype html><title>404</title>", 404)


def answer_nid(_ask: Ask, _scene: Scene) -> Reply:
    """The login host: a form, and nothing behind it."""
    return Reply.page(
        '<!doctype html><html lang="ko"><head><meta charset="utf-8"><!-- replica: invented form -->'
        '<title>네이버 : 로그인</title></head><body><form id="frmNIDLogin"><input name="id">'
        '<input name="pw" type="password"></form></body></html>'
    )
