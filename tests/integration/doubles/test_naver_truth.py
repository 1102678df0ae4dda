"""The truth that the replica tells equals what a stranger counts in its pages, day by day and view by view."""

from typing import Any

import pytest

from tests.doubles.naver.default_scenario import BOOKS, COFFEE, DENTIST, ENDS_EARLY, FOOD, HAIR, LANTERN
from tests.doubles.naver.replica import Replica
from tests.integration.doubles import naver_reader as reader

DAYS = ("2026-03-02", "2026-03-09", "2026-03-21")


def expect(replica: Replica, counted: list[str], rank_type: str, keyword: str, target: str, **view: Any) -> str:
    depth = 300 if rank_type == "place" else 100
    truth = replica.control.truth(rank_type, keyword, target, **view)
    rank = counted[:depth].index(target) + 1 if target in counted[:depth] else None
    assert (truth["outcome"], truth["rank"]) == ("exposed" if rank else "not_exposed", rank), (keyword, target, view)
    if rank is None:
        assert truth["checked_count"] == len(counted[:depth])
    return str(truth["outcome"])


def targets(replica: Replica, rank_type: str, keyword: str) -> list[str]:
    keywords = replica.control.scenario()["keywords"]
    found = next(item for item in keywords if (item["rank_type"], item["keyword"]) == (rank_type, keyword))
    return [target["key"] for target in found["targets"]]


def test_blog_truth_equals_a_count_of_the_pages(replica: Replica) -> None:
    outcomes = set()
    for day in DAYS:
        replica.control.set_day(day)
        for keyword in (FOOD, BOOKS, LANTERN):
            first = reader.address(replica.urls["NAVER_SEARCH_URL"], "/search.naver", ssc="tab.blog.all", query=keyword)
            counted = reader.endless(first, reader.blog_keys)
            outcomes |= {expect(replica, counted, "blog", keyword, key) for key in targets(replica, "blog", keyword)}
    assert outcomes == {"exposed", "not_exposed"}


def test_phone_blog_truth_equals_a_count_of_the_script_blocks(replica: Replica) -> None:
    base = replica.urls["NAVER_MOBILE_SEARCH_URL"]
    first = reader.address(base, "/search.naver", ssc="tab.m_blog.all", query=FOOD)
    counted = reader.endless(first, reader.phone_blog_keys, reader.PHONE)
    for key in targets(replica, "blog", FOOD):
        expect(replica, counted, "blog", FOOD, key, device="mobile")


def test_cafe_truth_equals_a_count_of_the_pages(replica: Replica) -> None:
    outcomes = set()
    for day in DAYS:
        replica.control.set_day(day)
        for keyword in (FOOD, BOOKS, LANTERN):
            first = reader.address(replica.urls["NAVER_SEARCH_URL"], "/search.naver", ssc="tab.cafe.all", query=keyword)
            counted = reader.endless(first, reader.cafe_keys)
            outcomes |= {expect(replica, counted, "cafe", keyword, key) for key in targets(replica, "cafe", keyword)}
    assert outcomes == {"exposed", "not_exposed"}


def test_phone_cafe_rows_with_club_ids_are_the_same_posts(replica: Replica) -> None:
    base = replica.urls["NAVER_MOBILE_SEARCH_URL"]
    first = reader.address(base, "/search.naver", ssc="tab.m_cafe.all", query=FOOD)
    counted = reader.endless(first, reader.cafe_keys, reader.PHONE)
    numeric = [key for key in counted if key.split("/")[0].isdecimal()]
    assert numeric
    truth = replica.control.truth("cafe", FOOD, numeric[0], device="mobile")
    assert truth["rank"] == counted.index(numeric[0]) + 1


@pytest.mark.parametrize(
    ("vertical", "keyword"), [("restaurant", FOOD), ("place", COFFEE), ("hospital", DENTIST), ("hairshop", HAIR)]
)
def test_place_truth_equals_a_count_of_the_list(replica: Replica, vertical: str, keyword: str) -> None:
    for day in DAYS:
        replica.control.set_day(day)
        counted = reader.place_keys(replica.urls["NAVER_PLACE_URL"], vertical, keyword)
        assert "" in counted, "a row without an id takes a slot"
        for key in targets(replica, "place", keyword):
            expect(replica, counted, "place", keyword, key, vertical=vertical)


def test_device_vertical_and_coordinates_each_change_the_order(replica: Replica) -> None:
    phone, pc = replica.urls["NAVER_PLACE_URL"], replica.urls["NAVER_PCPLACE_URL"]
    views: list[tuple[dict[str, Any], list[str]]] = [
        ({"vertical": "restaurant"}, reader.place_keys(phone, "restaurant", FOOD)),
        ({"vertical": "place"}, reader.place_keys(phone, "place", FOOD)),
        ({"vertical": "restaurant", "device": "pc"}, reader.place_keys(pc, "restaurant", FOOD)),
        (
            {"vertical": "restaurant", "x": 127.05, "y": 37.5},
            reader.place_keys(phone, "restaurant", FOOD, x="127.0500", y="37.50"),
        ),
    ]
    assert len({tuple(counted) for _, counted in views}) == len(views)
    for view, counted in views:
        for key in targets(replica, "place", FOOD):
            expect(replica, counted, "place", FOOD, key, **view)


