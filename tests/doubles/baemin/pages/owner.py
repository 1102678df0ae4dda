"""The owner origin, "self": home, the pages of a shop, the owner's page, and the screens that stand in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from tests.doubles.baemin.accounts import Account
from tests.doubles.baemin.conduct import Conduct
from tests.doubles.baemin.exchange import Answer, Ask
from tests.doubles.baemin.pages import screens
from tests.doubles.baemin.pages.frame import drawn_page
from tests.doubles.baemin.sessions import COOKIE, Session
from tests.doubles.control_port import Json
from tests.doubles.reply import Reply

if TYPE_CHECKING:
    from tests.doubles.baemin.stage import Stage

_SCRIPTS: Final = ("signing.js", "popups.js", "owner.js")
_SHOP_PAGES: Final = frozenset({"reviews", "manage"})
_OTHER_PAGES: Final = frozenset({"/orders/history", "/orders/billing", "/menu", "/history/change/shop"})
_FROM, _TO = "2099-01-01", "2099-06-30"


def answer(ask: Ask, stage: Stage) -> Answer:
    """The answer to any request."""
    if ask.path == "/bridge":
        stage.counters.count("bridges")
        return Answer(reply=screens.bridge())
    if ask.path == "/login":
        return Answer(reply=screens.not_found())
    if ask.path == "/start":
        return Answer(reply=screens.start(login_url(stage, "/")))
    session = stage.sessions.find(ask.cookies.get(COOKIE, ""))
    if session is None:
        return _without_session(ask, stage)
    return _with_session(ask, stage, session)


def login_url(stage: Stage, path: str) -> str:
    """The login page, with the way back to a path of this origin."""
    return f"{stage.urls['member']}/login?{urlencode({'returnUrl': stage.urls['self'] + path})}"


def _without_session(ask: Ask, stage: Stage) -> Answer:
    if COOKIE in ask.cookies:
        stage.counters.count("expiries")
    if stage.rules.maintenance:
        return Answer(reply=screens.maintenance(), fault="maintenance")
    to_start = stage.rules.logged_out == "start"
    return Answer(reply=Reply.redirect("/start" if to_start else login_url(stage, ask.path)), fault="no session")


def _with_session(ask: Ask, stage: Stage, session: Session) -> Answer:
    account, conduct = stage.accounts[session.login_id], stage.conduct(session.login_id)
    stage.counters.count("pages", session.login_id)
    if stage.uses_up(session):
        stage.counters.count("blocks", session.login_id)
        reply = screens.refused() if conduct.block_page == "403" else Reply.redirect("/bridge")
        return Answer(reply=reply, fault="blocked")
    if stage.is_closed(account.login_id):
        return Answer(reply=screens.maintenance(), fault="maintenance")
    return Answer(reply=_page(ask, stage, account, conduct))


def _page(ask: Ask, stage: Stage, account: Account, conduct: Conduct) -> Reply:
    parts = ask.parts
    if not parts or ask.path in _OTHER_PAGES:
        return _drawn(stage, account, conduct, "other" if parts else "home")
    if ask.path == "/mypage":
        return Reply.redirect("/mypage/owner")
    if ask.path == "/mypage/owner":
        return _drawn(stage, account, conduct, "owner")
    if parts[0] == "shops" and len(parts) in (2, 3) and parts[1] in {shop.number for shop in account.shops}:
        page = parts[2] if len(parts) == 3 else "manage"
        if page in _SHOP_PAGES:
            return _drawn(stage, account, conduct, page, parts[1])
    if parts[0] == "shops":
        return Reply.redirect("/")
    return screens.not_found()


def _drawn(stage: Stage, account: Account, conduct: Conduct, page: str, shop_no: str = "") -> Reply:
    timing = stage.timing
    config = {
        "page": page,
        "shopNo": shop_no,
        "shops": _options(account, conduct),
        "select": conduct.select,
        "layout": conduct.layout,
        "popups": conduct.popups,
        "popupMs": stage.draw("popup", timing.late_popup_ms),
        "optionsMs": stage.draw("options", timing.options_ms),
        "endlessMs": round(timing.hang * 1000) if conduct.endless == page else 0,
        "endlessWhen": conduct.endless_when,
        "bot": stage.rules.bot_rule,
        "api": stage.urls["api"],
        "login": login_url(stage, "/"),
        "signing": stage.signatures.page_key(),
        "from": _FROM,
        "to": _TO,
    }
    return drawn_page("배민셀프서비스", _SCRIPTS, config)


def _options(account: Account, conduct: Conduct) -> list[Json]:
    """The options of the select. With many shops one of them is there twice."""
    if conduct.layout == "changed" or conduct.select == "missing":
        return []
    options = [{"value": shop.number, "text": shop.label, "heading": shop.heading} for shop in account.shops]
    return [*options, options[4]] if len(options) > 100 else options
