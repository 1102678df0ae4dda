"""The odd corner of the shop: every way in which a page or a link is not what it seems.

`a` and `area` elements are links, and so are the sources of frames and link elements that say next or prev; forms,
images, styles and all other link elements are not.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from tests.doubles.web.hosts.shop_files import encoded, files
from tests.doubles.web.page import Link, Page
from tests.doubles.web.words import korean

SESSION: Final = "SESSION-ID"
"""The server puts a new 32-digit session id in its place in every answer."""

GROWING: Final = (50, 100, 200, 400, 800, 1600, 3200)
"""Lengths of a query that grows with every step; addresses over 2,000 characters are a trap."""

_CALENDAR: Final = re.compile(r"/calendar/(\d{4})/(\d{1,2})(?:/(\d{1,2}))?")
_WINDING: Final = re.compile(r"/winding/(?:x/y/)*")
_MONTHS: Final = 12


def oddities() -> dict[str, Page]:
    """All of them, with `/odd` that leads to each."""
    corner = (
        redirects()
        | indexing()
        | log_outs()
        | sessions()
        | spellings()
        | slow()
        | statuses()
        | growing()
        | base()
        | frames()
    )
    corner |= {"/calendar": _plain("달력", Link(href="/calendar/2026/1", text="1월"))}
    entries = [Link(href=target, text=page.title or target) for target, page in corner.items() if target in ENTRIES]
    return corner | encoded() | files() | robots_rooms() | {"/odd": _entrance(entries)}


ENTRIES: Final = frozenset(
    {
        "/redirects", "/indexing", "/log-outs", "/sessions", "/spellings", "/slow/a", "/slow/short", "/statuses",
        "/grow", "/base/page", "/calendar", "/frames",
    }
)  # fmt: skip
"""The rooms of the corner."""


def _entrance(entries: list[Link]) -> Page:
    rest = ("/encodings", "/files", "/winding/", "/rooms")
    return Page(
        title="별난 곳",
        sentences=korean(3, "odd"),
        links=(
            *entries,
            *(Link(href=target, text=target) for target in rest),
            Link(href="mailto:shop@shop.invalid", to="", text="편지"),
            Link(href="javascript:void(0)", to="", text="열기"),
            Link(href="tel:+82-2-000-0000", to="", text="전화"),
            Link(href="data:text/html,x", to="", text="자료"),
            Link(href="http://[", to="", text="깨진 주소"),
            Link(href="#top", to="/odd", text="위로"),
            Link(href="", to="/odd", text="다시"),
            Link(href="https://elsewhere.invalid/page", text="바깥"),
            Link(href="http://crowd.replica/", text="이웃"),
        ),
    )


def _plain(title: str, *links: Link) -> Page:
    return Page(title=title, sentences=korean(4, "odd", title), links=links)


def _to(*targets: str) -> tuple[Link, ...]:
    return tuple(Link(href=target, text=f"{target} 보기") for target in targets)


def redirects() -> dict[str, Page]:
    """Moves of every kind; their targets are linked from nowhere else."""
    hops = {
        "/r/301": Page(status=301, location=Link(href="/moved/a")),
        "/r/302": Page(status=302, location=Link(href="http://shop.replica/moved/b", to="/moved/b")),
        "/r/303": Page(status=303, location=Link(href="../moved/c", to="/moved/c")),
        "/r/307": Page(status=307, location=Link(href="//127.0.0.1:shop.port/moved/d", to="/moved/d")),
        "/r/308": Page(status=308, location=Link(href="/moved/e#part", to="/moved/e")),
        "/r/hangul": Page(status=302, location=Link(href="/moved/한글", to="/moved/%ED%95%9C%EA%B8%80")),
        "/r/chain-1": Page(status=301, location=Link(href="/r/chain-2")),
        "/r/chain-2": Page(status=302, location=Link(href="/r/chain-3")),
        "/r/chain-3": Page(status=308, location=Link(href="/moved/f")),
        "/r/loop-a": Page(status=302, location=Link(href="/r/loop-b")),
        "/r/loop-b": Page(status=302, location=Link(href="/r/loop-a")),
        "/r/self": Page(status=302, location=Link(href="/r/self")),
        "/r/journal": Page(status=302, location=Link(href="http://journal.replica/about")),
        "/r/private": Page(status=302, location=Link(href="/admin/stock")),
        "/r/lost": Page(status=302, location=Link(href="/no/such/page")),
        "/r/nowhere": Page(status=302, failure="upstream_error"),
    }
    entries = [target for target in hops if target not in {"/r/chain-2", "/r/chain-3", "/r/loop-b"}]
    ends = (*(f"/moved/{letter}" for letter in "abcdef"), "/moved/%ED%95%9C%EA%B8%80")
    return {
        "/redirects": _plain("옮긴 곳", *_to(*entries)),
        **hops,
        **{end: _plain(f"옮겨 온 글 {end[7:]}", *_to(f"/after{end}")) for end in ends},
        **{f"/after{end}": _plain(f"그다음 글 {end[7:]}") for end in ends},
    }


def indexing() -> dict[str, Page]:
    """noindex and nofollow, in the page, in its headers and on links."""
    rooms = {
        "/ix/noindex": Page(title="색인 거절", robots="noindex", noindex=True, links=_to("/ix/behind-noindex")),
        "/ix/nofollow": Page(title="막다른 길", robots="index, nofollow", nofollow=True,
                             links=_to("/ix/behind-nofollow")),
        "/ix/none": Page(title="모두 거절", robots="NONE", noindex=True, nofollow=True, links=_to("/ix/behind-none")),
        "/ix/x-noindex": Page(title="머리로 거절", headers=(("X-Robots-Tag", "noindex"),), noindex=True,
                              links=_to("/ix/behind-x-noindex")),
        "/ix/x-nofollow": Page(title="머리로 막음", headers=(("X-Robots-Tag", "noarchive, nofollow"),), nofollow=True,
                               links=_to("/ix/behind-x-nofollow")),
        "/ix/other-bot": Page(title="남의 규칙", headers=(("X-Robots-Tag", "otherbot: noindex, nofollow"),),
                              links=_to("/ix/behind-other-bot")),
        "/ix/rel": Page(title="링크마다", links=(
            Link(href="/ix/only-nofollow", rel="nofollow noopener", text="광고"),
            Link(href="/ix/both-ways", rel="nofollow", text="광고이자 글"),
            Link(href="/ix/both-ways", text="글"),
        )),
    }  # fmt: skip
    behind = [link.href for page in rooms.values() for link in page.links]
    ends = {target: _plain(f"{target} 뒤") for target in behind}
    full = {target: replace_sentences(page, target) for target, page in rooms.items()}
    return {"/indexing": _plain("색인", *_to(*rooms)), **full, **ends}


def replace_sentences(page: Page, key: str) -> Page:
    """The page with sentences of its own."""
    return replace(page, sentences=korean(4, key))


def log_outs() -> dict[str, Page]:
    """Links that end a session, by path or by text; the truth is that none is ever asked for."""
    named = ("/logout.php", "/member/sign_out", "/account/log-out", "/users/signout", "/auth/logoff")
    links = [Link(href=target, text="나가기", log_out=True) for target in named]
    links += [
        Link(href="/member/exit", text="로그아웃", log_out=True),
        Link(href="/member/leave", text="Log out", log_out=True),
    ]
    ends = {link.href: Page(title="안녕히 가세요", skipped="log_out") for link in links}
    ends["/member/logout"] = Page(title="안녕히 가세요", skipped="log_out")
    return {"/log-outs": _plain("내 자리", *links, *_to("/member/log-of-visits")), **ends} | {
        "/member/log-of-visits": _plain("방문 기록")
    }


def sessions() -> dict[str, Page]:
    """Session ids in links, new in every answer: one page each, whatever the id."""
    steps = {
        f"/walk/{step}": Page(
            title=f"산책 {step}",
            sentences=korean(4, "walk", step),
            links=(Link(href=f"/walk/{step % 5 + 1}?PHPSESSID={SESSION}", to=f"/walk/{step % 5 + 1}", text="다음"),),
        )
        for step in range(1, 6)
    }
    entries = (
        Link(href=f"/walk/1?PHPSESSID={SESSION}", to="/walk/1", text="산책"),
        Link(href=f"/visit;jsessionid={SESSION}", to="/visit", text="방문"),
        Link(href=f"/visit?sid={SESSION}", to="/visit", text="방문"),
        Link(href="/visit?sid=7", text="일곱째 방문"),
    )
    return {
        "/sessions": _plain("번호표", *entries),
        **steps,
        "/visit": _plain("방문"),
        "/visit?sid=7": _plain("일곱째 방문"),
    }


def spellings() -> dict[str, Page]:
    """Many spellings of few addresses. Query order and the case of a path matter; the rest does not."""
    same = "/spelling/one"
    written = (
        "HTTP://127.0.0.1:shop.port/spelling/one", "http://127.1:shop.port/spelling/one",
        "http://2130706433:shop.port/spelling/one", "http://0x7f.0.0.1:shop.port/spelling/one",
        "//127.0.0.1:shop.port/spelling/one", "/spelling/./one", "/spelling/x/../one", "/spelling/%2e/one",
        "\\spelling\\one", "/spelling/one#a", "/spelling/one#b?c", "  /spelling/one  ", "/spel\nling/one",
        "/spelling/one?utm_source=x&utm_campaign=y", "/spelling/one?gclid=1a", "/spelling/one?fbclid=2b",
    )  # fmt: skip
    hangul = "/spelling/%EC%B0%BB%EC%9E%94"
    links = [Link(href=href, to=same, text="하나") for href in written]
    links += [Link(href=hangul, text="찻잔"), Link(href="/spelling/찻잔", to=hangul, text="찻잔")]
    links += _to("/spelling/two?a=1&b=2", "/spelling/two?b=2&a=1", "/spelling/ONE", "/~seller", "/%7Eseller")
    links.append(Link(href="/spelling/map", tag="area", text="지도"))
    ends = (
        same,
        hangul,
        "/spelling/two?a=1&b=2",
        "/spelling/two?b=2&a=1",
        "/spelling/ONE",
        "/~seller",
        "/spelling/map",
    )
    return {"/spellings": _plain("여러 이름", *links), **{end: _plain(f"이름 {end}") for end in ends}}


def slow() -> dict[str, Page]:
    """A short way to a page whose first step is slow, and a long way that is quick."""
    chain = ("/slow/a", "/slow/b", "/slow/c", "/slow/goal", "/slow/goal-2", "/slow/goal-3", "/slow/goal-4")
    pages = {step: _plain(f"길 {step[6:]}", *_to(*chain[place + 1 : place + 2])) for place, step in enumerate(chain)}
    short = replace(_plain("지름길", *_to("/slow/goal")), delay=1.5)
    return pages | {"/slow/short": short}


def statuses() -> dict[str, Page]:
    """Answers that are no pages, for good or for now."""
    rooms = {
        "/status/404": Page(title="없음", status=404, links=_to("/status/from-404")),
        "/status/410": Page(title="사라짐", status=410),
        "/status/403": Page(title="금지", status=403),
        "/status/400": Page(title="잘못", status=400),
        "/status/500": Page(title="고장", status=500),
        "/status/503-twice": replace(_plain("잠시 쉼", *_to("/status/after-503")), first_statuses=(503, 503)),
        "/status/429-once": replace(_plain("붐빔", *_to("/status/after-429")), first_statuses=(429,), retry_after="1"),
        "/status/empty": Page(title="", body=b""),
    }
    ends = {"/status/after-503": _plain("쉰 뒤"), "/status/after-429": _plain("붐빈 뒤")}
    unseen = {"/status/from-404": _plain("없는 글의 링크")}
    return {"/statuses": _plain("상태", *_to(*rooms)), **rooms, **ends, **unseen}


def growing() -> dict[str, Page]:
    """A query that grows at every step, until its length is a trap."""
    targets = ["/grow", *(f"/grow?q={'a' * length}" for length in GROWING)]
    return {
        target: Page(
            title="자라는 주소",
            sentences=korean(3, "grow", place),
            links=_to(*targets[place + 1 : place + 2]),
            skipped="trap" if len(target) > GROWING[-1] else "",
        )
        for place, target in enumerate(targets)
    }


def base() -> dict[str, Page]:
    """A base element moves all relative links of its page."""
    links = (Link(href="leaf", to="/base/inside/leaf", text="잎"), Link(href="/base/root", text="뿌리"))
    page = Page(title="바탕", sentences=korean(3, "base"), links=links, base="/base/inside/")
    return {"/base/page": page, "/base/inside/leaf": _plain("안쪽 잎"), "/base/root": _plain("뿌리")} | {
        "/base/leaf": _plain("바탕을 모르는 이가 찾는 잎")
    }


def frames() -> dict[str, Page]:
    """Links that are no `a` elements, and addresses in a page that are no links."""
    links = (
        Link(href="/frames/inside", tag="iframe", text="안쪽"),
        Link(href="/frames/next", tag="link", rel="next"),
        Link(href="/frames/style.css", tag="link", rel="stylesheet", to=""),
        Link(href="/frames/picture.png", tag="img", to=""),
        Link(href="/frames/search", tag="form", to=""),
        Link(href="/frames/comment", tag="comment", to=""),
    )
    ends = ("/frames/inside", "/frames/next", "/frames/search", "/frames/comment")
    return {"/frames": _plain("액자", *links), **{end: _plain(f"액자 {end}") for end in ends}}


def robots_rooms() -> dict[str, Page]:
    """Pages at the edges of what robots.txt keeps out."""
    inside = ("/admin/stock", "/cart", "/cartoon", "/secret", "/%EB%B9%84%EA%B3%B5%EA%B0%9C/1", "/deep/7/draft")
    outside = ("/admin/help", "/secret-garden", "/secret?open=1", "/deep/7/final", "/admin")
    rooms = {target: _plain(f"방 {target}") for target in (*inside, *outside)}
    rooms["/admin/stock"] = _plain("재고", *_to("/admin/stock/2"))
    return {"/rooms": _plain("방", *_to(*inside, *outside)), **rooms}


def endless(target: str) -> Page | None:
    """Families without end: a calendar, and a relative link that grows by itself."""
    if _WINDING.fullmatch(target):
        links = (Link(href="x/y/", to=f"{target}x/y/", text="더"),)
        return Page(title="굽은 길", sentences=korean(2, "winding"), links=links, endless=True)
    date = _CALENDAR.fullmatch(target)
    if date is None:
        return None
    year, month = int(date[1]), int(date[2])
    if not 1 <= month <= _MONTHS:
        return None
    return _day(target) if date[3] else _month(year, month)


def _month(year: int, month: int) -> Page:
    after, before = divmod(year * _MONTHS + month, _MONTHS), divmod(year * _MONTHS + month - 2, _MONTHS)
    days = _to(*(f"/calendar/{year}/{month}/{day}" for day in range(1, 29)))
    around = _to(*(f"/calendar/{in_year}/{place + 1}" for in_year, place in (after, before)))
    return Page(title=f"{year}년 {month}월", sentences=("잡힌 일이 없습니다.",), links=(*around, *days), endless=True)


def _day(target: str) -> Page:
    return Page(title=f"{target[10:]} 일정", sentences=("잡힌 일이 없습니다.",), endless=True)
