import pytest

from nightjar.domain.tracking import Device, RankType, default_device, default_vertical, normalise_keyword
from nightjar.errors import Invalid


def test_blanks_inside_a_keyword_stay_because_they_make_another_query() -> None:
    assert normalise_keyword("강남 맛집") != normalise_keyword("강남맛집")


def test_a_keyword_is_trimmed_and_composed() -> None:
    assert normalise_keyword("  강남\t 맛집 ") == "강남 맛집"


@pytest.mark.parametrize("text", ["", " \n\t ", "a" * 201, "tea\x00house"])
def test_a_blank_long_or_unprintable_keyword_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="keyword must"):
        normalise_keyword(text)


def test_places_are_looked_up_on_the_phone_and_tabs_on_the_desktop() -> None:
    assert [default_device(rank_type) for rank_type in RankType] == [Device.MOBILE, Device.PC, Device.PC]


@pytest.mark.parametrize(
    ("rank_type", "given", "vertical"),
    [
        (RankType.PLACE, "hairshop", "hairshop"),
        (RankType.PLACE, None, "place"),
        (RankType.PLACE, "cafe", "restaurant"),
        (RankType.BLOG, "hairshop", None),
    ],
)
def test_the_vertical_is_the_targets_own_else_the_general_list(rank_type: RankType, given: str, vertical: str) -> None:
    assert default_vertical(rank_type, given) == vertical
