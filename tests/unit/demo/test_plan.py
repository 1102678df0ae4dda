"""The plan of the nights: fixed by its seed, rich in troubles, and telling."""

from datetime import date, timedelta

import pytest

from infra.local.demo.plan import LASTING, PASSING, Night, plan_nights

FIRST = date(2026, 2, 27)
KEYWORDS = {"place": ["나", "다"], "blog": ["가"], "cafe": ["가", "라"]}


def planned(count: int, seed: int = 1) -> list[Night]:
    return plan_nights(count, first=FIRST, keywords=KEYWORDS, seed=seed)


def test_the_same_seed_gives_the_same_nights_and_another_one_others() -> None:
    assert planned(30) == planned(30)
    assert planned(30) != planned(30, seed=2)


def test_nights_follow_each_other_day_by_day() -> None:
    assert [night.day for night in planned(30)] == [FIRST + timedelta(days=number) for number in range(30)]


@pytest.mark.parametrize("seed", range(20))
def test_in_thirty_nights_every_trouble_is_met(seed: int) -> None:
    met = [night.trouble for night in planned(30, seed) if night.trouble]

    assert all(trouble in met for trouble in (*LASTING, *PASSING))
    assert len(met) < 15


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_few_nights_hold_a_lasting_trouble_and_a_second_delivery(count: int, seed: int) -> None:
    nights = planned(count, seed)

    assert any(night.trouble in LASTING for night in nights)
    assert sum(night.deliveries == 2 for night in nights) == 1


def test_a_keyword_in_trouble_is_one_that_is_read_from_the_troubled_site() -> None:
    for night in planned(365):
        if night.trouble is None or night.trouble.everywhere:
            assert night.keyword == ""
        else:
            assert night.keyword in ({"나", "다"} if night.trouble.site == "place" else {"가", "라"})


def test_calm_nights_bring_other_designs_and_lists_for_a_browser() -> None:
    nights = planned(30)

    assert {night.design for night in nights} == {"old", "new", "mutated"}
    assert any(night.needs_browser for night in nights)
    assert not any(night.trouble and (night.needs_browser or night.design != "new") for night in nights)


def test_a_night_tells_what_is_special_about_it() -> None:
    day = FIRST

    assert Night(number=1, day=day).story == ""
    assert Night(number=1, day=day, trouble=LASTING[0], keyword="가", deliveries=2).story == (
        "blog and cafe search refuses (403): 가; the event arrives twice"
    )
    assert Night(number=1, day=day, trouble=LASTING[-1]).story == "the place site is down (502)"
