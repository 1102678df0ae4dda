import json

import pytest

from crawl_worker.sites.naver.place_answers import (
    judge_first_list,
    judge_list,
    judge_reply,
    list_url,
    refuse_early_end,
)
from crawl_worker.sites.naver.rows import Progress
from crawl_worker.sites.naver.settings import NaverSettings
from nightjar.domain.tracking import Device, Location, RankType, Search
from nightjar.errors import Blocked, EndInDoubt, ErrorCode, GiveUp, RetryLater
from tests.unit.naver.pages import answer, apollo, limited, page, place_page, shop

LIST = "https://m.place.naver.com/place/list?query=x"
NOODLES = Search(rank_type=RankType.PLACE, keyword="국수", device=Device.MOBILE, vertical="place")


def shops(count: int) -> list[dict[str, object]]:
    return [shop(str(10_000_000 + number)) for number in range(count)]


def listing(count: int, total: object = None) -> str:
    return place_page(apollo(shops(count), total=total))


def test_a_full_batch_is_read() -> None:
    batch = judge_first_list(answer(listing(50, 412), url=LIST), "국수")
    assert (len(batch.rows), batch.total) == (50, 412)


def test_a_list_that_says_it_holds_nothing_is_empty() -> None:
    assert judge_first_list(answer(listing(0, 0), url=LIST), "국수").rows == ()


def test_a_list_of_nine_that_claims_nine_is_whole() -> None:
    assert len(judge_first_list(answer(listing(9, 9), url=LIST), "국수").rows) == 9


@pytest.mark.parametrize(("count", "total"), [(0, 412), (3, 412), (9, 10), (3, "?")])
def test_a_first_batch_of_a_few_rows_of_many_is_a_short_page(count: int, total: object) -> None:
    with pytest.raises(RetryLater, match="short page"):
        judge_first_list(answer(listing(count, total), url=LIST), "국수")


def test_a_further_batch_may_be_empty() -> None:
    assert judge_list(answer(listing(0, 412), url=LIST), "국수").rows == ()


def test_a_list_page_that_breaks_off_is_a_short_page() -> None:
    whole = listing(50, 412)
    with pytest.raises(RetryLater, match="short page"):
        judge_first_list(answer(whole[: len(whole) * 3 // 5], url=LIST), "국수")


def test_a_block_page_with_status_200_is_a_block() -> None:
    text = limited("과도한 접근 요청으로 서비스 이용이 제한되었습니다")
    with pytest.raises(Blocked) as block:
        judge_first_list(answer(text, url=LIST), "국수")
    assert block.value.details["surface"] == "P200"


def test_a_page_without_state_is_a_changed_layout() -> None:
    with pytest.raises(GiveUp) as refusal:
        judge_first_list(answer(page("<b>다른 모양</b>"), url=LIST), "국수")
    assert refusal.value.code is ErrorCode.LAYOUT_CHANGED


def test_places_without_ids_are_a_changed_layout() -> None:
    with pytest.raises(GiveUp) as refusal:
        judge_first_list(answer(place_page(apollo([shop(None)] * 30, total=412)), url=LIST), "국수")
    assert refusal.value.code is ErrorCode.LAYOUT_CHANGED


def test_a_list_that_does_not_exist_is_given_up() -> None:
    with pytest.raises(GiveUp) as refusal:
        judge_first_list(answer("<html></html>", 404, url="https://m.place.naver.com/cafe/list"), "국수")
    assert refusal.value.code is ErrorCode.NOT_FOUND


@pytest.mark.parametrize(
    ("text", "status", "surface"),
    [
        ("<html><script>new WtmCaptcha()</script></html>", 405, "G405"),
        ("<html><script>new WtmCaptcha()</script></html>", 200, "CAPTCHA"),
        (limited("x"), 429, "P429"),
        ("", 200, "EMPTY"),
        ('[{"errors": [{"message": "Too many requests"}], "data": null}]', 200, "GERR"),
    ],
)
def test_every_refusal_of_the_data_service_is_a_block(text: str, status: int, surface: str) -> None:
    with pytest.raises(Blocked) as block:
        judge_reply(answer(text, status), "국수")
    assert block.value.details["surface"] == surface


def test_replies_about_other_things_are_passed_over_and_unknown_ones_are_not() -> None:
    assert judge_reply(answer('[{"data": {"adBusinesses": {"items": []}}}]'), "국수") is None
    with pytest.raises(GiveUp):
        judge_reply(answer('{"payload": {"v": 9}}'), "국수")
    with pytest.raises(RetryLater):
        judge_reply(answer(json.dumps([{"data": {"places": {"items": shops(9)}}}])[:90]), "국수")


def progress_of(read: int) -> Progress:
    progress = Progress([], 300)
    progress.add([f"place:{number}" for number in range(read)])
    return progress


@pytest.mark.parametrize("total", [412, None])
@pytest.mark.parametrize("seen_end", [None, 48])
def test_an_end_before_any_known_cut_is_never_one(total: int | None, seen_end: int | None) -> None:
    with pytest.raises(RetryLater, match="short page") as failure:
        refuse_early_end(progress_of(48), total, NOODLES, seen_end=seen_end)
    assert not isinstance(failure.value, EndInDoubt)


@pytest.mark.parametrize("total", [412, None])
@pytest.mark.parametrize("seen_end", [None, 100])
def test_an_end_before_the_total_is_in_doubt_until_it_was_seen_twice(total: int | None, seen_end: int | None) -> None:
    with pytest.raises(EndInDoubt) as doubt:
        refuse_early_end(progress_of(54), total, NOODLES, seen_end=seen_end)
    assert doubt.value.rows == 54
    refuse_early_end(progress_of(54), total, NOODLES, seen_end=54)


@pytest.mark.parametrize("read", [9, 48, 54])
def test_a_list_that_gave_its_total_is_over(read: int) -> None:
    refuse_early_end(progress_of(read), read, NOODLES, seen_end=None)


def test_location_and_vertical_travel_in_the_address() -> None:
    settings = NaverSettings()
    search = Search(
        rank_type=RankType.PLACE,
        keyword="국수",
        device=Device.MOBILE,
        vertical="restaurant",
        location=Location(x=127.0276, y=37.4979),
    )
    assert list_url(search, settings, start=51) == (
        "https://m.place.naver.com/restaurant/list?query=%EA%B5%AD%EC%88%98&x=127.0276&y=37.4979&start=51"
    )
    plain = Search(rank_type=RankType.PLACE, keyword="국수", device=Device.PC, vertical="place")
    assert list_url(plain, settings) == "https://pcmap.place.naver.com/place/list?query=%EA%B5%AD%EC%88%98"
