import pytest

from nightjar.domain.tracking import Device, RankType, Source
from nightjar.errors import EndInDoubt, GiveUp
from tests.doubles.naver.replica import Json, Replica
from tests.integration.naver.desk import Desk, a_search, a_target, in_words_of_truth, truths

pytestmark = pytest.mark.anyio

FOOD = "모형동 맛집"
ABSENT = {"blog": "nj_nobody/223400009999", "cafe": "njcafenowhere/9999999", "place": "9900009999"}


def show(replica: Replica, rank_type: str, rows: int, **more: object) -> str:
    """A keyword with so many organic rows and none of the usual traps."""
    keyword: Json = {"rank_type": rank_type, "keyword": f"낱말 {rows}", "rows": rows, "traps": [], **more}
    replica.control.put_scenario({"keywords": [keyword]})
    return f"낱말 {rows}"


@pytest.mark.parametrize("rank_type", ["blog", "cafe"])
@pytest.mark.parametrize("device", Device)
async def test_a_list_is_read_load_by_load_to_its_depth_and_no_further(
    replica: Replica, desk: Desk, rank_type: str, device: Device
) -> None:
    search = a_search(rank_type, FOOD, device=device)
    reading = await desk.reading(search, [a_target(rank_type, ABSENT[rank_type])])
    assert len(reading.rows) == 100
    first = "search" if device is Device.PC else "mobile_search"
    assert [(entry["site"], entry["step"]) for entry in replica.control.requests()] == [
        (first, 1),
        ("search_more", 2),
        ("search_more", 3),
        ("search_more", 4),
    ]


@pytest.mark.parametrize("design", ["new", "mutated"])
async def test_every_load_is_asked_for_as_the_page_says(replica: Replica, desk: Desk, design: str) -> None:
    replica.control.design(design)
    await desk.reading(a_search("blog", FOOD))
    loads = replica.control.requests(site="search_more")
    assert len(loads) == 3
    # Without the opaque values, or without the header that goes with them, the replica answers with nothing.
    assert all("equery=" in entry["query"] and entry["status"] == 200 for entry in loads)


@pytest.mark.parametrize("rank_type", ["blog", "cafe", "place"])
async def test_reading_stops_as_soon_as_every_target_was_met(replica: Replica, desk: Desk, rank_type: str) -> None:
    keyword = next(
        item for item in replica.control.scenario()["keywords"]
        if item["rank_type"] == rank_type and item["keyword"] == FOOD
    )  # fmt: skip
    near = a_target(rank_type, keyword["targets"][0]["key"])
    search = a_search(rank_type, FOOD, vertical=keyword["vertical"])
    await desk.reading(search, [near])
    assert len(replica.control.requests()) == 1
    replica.control.reset_log()
    await desk.confirmed(search, [near, a_target(rank_type, ABSENT[rank_type])])
    assert len(replica.control.requests()) > 3


@pytest.mark.parametrize("rank_type", ["blog", "cafe"])
@pytest.mark.parametrize("rows", [12, 30, 45, 61])
async def test_a_list_that_ends_before_the_depth_is_whole_when_a_second_attempt_says_so(
    replica: Replica, desk: Desk, rank_type: str, rows: int
) -> None:
    search = a_search(rank_type, show(replica, rank_type, rows))
    with pytest.raises(EndInDoubt) as doubt:
        await desk.reading(search)
    assert doubt.value.rows == rows
    requests = len(replica.control.requests())
    assert len((await desk.reading(search, seen_end=rows)).rows) == rows
    assert len(replica.control.requests()) == 2 * requests


@pytest.mark.parametrize("rank_type", ["blog", "cafe"])
async def test_a_full_last_load_that_says_that_it_is_the_last_ends_a_list_at_once(
    replica: Replica, desk: Desk, rank_type: str
) -> None:
    assert len((await desk.reading(a_search(rank_type, show(replica, rank_type, 60)))).rows) == 60


