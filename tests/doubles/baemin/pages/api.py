"""The JSON service. Known: paths, parameters, the array's two names, most fields. Invented: `telephone`,
`operationStatus`, `temporaryStop`, the shape of `/v2/maintenance`, the texts of errors, and the reviews themselves."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tests.doubles.baemin.accounts import Account
from tests.doubles.baemin.conduct import Conduct
from tests.doubles.baemin.exchange import Answer, Ask
from tests.doubles.baemin.pages import reviews, screens
from tests.doubles.baemin.sessions import COOKIE, Session
from tests.doubles.baemin.shops import Shop
from tests.doubles.baemin.signing import HEADER
from tests.doubles.control_port import Json
from tests.doubles.reply import HTML, Reply

if TYPE_CHECKING:
    from tests.doubles.baemin.stage import Stage

_SEARCH: Final = "/v4/store/shops/search"
_STOPS: Final = "/v4/store/shops/temporary-stop-status/by-shop-owner-number"
_LARGEST_PAGE: Final = 100
_SENT_HEADERS: Final = f"service-channel, x-web-version, x-pathname-trace-key, {HEADER}"


def answer(ask: Ask, stage: Stage) -> Answer:
    """The answer to any request. Without a good header, or from elsewhere than the owner site: 403 without CORS."""
    if ask.headers.get("origin") != stage.urls["self"]:
        return _unsigned(stage, "foreign")
    if ask.method == "OPTIONS":
        wanted = ask.headers.get("access-control-request-headers", "")
        return _opened(Answer(reply=Reply(status=204)), stage) if HEADER in wanted else _unsigned(stage, "preflight")
    refusal = stage.signatures.refusal(ask.headers.get(HEADER, ""), ask.path, int(time.time() * 1000))
    if refusal:
        return _unsigned(stage, refusal)
    return _opened(_signed(ask, stage), stage)


def _unsigned(stage: Stage, why: str) -> Answer:
    stage.counters.count("unsigned")
    return Answer(reply=screens.refused(), fault=f"header: {why}")


def _opened(given: Answer, stage: Stage) -> Answer:
    headers = (
        ("Access-Control-Allow-Origin", stage.urls["self"]),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Allow-Headers", _SENT_HEADERS),
        ("Access-Control-Allow-Methods", "GET, OPTIONS"),
        ("Access-Control-Max-Age", "600"),
        ("Vary", "Origin"),
    )
    return replace(given, reply=replace(given.reply, headers=(*given.reply.headers, *headers)))


def _signed(ask: Ask, stage: Stage) -> Answer:
    if ask.path == "/v2/maintenance":
        return Answer(reply=Reply.data({"maintenance": stage.is_closed(stage.whose(ask))}))
    session = stage.sessions.find(ask.cookies.get(COOKIE, ""))
    if session is None:
        stage.counters.count("expiries")
        return Answer(reply=_error(401, "UNAUTHORIZED", "로그인이 필요합니다."), fault="no session")
    return _of_session(ask, stage, session)


def _of_session(ask: Ask, stage: Stage, session: Session) -> Answer:
    account, conduct = stage.accounts[session.login_id], stage.conduct(session.login_id)
    stage.counters.count("api_calls", account.login_id)
    session.api_calls += 1
    if conduct.session_calls and session.api_calls > conduct.session_calls:
        session.valid = False
        stage.counters.count("expiries", account.login_id)
        return Answer(reply=_error(401, "UNAUTHORIZED", "세션이 만료되었습니다."), fault="expired")
    if stage.uses_up(session):
        stage.counters.count("blocks", account.login_id)
        return Answer(reply=screens.refused(), fault="blocked")
    usual = _usual(ask, stage, account, conduct)
    if conduct.api == "ok" or not ask.path.startswith(conduct.api_path):
        return Answer(reply=usual)
    return _misbehaving(usual, stage, conduct.api)


def _misbehaving(usual: Reply, stage: Stage, way: str) -> Answer:
    replies: dict[str, Callable[[], Reply]] = {
        "error_500": lambda: _error(500, "INTERNAL_SERVER_ERROR", "일시적인 오류가 발생했습니다."),
        "unauthorised_401": lambda: _error(401, "UNAUTHORIZED", "로그인이 필요합니다."),
        "forbidden_403": screens.refused,
        "limited_429": lambda: _error(429, "TOO_MANY_REQUESTS", "요청이 너무 많습니다."),
        "cut": lambda: replace(usual, drop_after=len(usual.body) // 2),
        "wrong_type": lambda: replace(usual, content_type=HTML),
    }
    reply = replies[way]() if way in replies else usual
    return Answer(reply=reply, delay=stage.timing.slow_api if way == "slow" else 0.0, fault=f"api: {way}")


def _usual(ask: Ask, stage: Stage, account: Account, conduct: Conduct) -> Reply:
    parts = ask.parts
    if conduct.layout == "changed":
        return _other_design(ask, account)
    if ask.path in _FIXED:
        return _FIXED[ask.path](ask, account, conduct)
    if ask.path == f"/v4/store/shop-owners/{account.owner_number}":
        return Reply.data({"shopOwnerNumber": account.owner_number, "businessNo": account.business_no})
    shop = next((one for one in account.shops if one.number in parts), None)
    if shop is not None and parts == ["v4", "store", "shops", shop.number]:
        stage.counters.count("details", account.login_id)
        return _detail(shop, conduct)
    if shop is not None and parts[:4] == ["v1", "review", "shops", shop.number]:
        return reviews.answer(ask, stage.seed, shop)
    return _error(404, "NOT_FOUND", "찾을 수 없습니다.")


def _profile(_ask: Ask, account: Account, _conduct: Conduct) -> Reply:
    return Reply.data({"shopOwnerNumber": account.owner_number})


def _user_profile(_ask: Ask, account: Account, _conduct: Conduct) -> Reply:
    return Reply.data(
        {
            "shopOwnerNumber": account.owner_number,
            "memName": "모형사장",
            "decodedEmail": "owner@example.invalid",
            "decodedMobileNo": "010-0000-0000",
        }
    )


def _search(ask: Ask, account: Account, conduct: Conduct) -> Reply:
    if ask.query.get("shopOwnerNo") != account.owner_number:
        return _error(400, "INVALID_PARAMETER", "shopOwnerNo")
    rows = [{"shopNo": int(shop.number), "name": shop.name} for shop in account.shops if shop.in_search]
    return Reply.data({conduct.rows_key: _page(ask, rows)})


def _stops(ask: Ask, account: Account, _conduct: Conduct) -> Reply:
    rows = [{"shopNo": int(shop.number), "temporaryStop": shop.stopped} for shop in account.shops if shop.in_search]
    return Reply.data({"content": _page(ask, rows)})


def _page(ask: Ask, rows: list[Json]) -> list[Json]:
    """The rows after the cursor `lastOffsetId`, the highest number first when `desc` is true."""
    rows = sorted(rows, key=lambda row: int(row["shopNo"]), reverse=ask.query.get("desc") == "true")
    last, size = ask.query.get("lastOffsetId", ""), ask.query.get("pageSize", "")
    numbers = [str(row["shopNo"]) for row in rows]
    begin = numbers.index(last) + 1 if last in numbers else 0
    return rows[begin : begin + min(int(size) if size.isdecimal() else 50, _LARGEST_PAGE)]


def _detail(shop: Shop, conduct: Conduct) -> Reply:
    if shop.number in conduct.failing_details:
        return _error(500, "INTERNAL_SERVER_ERROR", "일시적인 오류가 발생했습니다.")
    if not shop.in_detail:
        return _error(404, "NOT_FOUND", "찾을 수 없습니다.")
    address: Json = {"latitude": shop.lat, "longitude": shop.lng}
    if shop.road_address is not None:
        address["road"] = {"address": shop.road_address}
    found: Json = {
        "shopNo": int(shop.number),
        "name": shop.name,
        "categories": [{"name": shop.category}],
        "address": address,
    }
    extras = {"telephone": shop.phone, "operationStatus": shop.status}
    return Reply.data(found | {name: value for name, value in extras.items() if value is not None})


def _other_design(ask: Ask, account: Account) -> Reply:
    if ask.path != "/v9/owner-space/cells":
        return _error(410, "GONE", "더 이상 제공하지 않습니다.")
    return Reply.data(
        {"payload": {"v": 9, "cells": [{"k": n, "v": shop.name} for n, shop in enumerate(account.shops)]}}
    )


def _error(status: int, kind: str, message: str) -> Reply:
    return Reply.data({"errorType": kind, "errorMessage": message}, status)


_FIXED: Final[dict[str, Callable[[Ask, Account, Conduct], Reply]]] = {
    "/v1/session/profile": _profile,
    "/v1/session/user-profile": _user_profile,
    _SEARCH: _search,
    _STOPS: _stops,
}
