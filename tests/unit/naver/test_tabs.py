import json

import pytest

from crawl_worker.sites.naver.rows import ListPage, NextLoad
from crawl_worker.sites.naver.settings import NaverSettings
from crawl_worker.sites.naver.tabs import first_url, judge_first, judge_more
from nightjar.domain.tracking import Device, RankType, Search
from nightjar.errors import Blocked, ErrorCode, GiveUp, RetryLater, TaskFailure
from tests.unit.naver.pages import (
    MORE,
    answer,
    article,
    cafe_row,
    card,
    cards,
    limited,
    load,
    no_result,
    page,
    post,
    post_key,
    xload,
)

SETTINGS = NaverSettings()
BLOG = Search(rank_type=RankType.BLOG, keyword="없는낱말", device=Device.PC)
CAFE = Search(rank_type=RankType.CAFE, keyword="없는낱말", device=Device.PC)
SENT = NextLoad(MORE, {"X-Prs-Query-Info": "opaque"})


def first(html: str, search: Search = BLOG) -> ListPage:
    return judge_first(answer(html), search, SETTINGS)


def more(text: str, search: Search = BLOG) -> ListPage:
    return judge_more(answer(text, url=MORE), search, SENT, SETTINGS)


def failure_of(html: str, search: Search = BLOG) -> TaskFailure:
    with pytest.raises(TaskFailure) as failure:
        first(html, search)
    return failure.value


def test_a_full_page_gives_its_rows_and_the_load_that_it_issues() -> None:
    result = first(page(cards(30) + xload(MORE, {"X-Prs-Query-Info": "opaque"})))
    assert result == ListPage(rows=tuple(post_key(n) for n in range(1, 31)), more=SENT)


@pytest.mark.parametrize("count", [12, 30])
def test_a_first_page_that_announces_no_more_is_read_but_its_end_is_in_doubt(count: int) -> None:
    result = first(page(cards(count)))
    assert (len(result.rows), result.more, result.is_end) == (count, None, False)


def test_only_the_sentence_that_there_is_nothing_makes_a_zero() -> None:
    assert first(no_result()) == ListPage(rows=(), is_end=True)
    assert isinstance(failure_of(page("")), GiveUp)
    assert failure_of(page("")).code is ErrorCode.LAYOUT_CHANGED


def test_a_front_page_without_results_is_not_understood() -> None:
    assert failure_of(page('<form><input name="query"></form>')).code is ErrorCode.LAYOUT_CHANGED


@pytest.mark.parametrize("count", [1, 3, 9])
def test_fewer_than_ten_cards_are_a_short_page(count: int) -> None:
    failure = failure_of(page(cards(count)))
    assert isinstance(failure, RetryLater)
    assert failure.code is ErrorCode.UPSTREAM_ERROR
    assert "short page" in failure.message


def test_fewer_than_twenty_cards_before_a_further_load_are_a_short_page() -> None:
    assert isinstance(failure_of(page(cards(19) + xload())), RetryLater)
    assert len(first(page(cards(20) + xload())).rows) == 20


def test_a_page_of_adverts_alone_is_no_reading() -> None:
    html = page("".join(card(f"https://ader.naver.com/v1/{n}") for n in range(3)))
    assert isinstance(failure_of(html), RetryLater)


def test_a_page_that_breaks_off_is_a_short_page_however_many_cards_it_still_has() -> None:
    whole = page(cards(30) + xload())
    assert isinstance(failure_of(whole[: whole.index("nj_lamp25")]), RetryLater)


def test_words_of_a_block_in_a_post_are_no_block() -> None:
    html = page(cards(20) + card(post(99), title="주차장 이용이 일시적으로 제한 되었던 날"))
    assert len(first(html).rows) == 21


def test_the_same_words_without_a_result_are_a_block() -> None:
    assert isinstance(failure_of(limited("일시적으로 제한")), Blocked)


def test_a_block_page_that_repeats_the_sentence_of_no_result_is_still_a_block() -> None:
    html = limited(f"'{BLOG.keyword}'에 대한 검색결과가 없습니다. 과도한 접근 요청으로 이용이 제한되었습니다")
    assert isinstance(failure_of(html), Blocked)


def test_cards_that_lead_nowhere_are_a_changed_layout() -> None:
    html = page("".join(card("#") for _ in range(30)))
    assert failure_of(html).code is ErrorCode.LAYOUT_CHANGED


def test_a_list_without_one_post_of_its_kind_is_a_changed_layout() -> None:
    html = page("".join(card(f"https://go.naver.com/x{n}") for n in range(30)))
    assert failure_of(html).code is ErrorCode.LAYOUT_CHANGED
    articles = page("".join(cafe_row(post(n)) for n in range(30)))
    assert failure_of(articles, CAFE).code is ErrorCode.LAYOUT_CHANGED


def test_a_few_unreadable_cards_take_slots() -> None:
    html = page(cards(15) + card("#") * 2 + cards(5, first=16))
    assert first(html).rows[15:17] == (None, None)


