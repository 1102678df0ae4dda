"""An option's text in all the forms that were seen, and the names that make them hard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawl_worker.sites.baemin.labels import Label, read_heading, read_label

NUMBER = "10000001"

FORMS = {
    "[음식배달] 가상분식 테스트점 / 분식 10000001": Label(
        name="가상분식 테스트점", category="분식", service="음식배달", number=NUMBER
    ),
    "[음식배달] 가상분식 테스트점 / 분식": Label(name="가상분식 테스트점", category="분식", service="음식배달"),
    "가상분식 테스트점 / 분식 10000001": Label(name="가상분식 테스트점", category="분식", number=NUMBER),
    "분식 10000001 가상분식 테스트점": Label(name="가상분식 테스트점", category="분식", number=NUMBER),
    "가상분식 테스트점": Label(name="가상분식 테스트점"),
    "[포장] 가상분식": Label(name="가상분식", service="포장"),
}


@pytest.mark.parametrize(("text", "label"), FORMS.items())
def test_every_known_form_is_read(text: str, label: Label) -> None:
    assert read_label(text, NUMBER) == label


TRAPS = {
    "[음식배달] 견본찻집 / 카페·디저트 10000001": ("견본찻집", "카페·디저트"),
    "[음식배달] 국수/만두 모형점 / 한식 10000001": ("국수/만두 모형점", "한식"),
    "[음식배달] 모형 국수 / 만두 테스트점 / 한식 10000001": ("모형 국수 / 만두 테스트점", "한식"),
    "한식 10000001 모형 국수 / 만두 테스트점": ("모형 국수 / 만두 테스트점", "한식"),
    "중식 10000001 예시 / 24시 12345678": ("예시 / 24시 12345678", "중식"),
    "[음식배달] 24시 예시치킨 101호 / 치킨 10000001": ("24시 예시치킨 101호", "치킨"),
    "[음식배달]  모형 &  견본   국수 / 족발·보쌈 10000001": ("모형 & 견본 국수", "족발·보쌈"),
    "[음식배달] 1인 도시락 2호점 / 돈까스·회 일식 10000001": ("1인 도시락 2호점", "돈까스·회 일식"),
    '<b>임의</b> "따옴표" / 분식 10000001': ('<b>임의</b> "따옴표"', "분식"),
}


@pytest.mark.parametrize(("text", "parts"), TRAPS.items())
def test_names_that_look_like_other_parts_stay_whole(text: str, parts: tuple[str, str]) -> None:
    label = read_label(text, NUMBER)
    assert (label.name, label.category) == parts


def test_a_number_in_the_text_that_is_another_shops_is_told_and_not_believed() -> None:
    assert read_label("[음식배달] 가상분식 / 분식 99999999", NUMBER).number == "99999999"


def test_a_heading_holds_the_service_and_the_name() -> None:
    assert read_heading("[음식배달] 모형 국수 / 만두") == Label(name="모형 국수 / 만두", service="음식배달")
    assert read_heading("모형 국수") == Label(name="모형 국수")


@given(st.text(max_size=60))
def test_no_text_is_lost_or_breaks_the_reading(text: str) -> None:
    label = read_label(text, NUMBER)
    assert all(part in " ".join(text.split()) for part in (label.name, label.category or "", label.service or ""))


@given(
    name=st.from_regex(r"[가-힣]{1,6}( [가-힣&·/0-9]{1,6}){0,3}점", fullmatch=True),
    category=st.sampled_from(["분식", "카페·디저트", "고기·구이"]),
    number=st.integers(10_000_000, 99_999_999).map(str),
)
def test_the_full_form_gives_back_what_went_in(name: str, category: str, number: str) -> None:
    label = read_label(f"[음식배달] {name} / {category} {number}", number)
    assert label == Label(name=name, category=category, service="음식배달", number=number)