@pytest.mark.parametrize("rank_type", ["blog", "cafe", "place"])
async def test_a_short_list_that_holds_all_targets_needs_one_attempt(
    replica: Replica, desk: Desk, rank_type: str
) -> None:
    key = {"blog": "nj_near/223400000001", "cafe": "njcafenear/1000001", "place": "9900000999"}[rank_type]
    targets = [{"key": key, "around": 11, "swing": 0}]
    search = a_search(rank_type, show(replica, rank_type, 12, targets=targets))
    reading = await desk.reading(search, [a_target(rank_type, key)])
    assert in_words_of_truth(reading, a_target(rank_type, key), depth=100) == truths(replica, search, [key])[0]


@pytest.mark.parametrize("rank_type", ["blog", "cafe", "place"])
@pytest.mark.parametrize("device", Device)
async def test_no_result_at_all_is_a_whole_reading_of_nothing(
    replica: Replica, desk: Desk, rank_type: str, device: Device
) -> None:
    reading = await desk.reading(a_search(rank_type, "검색되지않는낱말", device=device))
    assert list(reading.rows) == []
    assert len(replica.control.requests()) == 1


async def test_a_load_on_another_host_is_never_asked_for(replica: Replica, desk: Desk) -> None:
    with pytest.raises(GiveUp, match=r"only 127\.0\.0\.1:9 is asked"):
        await desk.reading(a_search("blog", FOOD), settings={"NAVER_SEARCH_MORE_URL": "http://127.0.0.1:9"})
    assert [entry["site"] for entry in replica.control.requests()] == ["search"]


@pytest.mark.parametrize(("list_end", "batches"), [(54, 3), (100, 3), (210, 6)])
async def test_a_place_list_that_is_cut_before_its_total_ends_there_when_a_second_attempt_says_so(
    replica: Replica, desk: Desk, list_end: int, batches: int
) -> None:
    search = a_search("place", show(replica, "place", 412, list_end=list_end))
    with pytest.raises(EndInDoubt, match=f"ended after {list_end} rows"):
        await desk.reading(search)
    assert len((await desk.reading(search, seen_end=list_end)).rows) == list_end
    assert len(replica.control.requests()) == 2 * batches


async def test_a_place_list_is_read_to_its_total_without_a_request_too_many(replica: Replica, desk: Desk) -> None:
    reading = await desk.reading(a_search("place", show(replica, "place", 120)))
    assert len(reading.rows) == 120
    assert [entry["step"] for entry in replica.control.requests()] == [1, 2, 3]


async def test_repeated_places_do_not_make_a_list_end_early(replica: Replica, desk: Desk) -> None:
    keyword = show(replica, "place", 50, traps=["repeated_row"])
    reading = await desk.reading(a_search("place", keyword))
    assert len(reading.rows) == 50


@pytest.mark.parametrize(("depth", "calls"), [(100, 1), (101, 2), (250, 3)])
async def test_the_api_is_called_once_for_a_hundred_rows(replica: Replica, desk: Desk, depth: int, calls: int) -> None:
    keyword = show(replica, "blog", 250)
    reading = await desk.reading(a_search("blog", keyword), depth=depth, source=Source.API)
    assert len(reading.rows) == depth
    assert len(replica.control.requests(site="api")) == calls


async def test_the_api_is_not_called_beyond_its_total(replica: Replica, desk: Desk) -> None:
    reading = await desk.reading(a_search("blog", show(replica, "blog", 140)), depth=300, source=Source.API)
    assert len(reading.rows) == 140
    assert len(replica.control.requests(site="api")) == 2


@pytest.mark.parametrize("rank_type", list(RankType))
async def test_a_host_is_held_for_one_request_at_a_time(replica: Replica, desk: Desk, rank_type: RankType) -> None:
    await desk.confirmed(a_search(rank_type, FOOD))
    assert len(desk.gate.holds) == len(replica.control.requests(kind="page"))
    assert not desk.gate.held


@pytest.mark.parametrize(("device", "phone"), [(Device.PC, False), (Device.MOBILE, True)])
@pytest.mark.parametrize("rank_type", list(RankType))
async def test_each_device_is_asked_for_by_its_own_kind_of_reader(
    replica: Replica, desk: Desk, rank_type: RankType, device: Device, *, phone: bool
) -> None:
    await desk.confirmed(a_search(rank_type, FOOD, device=device))
    agents = {entry["user_agent"] for entry in replica.control.requests(kind="page")}
    assert len(agents) == 1
    assert ("Mobile" in agents.pop()) == phone