def test_a_further_load_gives_rows_and_the_load_after_it_with_the_same_headers() -> None:
    url = MORE.replace("page=2", "page=3")
    assert more(load(cards(30, first=31), url)) == ListPage(
        rows=tuple(post_key(n) for n in range(31, 61)), more=NextLoad(url, SENT.headers)
    )


@pytest.mark.parametrize(
    "document",
    [
        {"collection": [{"html": cards(30)}], "url": ""},
        {"collection": [{"html": cards(15)}, {"html": cards(15, first=16)}]},
        {"dom": {"collection": [{"html": cards(30)}], "url": ""}},
        {"html": cards(30)},
        {"result": {"section": [{"html": cards(30)}]}},
    ],
)
def test_every_known_envelope_is_opened(document: dict[str, object]) -> None:
    result = more(json.dumps(document))
    assert (result.rows, result.more) == (tuple(post_key(n) for n in range(1, 31)), None)


@pytest.mark.parametrize(
    ("document", "is_end"),
    [
        ({"collection": [{"html": cards(30)}], "url": ""}, True),
        ({"dom": {"collection": [{"html": cards(30)}], "url": ""}}, True),
        ({"collection": [{"html": cards(29)}], "url": ""}, False),
        ({"collection": [{"html": cards(3)}], "url": ""}, False),
        ({"collection": [{"html": ""}], "url": ""}, False),
        ({"collection": [], "url": ""}, False),
        ({"collection": [{"html": cards(30)}]}, False),
        ({"collection": [{"html": cards(30)}], "url": None}, False),
        ({"collection": [{"html": cards(30)}], "url": MORE}, False),
    ],
)
def test_only_a_full_load_that_says_that_none_follows_is_the_end(document: dict[str, object], *, is_end: bool) -> None:
    assert more(json.dumps(document)).is_end == is_end


def test_a_cafe_list_is_read_the_same_way() -> None:
    html = "".join(cafe_row(article(n)) for n in range(20))
    assert more(load(html), CAFE).rows[:2] == ("cafe:njcafemoss001/0", "cafe:njcafemoss001/1")


@pytest.mark.parametrize("html", ["", cards(3)])
def test_few_rows_or_none_may_end_a_list(html: str) -> None:
    result = more(load(html))
    assert (result.more, result.is_end) == (None, False)


@pytest.mark.parametrize("html", ["", cards(3)])
def test_few_rows_or_none_before_a_further_load_are_a_short_page(html: str) -> None:
    with pytest.raises(RetryLater, match="short page"):
        more(load(html, MORE))


@pytest.mark.parametrize("document", [{"payload": {"v": 9}}, [1, 2], {"collection": "x"}, {"collection": [1]}, "x"])
def test_an_unknown_envelope_is_a_changed_layout(document: object) -> None:
    with pytest.raises(GiveUp) as refusal:
        more(json.dumps(document))
    assert refusal.value.code is ErrorCode.LAYOUT_CHANGED


def test_a_load_of_text_without_cards_is_a_changed_layout() -> None:
    with pytest.raises(GiveUp) as refusal:
        more(load("<section>새로운 모양</section>"))
    assert refusal.value.code is ErrorCode.LAYOUT_CHANGED


def test_a_load_that_breaks_off_is_a_short_page() -> None:
    with pytest.raises(RetryLater, match="short page"):
        more(load(cards(30))[:900])


def test_a_block_page_in_place_of_a_load_is_a_block() -> None:
    with pytest.raises(Blocked):
        more(limited("검색 서비스 이용이 제한되었습니다"))
    with pytest.raises(Blocked):
        more("")
    with pytest.raises(Blocked):
        more('{"ncaptcha": {"code": "CE_BAD_REQUEST"}}')


def test_a_load_that_points_elsewhere_is_refused() -> None:
    with pytest.raises(GiveUp) as refusal:
        more(load(cards(30), "https://evil.example/p/review/50/search.naver?x=1"))
    assert refusal.value.code is ErrorCode.EGRESS_REFUSED


@pytest.mark.parametrize(
    ("rank_type", "device", "begin"),
    [
        (RankType.BLOG, Device.PC, "https://search.naver.com/search.naver?ssc=tab.blog.all&"),
        (RankType.BLOG, Device.MOBILE, "https://m.search.naver.com/search.naver?ssc=tab.m_blog.all&"),
        (RankType.CAFE, Device.PC, "https://search.naver.com/search.naver?ssc=tab.cafe.all&"),
        (RankType.CAFE, Device.MOBILE, "https://m.search.naver.com/search.naver?ssc=tab.m_cafe.all&"),
    ],
)
def test_each_type_and_device_has_its_own_tab(rank_type: RankType, device: Device, begin: str) -> None:
    url = first_url(Search(rank_type=rank_type, keyword="강남 맛집 & 50%", device=device), SETTINGS)
    assert url.startswith(begin)
    assert url.endswith("&query=%EA%B0%95%EB%82%A8%20%EB%A7%9B%EC%A7%91%20%26%2050%25")
