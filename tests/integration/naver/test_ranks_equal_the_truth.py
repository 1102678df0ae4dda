from datetime import date, timedelta

import pytest

from nightjar.domain.tracking import Device, Location, Source
from tests.doubles.naver.replica import Replica
from tests.integration.naver.desk import Desk, a_search, a_target, truths

pytestmark = pytest.mark.anyio

DAYS = [date(2026, 3, 2) + timedelta(days=5 * n) for n in range(4)]
STRANGERS = {"place": "9900009999", "blog": "nj_nobody/223400009999", "cafe": "njcafenowhere/9999999"}


@pytest.mark.parametrize("design", ["new", "old", "mutated"])
@pytest.mark.parametrize("device", Device)
@pytest.mark.parametrize("rank_type", ["place", "blog", "cafe"])
async def test_every_keyword_on_every_day_reads_as_it_is(
    replica: Replica, desk: Desk, rank_type: str, device: Device, design: str
) -> None:
    replica.control.design(design)
    keywords = [item for item in replica.control.scenario()["keywords"] if item["rank_type"] == rank_type]
    assert len(keywords) >= 5
    for day in DAYS:
        replica.control.set_day(day)
        for keyword in keywords:
            search = a_search(rank_type, keyword["keyword"], device=device, vertical=keyword["vertical"])
            keys = [*(target["key"] for target in keyword["targets"]), STRANGERS[rank_type]]
            found = await desk.results(search, [a_target(rank_type, key) for key in keys])
            assert found == truths(replica, search, keys), f"{keyword['keyword']} on {day}"


@pytest.mark.parametrize("vertical", ["place", "restaurant"])
@pytest.mark.parametrize("location", [None, Location(x=127.0276, y=37.4979), Location(x=126.9784, y=37.5666)])
async def test_vertical_and_location_change_the_rank_and_are_asked_for(
    replica: Replica, desk: Desk, vertical: str, location: Location | None
) -> None:
    search = a_search("place", "모형동 맛집", vertical=vertical, location=location)
    keys = ["9900000101", "9900000102", "9900000103"]
    found = await desk.results(search, [a_target("place", key) for key in keys])
    assert found == truths(replica, search, keys)


async def test_the_location_of_a_search_is_not_without_effect(replica: Replica) -> None:
    key = ["9900000101"]
    here = truths(replica, a_search("place", "모형동 맛집", vertical="restaurant"), key)
    there = a_search("place", "모형동 맛집", vertical="restaurant", location=Location(x=127.0276, y=37.4979))
    assert here != truths(replica, there, key)


@pytest.mark.parametrize("apollo", ["placeList", "restaurantList", "hospitals", "nested"])
async def test_every_shape_of_the_place_state_is_read(replica: Replica, desk: Desk, apollo: str) -> None:
    keyword = {"rank_type": "place", "keyword": f"모양 {apollo}", "rows": 130, "apollo": apollo}
    target = {"key": "9900000777", "around": 77, "swing": 0}
    replica.control.put_scenario({"keywords": [{**keyword, "targets": [target]}]})
    search = a_search("place", f"모양 {apollo}")
    found = await desk.results(search, [a_target("place", "9900000777")])
    assert found == truths(replica, search, ["9900000777"])
    assert found[0]["rank"] == 77


@pytest.mark.parametrize("rank_type", ["blog", "cafe"])
async def test_an_advert_alone_is_no_rank(replica: Replica, desk: Desk, rank_type: str) -> None:
    key = STRANGERS[rank_type]
    adverts = [{"before": 1, "target": key}, {"before": 5, "target": key, "style": "direct"}]
    keyword = {"rank_type": rank_type, "keyword": "광고만 있는 낱말", "rows": 120, "adverts": adverts}
    replica.control.put_scenario({"keywords": [keyword]})
    for device in Device:
        search = a_search(rank_type, "광고만 있는 낱말", device=device)
        found = await desk.results(search, [a_target(rank_type, key)])
        assert found == [{"outcome": "not_exposed", "rank": None, "checked_count": 100}]


async def test_a_keyword_that_is_the_word_for_advert_loses_no_row(replica: Replica, desk: Desk) -> None:
    target = {"key": "nj_agency/223400000900", "around": 40, "swing": 0}
    replica.control.put_scenario(
        {"keywords": [{"rank_type": "blog", "keyword": "광고", "rows": 120, "targets": [target]}]}
    )
    search = a_search("blog", "광고")
    found = await desk.results(search, [a_target("blog", "nj_agency/223400000900")])
    assert found == truths(replica, search, ["nj_agency/223400000900"])


@pytest.mark.parametrize("rank_type", ["blog", "cafe"])
async def test_the_official_api_has_an_order_of_its_own(replica: Replica, desk: Desk, rank_type: str) -> None:
    keywords = [item for item in replica.control.scenario()["keywords"] if item["rank_type"] == rank_type]
    for day in DAYS:
        replica.control.set_day(day)
        for keyword in keywords:
            search = a_search(rank_type, keyword["keyword"])
            keys = [*(target["key"] for target in keyword["targets"]), STRANGERS[rank_type]]
            targets = [a_target(rank_type, key) for key in keys]
            found = await desk.results(search, targets, source=Source.API)
            assert found == truths(replica, search, keys, source="api"), f"{keyword['keyword']} on {day}"
