"""Screens that stand in place of a page. The sentences of the two block screens and of the false 404 were seen; the
markup and all other words are invented."""

from __future__ import annotations

from typing import Final

from tests.doubles.baemin.pages.frame import document
from tests.doubles.reply import Reply

_LIMITED: Final = (
    "잠시 이용이 제한돼요",
    "비정상 동작이 감지되어 잠시 이용이 제한돼요",
    "잠시 후 다시 시도해 주세요",
)
_REFUSED: Final = "죄송합니다. 올바르지 않은 요청으로 페이지를 보실 수 없습니다"
_REFUSED_TITLE: Final = "보안 위배 접근 제한"


def bridge() -> Reply:
    """The block screen of the owner site."""
    title, why, what = _LIMITED
    return document("배민셀프서비스", f"<main><h1>{title}</h1><p>{why}</p><p>{what}</p></main>")


def refused() -> Reply:
    """The other block page, with status 403."""
    return document(_REFUSED_TITLE, f"<h2>{_REFUSED_TITLE}</h2><p>{_REFUSED}</p>", 403)


def not_found() -> Reply:
    """What the owner site shows at its own /login, with status 200: the application draws it."""
    return document(
        "배민셀프서비스",
        "<main><h1>페이지를 찾을 수 없음</h1>"
        '<button type="button" onclick="location.href=\'/\'">홈으로 이동</button></main>',
    )


def start(login: str) -> Reply:
    """The page for visitors without a session."""
    return document("배민셀프서비스", f'<main><h1>배민셀프서비스</h1><a href="{login}">셀프서비스 시작하기</a></main>')


def maintenance() -> Reply:
    """Closed for maintenance (invented)."""
    return document(
        "시스템 점검 안내",
        "<main><h1>시스템 점검 중입니다</h1><p>모형 점검이 끝나면 다시 이용할 수 있어요.</p></main>",
        503,
    )


def server_error(status: int) -> Reply:
    """A short page of the server in front."""
    return Reply.page(
        f"<html><head><title>{status}</title></head><body><center>{status}</center></body></html>", status
    )
