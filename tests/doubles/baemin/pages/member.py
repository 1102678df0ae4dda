"""The member origin: the login page, its key, the login itself, and what can stand between it and the owner site.

Known: address of the page and of the two calls, `tag` and `value`. Invented: the body of the login, all error texts,
the pages for identity check, password change and terms.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from tests.doubles.baemin.accounts import Account
from tests.doubles.baemin.exchange import Answer, Ask
from tests.doubles.baemin.pages import screens
from tests.doubles.baemin.pages.frame import document, drawn_page
from tests.doubles.baemin.sessions import cookie_header
from tests.doubles.reply import Reply

if TYPE_CHECKING:
    from tests.doubles.baemin.stage import Stage

WRONG: Final = "아이디 또는 비밀번호가 일치하지 않습니다. 다시 확인해 주세요."
LOCKED: Final = "로그인 시도 횟수를 초과하여 계정이 잠겼습니다. 잠금을 해제한 뒤 다시 이용해 주세요."
_CHALLENGES: Final = {
    "identity_check": "/identity-check",
    "password_change": "/password-change",
    "terms": "/terms",
}


def answer(ask: Ask, stage: Stage) -> Answer:
    """The answer to any request."""
    if ask.path == "/login" and ask.method == "GET":
        stage.counters.count("login_pages")
        return Answer(reply=_login_page(ask, stage))
    if ask.path == "/v1/login/init":
        return Answer(reply=Reply.data({"data": stage.key.hand_out()}))
    if is_login_post(ask):
        return _log_in(ask, stage)
    if ask.path in _SCREENS:
        return Answer(reply=_SCREENS[ask.path])
    if ask.path == "/password-change/later" and ask.method == "POST":
        return Answer(reply=_put_off(ask, stage))
    return Answer(reply=screens.server_error(404))


def is_login_post(ask: Ask) -> bool:
    """Whether a request brings id and password."""
    return ask.site == "member" and ask.path == "/v1/login" and ask.method == "POST"


def login_id(ask: Ask, stage: Stage) -> str:
    """Whom a login post is for; "" for every other request."""
    return stage.key.read(ask.document.get("account")) if is_login_post(ask) else ""


def _login_page(ask: Ask, stage: Stage) -> Reply:
    rules, timing = stage.rules, stage.timing
    if rules.login_page == "maintenance" or rules.maintenance:
        return screens.maintenance()
    if rules.login_page == "blocked_403":
        return screens.refused()
    never = rules.login_page == "never_renders" or stage.is_unwanted(ask)
    return drawn_page(
        "로그인",
        ("login.js",),
        {
            "form": "none" if never else "changed" if rules.login_page == "changed" else "known",
            "formMs": stage.draw("form", timing.form_ms),
            "captcha": rules.login_page == "captcha",
            "endlessMs": round(timing.hang * 1000) if rules.login_page == "endless" else 0,
            "bot": rules.bot_rule,
            "bridge": f"{stage.urls['self']}/bridge",
            "returnUrl": ask.query.get("returnUrl", ""),
        },
    )


def _log_in(ask: Ask, stage: Stage) -> Answer:
    name = login_id(ask, stage)
    account = stage.accounts.get(name)
    if not stage.key.use_up(str(ask.document.get("tag", ""))):
        return Answer(reply=_error(400, "INVALID_PARAMETER", "tag"), fault="used tag")
    if account is None or stage.key.read(ask.document.get("secret")) != account.right_password:
        return Answer(reply=_error(401, "INVALID_CREDENTIALS", WRONG), fault="wrong password")
    login = stage.conduct(name).login
    if login in {"ok", "slow"}:
        return Answer(reply=_accepted(ask, stage, account), delay=stage.timing.slow_login if login == "slow" else 0.0)
    return _not_accepted(ask, stage, account, login)


def _not_accepted(ask: Ask, stage: Stage, account: Account, login: str) -> Answer:
    if login in _CHALLENGES:
        where = f"{_CHALLENGES[login]}?{urlencode({'account': account.login_id})}"
        return Answer(reply=Reply.data({"data": {"next": where}}), fault=login)
    if login == "cut":
        accepted = _accepted(ask, stage, account)
        # Not before the first byte: a browser posts again by itself when a used connection ends without any answer.
        return Answer(reply=replace(accepted, drop_after=len(accepted.body) // 2), fault=login)
    if login == "blocked":
        stage.counters.count("blocks", account.login_id)
    replies = {
        "locked": _error(401, "ACCOUNT_LOCKED", LOCKED),
        "captcha": _error(401, "CAPTCHA_REQUIRED", "captcha"),
        "blocked": Reply.data({"data": {"next": f"{stage.urls['self']}/bridge"}}),
        "blocked_403": Reply.data({"data": {"next": "/refused"}}),
        "error_500": _error(500, "INTERNAL", "일시적인 오류가 발생했습니다."),
        "never_answers": screens.server_error(504),
    }
    return Answer(reply=replies[login], delay=stage.timing.hang if login == "never_answers" else 0.0, fault=login)


def _accepted(ask: Ask, stage: Stage, account: Account) -> Reply:
    session = stage.sessions.open(account.login_id)
    stage.counters.count("logins", account.login_id)
    wanted = str(ask.document.get("returnUrl", ""))
    home = f"{stage.urls['self']}/"
    reply = Reply.data({"data": {"next": wanted if wanted.startswith(home) else home}})
    return Reply(body=reply.body, content_type=reply.content_type, headers=(("Set-Cookie", cookie_header(session)),))


def _put_off(ask: Ask, stage: Stage) -> Reply:
    account = stage.accounts.get(ask.query.get("account", ""))
    if account is None:
        return screens.server_error(404)
    stage.counters.count("postponed", account.login_id)
    return _accepted(ask, stage, account)


def _error(status: int, kind: str, message: str) -> Reply:
    return Reply.data({"errorType": kind, "errorMessage": message}, status)


_LATER: Final = (
    "<script>document.querySelector('.later').addEventListener('click',async()=>{"
    "const answer=await fetch('/password-change/later'+location.search,{method:'POST'});"
    "location.href=(await answer.json()).data.next})</script>"
)
_SCREENS: Final[dict[str, Reply]] = {
    "/identity-check": document(
        "본인인증",
        "<main><h1>본인인증</h1><p>휴대폰으로 보낸 인증번호를 입력해 주세요.</p>"
        '<form><input name="code" placeholder="인증번호"><button type="button">확인</button></form></main>',
    ),
    "/password-change": document(
        "비밀번호 변경",
        "<main><h1>비밀번호를 변경해 주세요</h1><p>비밀번호를 바꾼 지 오래되었어요.</p>"
        '<form><input type="password" name="new" placeholder="새 비밀번호"><button type="button">변경하기</button>'
        f'<button type="button" class="later">다음에 변경</button></form></main>{_LATER}',
    ),
    "/terms": document(
        "약관 동의",
        '<main><h1>약관 동의</h1><label><input type="checkbox">바뀐 모형 약관에 동의합니다 (필수)</label>'
        '<button type="button">동의하고 계속하기</button></main>',
    ),
    "/recaptcha/api2/anchor": document(
        "reCAPTCHA",
        '<div><span id="recaptcha-anchor" role="checkbox" aria-checked="false" tabindex="0"></span>'
        "<label>로봇이 아닙니다.</label></div>",
    ),
    "/refused": screens.refused(),
}