def test_a_list_that_ends_before_its_total_says_so(replica: Replica) -> None:
    base = replica.urls["NAVER_PLACE_URL"]
    total, _ = reader.listing(reader.apollo(reader.get(reader.address(base, "/place/list", query=ENDS_EARLY)).text))
    counted = reader.place_keys(base, "place", ENDS_EARLY)
    assert (total, len(counted)) == (187, 100)
    assert expect(replica, counted, "place", ENDS_EARLY, "9900000501") == "not_exposed"


def test_api_truth_equals_the_order_of_the_api(replica: Replica) -> None:
    keys = {
        "X-NCP-APIGW-API-KEY-ID": replica.urls["NAVER_API_KEY_ID"],
        "X-NCP-APIGW-API-KEY": replica.urls["NAVER_API_KEY"],
    }
    url = reader.address(replica.urls["NAVER_API_URL"], "/search/v1/blog", query=FOOD, display=100)
    links = [item["link"] for item in reader.get(url, keys).data["items"]]
    counted = [
        link.removeprefix("https://blog.naver.com/").replace("?Redirect=Log&logNo=", "/").lower() for link in links
    ]
    for key in targets(replica, "blog", FOOD):
        expect(replica, counted, "blog", FOOD, key, source="api")
    first = reader.address(replica.urls["NAVER_SEARCH_URL"], "/search.naver", ssc="tab.blog.all", query=FOOD)
    assert counted[:30] != reader.endless(first, reader.blog_keys)[:30], "the API has an order of its own"


def test_a_fixed_rank_and_a_fixed_absence_are_kept(replica: Replica) -> None:
    keyword, key = "고정된 낱말", "nj_fixed01/223400009901"
    target = {"key": key, "around": 50, "ranks": {"2026-03-02": 7, "2026-03-03": None}}
    replica.control.put_scenario({"keywords": [{"rank_type": "blog", "keyword": keyword, "targets": [target]}]})
    first = reader.address(replica.urls["NAVER_SEARCH_URL"], "/search.naver", ssc="tab.blog.all", query=keyword)
    assert reader.endless(first, reader.blog_keys).index(key) == 6
    replica.control.set_day("2026-03-03")
    assert key not in reader.endless(first, reader.blog_keys)
    assert replica.control.truth("blog", keyword, key)["outcome"] == "not_exposed"


def test_a_second_process_shows_the_same_world(replica: Replica) -> None:
    with Replica("--day", "2026-03-02") as other:
        for base, path, query in (
            ("NAVER_SEARCH_URL", "/search.naver", {"ssc": "tab.blog.all", "query": FOOD}),
            ("NAVER_SEARCH_URL", "/search.naver", {"ssc": "tab.cafe.all", "query": FOOD}),
            ("NAVER_PLACE_URL", "/restaurant/list", {"query": FOOD}),
        ):
            ours, theirs = (
                _without_ports(one, reader.get(reader.address(one.urls[base], path, **query)).text)
                for one in (replica, other)
            )
            assert ours == theirs
    with Replica("--day", "2026-03-02", "--seed", "2") as another:
        url = reader.address(another.urls["NAVER_PLACE_URL"], "/restaurant/list", query=FOOD)
        assert _without_ports(another, reader.get(url).text) != ours


def _without_ports(replica: Replica, text: str) -> str:
    for name, url in replica.urls.items():
        if name.endswith("_URL"):
            text = text.replace(url, name)
    return text


def test_ranks_move_from_day_to_day_but_not_within_one(replica: Replica) -> None:
    days = [f"2026-03-{day:02d}" for day in range(1, 31)]
    key = "nj_lantern01/223400000101"
    asked = [{"rank_type": "blog", "keyword": FOOD, "target": key, "day": day} for day in days]
    ranks = [answer["rank"] for answer in replica.control.truths(asked)]
    assert ranks == [answer["rank"] for answer in replica.control.truths(asked)]
    assert len(set(ranks)) > 2
    assert all(rank is not None and 1 <= rank <= 12 for rank in ranks)


def test_the_default_scenario_offers_thirty_trackings_of_three_types(replica: Replica) -> None:
    trackings = replica.control.scenario()["trackings"]
    kinds = [item["rank_type"] for item in trackings]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {"place": 10, "blog": 10, "cafe": 10}
    assert all(item["target_key"] in targets(replica, item["rank_type"], item["keyword"]) for item in trackings)
