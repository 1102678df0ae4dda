import pytest

from crawl_worker.sites.naver.blocks import refuse_half, refuse_status, refuse_words
from nightjar.errors import Blocked, ErrorCode, GiveUp, RetryLater
from tests.unit.naver.pages import answer, card, limited, page, post


@pytest.mark.parametrize(
    ("status", "surface"),
    [(401, "LOGIN"), (403, "S403"), (405, "G405"), (418, "418"), (429, "P429"), (490, "490")],
)
def test_a_status_of_refusal_is_a_block_whatever_the_page_says(status: int, surface: str) -> None:
    with pytest.raises(Blocked) as block:
        refuse_status(answer(page(card(post(1))), status))
    assert block.value.code is ErrorCode.BLOCKED
    assert block.value.details["surface"] == surface
    assert "search.naver.com" in block.value.message
    assert str(status) in block.value.message


def test_a_time_to_come_back_is_kept() -> None:
    with pytest.raises(Blocked) as block:
        refuse_status(answer("", 429, Retry_After="120"))
    assert block.value.details["retry_after_seconds"] == 120


@pytest.mark.parametrize("location", ["https://nid.naver.com/x", "http://127.0.0.1:9/nidlogin.login?mode=form"])
def test_a_way_to_the_login_page_is_a_block(location: str) -> None:
    with pytest.raises(Blocked) as block:
        refuse_status(answer("", 302, Location=location))
    assert block.value.details["surface"] == "LOGIN"


def test_any_other_redirect_is_not_understood() -> None:
    with pytest.raises(GiveUp, match=r"search\.naver\.com") as refusal:
        refuse_status(answer("", 302, Location="https://search.naver.com/x"))
    assert refusal.value.code is ErrorCode.LAYOUT_CHANGED


@pytest.mark.parametrize("body", ["", "  \n"])
def test_200_with_nothing_is_a_block(body: str) -> None:
    with pytest.raises(Blocked) as block:
        refuse_status(answer(body))
    assert block.value.details["surface"] == "EMPTY"


@pytest.mark.parametrize("status", [500, 502, 503])
def test_trouble_of_the_host_passes(status: int) -> None:
    with pytest.raises(RetryLater) as fault:
        refuse_status(answer("<center>502</center>", status))
    assert fault.value.code is ErrorCode.UPSTREAM_ERROR


def test_a_missing_page_is_given_up() -> None:
    with pytest.raises(GiveUp) as refusal:
        refuse_status(answer("", 404))
    assert refusal.value.code is ErrorCode.NOT_FOUND


@pytest.mark.parametrize(
    ("text", "surface"),
    [
        (limited("검색 서비스 이용이 제한되었습니다"), "S200"),
        (limited("서비스 이용이 제한되었습니다. 과도한 접근 요청으로 서비스 이용이 제한되었습니다."), "P200"),
        (limited("일시적으로 제한되었습니다"), "S200"),
        (limited("비정상적인 접근이 감지되었습니다"), "S200"),
        (limited("자동입력 방지 문자를 넣어 주세요"), "S200"),
        (limited("<button>제한 <b></b>해제</button>"), "S200"),
        ('<html><script src="/wtm_captcha.js"></script></html>', "CAPTCHA"),
        ("<html><script>new WtmCaptcha({})</script></html>", "CAPTCHA"),
        ('<html><img src="https://ncpt.naver.com/x"></html>', "CAPTCHA"),
        ('{"ncaptcha": {"code": "CE_EMPTY_TOKEN"}}', "CE"),
        ('{"code": "CE_BAD_REQUEST"}', "CE"),
    ],
)  # fmt: skip
def test_a_page_without_results_that_speaks_of_a_block_is_one(text: str, surface: str) -> None:
    refuse_status(answer(text))
    with pytest.raises(Blocked) as block:
        refuse_words(answer(text), "국수")
    assert block.value.details["surface"] == surface


def test_words_in_style_and_script_are_no_block() -> None:
    hidden = "<style>.captcha{content:'이용이 제한'}</style><script>var x='보안 절차'</script>"
    refuse_words(answer(f"<html><body>{hidden}빈 쪽</body></html>"), "국수")


def test_words_of_the_keyword_itself_are_no_block() -> None:
    refuse_words(answer("<html><body>'이용이 제한 안내'에 대한 검색결과가 없습니다</body></html>"), "이용이 제한 안내")


def test_a_keyword_that_is_only_a_part_of_the_words_hides_no_block() -> None:
    with pytest.raises(Blocked):
        refuse_words(answer(limited("검색 서비스 이용이 제한되었습니다")), "제한")


def test_a_page_that_breaks_off_is_no_page() -> None:
    whole = page(card(post(1)))
    refuse_half(answer(whole))
    with pytest.raises(RetryLater, match="short page"):
        refuse_half(answer(whole[: len(whole) * 3 // 5]))
