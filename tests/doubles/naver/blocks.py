"""The pages that Naver shows in place of results. The sentences are those that were seen; the markup is invented."""

from __future__ import annotations

import json
from typing import Final

from tests.doubles.naver.exchange import Ask
from tests.doubles.reply import Reply
from tests.doubles.seeded import number, token

SEARCH_LIMITED: Final = "검색 서비스 이용이 제한되었습니다"
PLACE_LIMITED: Final = "서비스 이용이 제한되었습니다"
_INVENTED: Final = "<!-- replica: markup of this page is invented -->"
_S403_BYTES: Final = 28_000


def search_limited(client: str, status: int) -> Reply:
    """S403 and S200: the search hosts refuse, with a security step. About 28 KB with status 403."""
    captcha = '<div id="ncpt"><img alt="자동입력 방지 문자"></div>' if status == 200 else ""
    text = (
        f'<!doctype html><html lang="ko"><head><meta charset="utf-8"><title>NAVER</title>{_INVENTED}'
        f"<style>{_filler(_S403_BYTES)}</style></head><body><h1>{SEARCH_LIMITED}</h1>"
        "<p>프로그램을 사용해 같은 검색어를 대량으로 반복해서 입력하는 등의 접근이 확인되어 이용을 제한합니다.</p>"
        f'<form method="post" action="/security"><p>보안 절차를 마치면 다시 이용할 수 있습니다.</p>{captcha}'
        f'<button>제한 해제</button></form><p class="ip">IP {client}</p></body></html>'
    )
    return Reply.page(text, status)


def place_limited(client: str, status: int, retry_after: int | None) -> Reply:
    """P429 and P200: the place hosts refuse and print the caller's address."""
    text = (
        f'<!doctype html><html lang="ko"><head><meta charset="utf-8"><title>네이버 플레이스</title>{_INVENTED}</head>'
        f"<body><h2>{PLACE_LIMITED}</h2><p>과도한 접근 요청으로 {PLACE_LIMITED}.</p>"
        f"<p>잠시 후 다시 시도해주세요.</p><p>{client}</p></body></html>"
    )
    headers = (("Retry-After", str(retry_after)),) if retry_after is not None else ()
    return Reply(status=status, body=text.encode(), headers=headers)


def graphql_captcha() -> Reply:
    """G405: a captcha page where JSON was due."""
    text = (
        f'<!doctype html><html><head><meta charset="utf-8">{_INVENTED}<script src="/wtm_captcha.js"></script></head>'
        '<body><div id="wtm"></div><script>new WtmCaptcha({el:"wtm"})</script></body></html>'
    )
    return Reply.page(text, 405)


def graphql_errors() -> Reply:
    """GERR: GraphQL says 200 and carries only errors."""
    return Reply.data([{"errors": [{"message": "Too many requests", "extensions": {"code": "LIMITED"}}], "data": None}])


def map_captcha() -> Reply:
    """CE: what allSearch answers without a token. The envelope is not known; the code is."""
    return Reply.data({"ncaptcha": {"code": "CE_EMPTY_TOKEN", "provider": "ncpt.naver.com"}})


def login(base: str, target: str) -> Reply:
    """LOGIN: off to the login host."""
    return Reply.redirect(f"{base}/nidlogin.login?mode=form&url={target}")


def server_error(status: int, retry_after: int | None) -> Reply:
    """500, 502, 503: a short page of the server in front."""
    headers = (("Retry-After", str(retry_after)),) if retry_after is not None else ()
    text = f"<html><head><title>{status}</title></head><body><center>{status}</center></body></html>"
    return Reply(status=status, body=text.encode(), headers=headers)


def garbage(ask: Ask, was_json: bool) -> Reply:
    """GARBAGE: a page of normal size and status in a layout nobody has seen; none of the known markers is in it."""
    if was_json:
        cells = [{"k": token(12, ask.keyword, n), "v": [number(ask.keyword, n) % 90, "나무"]} for n in range(60)]
        return Reply.data({"payload": {"v": 9, "cells": cells}})
    cells_html = "".join(
        f'<section class="q{token(7, n)}"><b class="w{token(6, n, 1)}">{ask.keyword} 나무와 돌 {n}</b>'
        f'<i data-k="{token(20, ask.keyword, n)}">오늘의 이야기를 모아 보았습니다. 천천히 읽어 보세요.</i></section>'
        for n in range(120)
    )
    text = (
        '<!doctype html><html lang="ko"><head><meta charset="utf-8"><title>검색</title></head>'
        f'<body><main class="z{token(5, ask.site)}">{cells_html}</main>'
        f"<script>self.__f=self.__f||[];self.__f.push({json.dumps(token(4000, ask.keyword))})</script></body></html>"
    )
    return Reply.page(text)


def _filler(size: int) -> str:
    rule = ".c{n}{{margin:0;padding:0;color:#333;font-size:12px}}"
    return "".join(rule.format(n=n) for n in range(size // 54))
