"""Which screen stands in place of a page: blocks, challenges, maintenance, the ways of being logged out.

Status and address speak first. Words are believed only on a screen without the owner's navigation and without the
login form: reviews quote anything, and a login page links to terms and identity checks.

Seen on the real site: the sentences of both block screens, `/bridge`, `/start`, the owner site's own `/login`. Nobody
has published the pages for identity checks, password changes, terms or locked accounts; their words are expectations.
"""

import re
from http import HTTPStatus

from crawl_worker.sites.baemin.screen import Screen
from crawl_worker.sites.baemin.settings import BaeminSettings
from crawl_worker.sites.owner_site import LoginOutcome, Outcome, failure
from nightjar.errors import TaskFailure

STOPPED = "Nothing more is sent for this account now; try again in half an hour or later"
AT_THE_SITE = "log in at the site by yourself, do what it asks for, then start again"

_BLOCK_WORDS = (
    "비정상 동작이 감지되어",
    "이용이 제한돼요",
    "보안 위배 접근 제한",
    "올바르지 않은 요청으로 페이지를 보실 수 없습니다",
)
_MAINTENANCE_WORDS = ("시스템 점검", "서비스 점검", "점검 중", "점검 안내")
_CHALLENGES = (
    ("password_change", "wants the password to be changed", re.compile("비밀번호를? ?변경|새 비밀번호|다음에 변경")),
    (
        "identity_check",
        "wants to check who logs in",
        re.compile("본인 ?인증|휴대폰 인증|기기 인증|인증번호|2차 인증|추가 인증|새로운 환경"),
    ),
    ("terms", "wants terms to be accepted", re.compile("약관 동의|약관에 동의")),
)
_LOCKED = re.compile("잠겼|잠금|잠긴|횟수를 초과")
_WRONG = re.compile("아이디 또는 비밀번호|비밀번호가 일치|로그인 정보를 확인|잘못 입력|일치하지 않")
_TROUBLE = re.compile("일시적인 오류|잠시 후 다시")

_NAVER_LOGIN = "https://nid.naver.com"
_LONGEST_QUOTE = 120


def classify(screen: Screen, site: BaeminSettings) -> LoginOutcome | None:
    """What stands in place of the page, or None for a page that may go on loading.

    Raises nothing; being logged out is asked by `is_logged_out`.
    """
    if screen.is_at(site.self_url) and screen.path == "/bridge":
        return _blocked("bridge", "shows its block screen")
    if screen.status in {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}:
        return _blocked(str(screen.status), f"refuses to serve us (HTTP {screen.status:d})")
    if screen.is_at(_NAVER_LOGIN):
        return _action("naver_login", "wants a login at Naver")
    if screen.captcha:
        return _action("captcha", "shows a captcha")
    if screen.has_navigation or screen.form:
        return None
    return _by_words(screen)


def _by_words(screen: Screen) -> LoginOutcome | None:
    if any(words in screen.text for words in _BLOCK_WORDS):
        return _blocked("words", "shows a block screen")
    if any(words in screen.text or words in screen.title for words in _MAINTENANCE_WORDS):
        return LoginOutcome(
            outcome=Outcome.MAINTENANCE, message="the site is closed for maintenance", surface="maintenance"
        )
    for surface, says, words in _CHALLENGES:
        if words.search(screen.text):
            return _action(surface, says)
    if screen.status is not None and screen.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        message = f"the site is in trouble (HTTP {screen.status})"
        return LoginOutcome(outcome=Outcome.UPSTREAM_ERROR, message=message, surface=str(screen.status))
    return None


def refuse(screen: Screen, site: BaeminSettings) -> None:
    """Raise the error of a screen that stands in place of a page."""
    found = classify(screen, site)
    if found is not None:
        found.raise_unless_ok()


def is_logged_out(screen: Screen, site: BaeminSettings) -> bool:
    """Whether the site has sent us to its front door."""
    if screen.is_at(site.member_url):
        return screen.path.startswith("/login")
    if not screen.is_at(site.self_url):
        return False
    return screen.path in {"/start", "/login"} or ("셀프서비스 시작하기" in screen.text and not screen.has_navigation)


def is_owner_page(screen: Screen, site: BaeminSettings) -> bool:
    """One sign of a login: an address of the owner site which is none of its doors and screens."""
    return screen.is_at(site.self_url) and screen.path not in {"/login", "/bridge", "/start"}


def refused_login(alert: str, status: int | None) -> LoginOutcome:
    """What a message under the login form means; `status` is the one of the answer to the password."""
    said = " ".join(alert.split())[:_LONGEST_QUOTE]
    if _LOCKED.search(said):
        return _action("locked", f"says that the account is locked: '{said}'")
    if _WRONG.search(said):
        message = "the site does not accept this login id and password; give the right ones before you start again"
        return LoginOutcome(outcome=Outcome.INVALID_CREDENTIALS, message=message, surface="wrong_password")
    if _TROUBLE.search(said) or status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        message = "the site had a fault while it was asked to log in"
        return LoginOutcome(outcome=Outcome.UPSTREAM_ERROR, message=message, surface="login_fault")
    return _action("unknown_refusal", f"refuses the login and says '{said}'")


def no_form(screen: Screen) -> LoginOutcome:
    """What a login page without its form means: sites that do not trust a visitor's network draw none."""
    if screen.is_empty:
        message = f"the login page stays empty, as it does for visitors that the site does not trust. {STOPPED}"
        return LoginOutcome(outcome=Outcome.BLOCKED, message=message, surface="no_form")
    return layout_changed("the login page has no form that we know")


def layout_changed(what: str) -> LoginOutcome:
    """The outcome of a page that is there and is not understood."""
    return LoginOutcome(
        outcome=Outcome.LAYOUT_CHANGED, message=f"{what}; the layout of the site may have changed", surface="layout"
    )


def blocked_answer(status: int) -> TaskFailure:
    """The block that an answer of the JSON service tells of."""
    return failure(
        Outcome.BLOCKED, f"the site refuses calls of its own pages (HTTP {status}). {STOPPED}", surface="api"
    )


def _blocked(surface: str, says: str) -> LoginOutcome:
    return LoginOutcome(outcome=Outcome.BLOCKED, message=f"the site {says}. {STOPPED}", surface=surface)


def _action(surface: str, says: str) -> LoginOutcome:
    return LoginOutcome(outcome=Outcome.ACTION_REQUIRED, message=f"the site {says}: {AT_THE_SITE}", surface=surface)
