"""Which screens stand in place of a page, and which only look so."""

import pytest

from crawl_worker.sites.baemin.screen import Screen
from crawl_worker.sites.baemin.settings import BaeminSettings
from crawl_worker.sites.baemin.verdicts import classify, is_logged_out, is_owner_page, no_form, refused_login

SITE = BaeminSettings()
HOME = "https://self.baemin.com/"
LOGIN = "https://biz-member.baemin.com/login"
BLOCK = "비정상 동작이 감지되어 잠시 이용이 제한돼요"

SCREENS = {
    "bridge": (Screen(url=HOME + "bridge", status=200), "blocked"),
    "words": (Screen(url=HOME, status=200, text=BLOCK), "blocked"),
    "403": (Screen(url=HOME, status=403, text="보안 위배 접근 제한"), "blocked"),
    "429": (Screen(url=HOME, status=429), "blocked"),
    "captcha": (Screen(url=LOGIN, status=200, form=True, captcha=True), "action_required"),
    "naver_login": (Screen(url="https://nid.naver.com/nidlogin.login", status=200), "action_required"),
    "identity_check": (Screen(url=LOGIN, status=200, text="휴대폰으로 보낸 인증번호를 입력"), "action_required"),
    "password_change": (Screen(url=LOGIN, status=200, text="비밀번호를 변경해 주세요"), "action_required"),
    "terms": (Screen(url=LOGIN, status=200, text="약관 동의"), "action_required"),
    "maintenance": (Screen(url=HOME, status=503, text="시스템 점검 중입니다"), "maintenance"),
    "502": (Screen(url=HOME, status=502, text="Bad Gateway"), "upstream_error"),
}


@pytest.mark.parametrize(("surface", "expected"), SCREENS.items())
def test_a_screen_in_place_of_a_page_is_recognised(surface: str, expected: tuple[Screen, str]) -> None:
    screen, outcome = expected
    found = classify(screen, SITE)
    assert found is not None
    assert (found.surface, found.outcome) == (surface, outcome)
    assert found.message


INNOCENT = {
    "a review that quotes a block": Screen(url=HOME + "shops/1/reviews", status=200, text=BLOCK, words=4),
    "a login page that links to terms": Screen(
        url=LOGIN, status=200, form=True, text="이용약관 동의 본인인증 점검 안내"
    ),
    "an empty page": Screen(url=LOGIN, status=200),
    "a bridge of somebody else": Screen(url="https://example.invalid/bridge", status=200),
}


@pytest.mark.parametrize("screen", INNOCENT.values(), ids=list(INNOCENT))
def test_words_alone_make_no_verdict(screen: Screen) -> None:
    assert classify(screen, SITE) is None


def test_the_doors_of_the_site_are_not_the_owners_pages() -> None:
    doors = [LOGIN, HOME + "start", HOME + "login"]
    assert all(is_logged_out(Screen(url=url), SITE) for url in doors)
    assert not any(is_owner_page(Screen(url=url), SITE) for url in [*doors, HOME + "bridge", "https://self.example/"])
    assert is_owner_page(Screen(url=HOME), SITE)
    assert not is_logged_out(Screen(url=HOME, words=3), SITE)
    assert is_logged_out(Screen(url=HOME, text="셀프서비스 시작하기"), SITE)


ALERTS = {
    ("아이디 또는 비밀번호가 일치하지 않습니다", 401): "invalid_credentials",
    ("로그인 정보를 확인해 주세요", 400): "invalid_credentials",
    ("시도 횟수를 초과하여 계정이 잠겼습니다", 401): "action_required",
    ("무슨 말인지 모를 문장", 401): "action_required",
    ("일시적인 오류가 발생했어요", 200): "upstream_error",
    ("무슨 말인지 모를 문장", 500): "upstream_error",
    ("", None): "upstream_error",
}


@pytest.mark.parametrize(("said", "outcome"), ALERTS.items())
def test_what_the_form_says_after_a_login_is_told_apart(said: tuple[str, int | None], outcome: str) -> None:
    assert refused_login(*said).outcome == outcome


def test_a_login_page_that_stays_empty_is_a_block_and_another_one_a_new_layout() -> None:
    assert no_form(Screen(url=LOGIN)).outcome == "blocked"
    assert no_form(Screen(url=LOGIN, text="로그인", fields=2)).outcome == "layout_changed"
