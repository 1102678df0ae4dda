import asyncio

import pytest

from nightjar.domain.tracking import Device
from nightjar.errors import Blocked, ErrorCode, GiveUp, RetryLater, TaskFailure
from tests.doubles.naver.replica import Replica
from tests.integration.naver.desk import Desk, a_search, a_target, truths

pytestmark = pytest.mark.anyio

FOOD = "모형동 맛집"
ABSENT = {"blog": "nj_nobody/223400009999", "cafe": "njcafenowhere/9999999", "place": "9900009999"}

BLOCKS = ["S403", "S200", "EMPTY", "P429", "P200", "LOGIN", "G405", "CE"]
PASSING = ["SHORT", "500", "502", "503", "TRUNCATED", "RESET"]

FIRST = {
    ("blog", Device.PC): "search",
    ("blog", Device.MOBILE): "mobile_search",
    ("cafe", Device.PC): "search",
    ("cafe", Device.MOBILE): "mobile_search",
    ("place", Device.PC): "pcplace",
    ("place", Device.MOBILE): "place",
}
LISTS = list(FIRST)


def site_of(rank_type: str, device: Device, step: int) -> str:
    return FIRST[rank_type, device] if step == 1 or rank_type == "place" else "search_more"


async def failure(desk: Desk, rank_type: str, device: Device) -> TaskFailure:
    """The error of a reading whose target is not listed, so that every load is needed."""
    with pytest.raises(TaskFailure) as raised:
        await desk.reading(a_search(rank_type, FOOD, device=device), [a_target(rank_type, ABSENT[rank_type])])
    return raised.value


@pytest.mark.parametrize(("rank_type", "device"), LISTS)
@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("fault", BLOCKS)
async def test_every_block_page_is_one_at_the_start_and_mid_way(
    replica: Replica, desk: Desk, fault: str, step: int, rank_type: str, device: Device
) -> None:
    replica.control.fault(fault, site=site_of(rank_type, device, step), step=step)
    raised = await failure(desk, rank_type, device)
    assert isinstance(raised, Blocked)
    assert raised.details["surface"] == fault
    assert len(raised.message) > 40
    # After a block nothing more is sent: the last request is the one that met it.
    assert [entry["fault"] for entry in replica.control.requests()] == [""] * (step - 1) + [fault]


@pytest.mark.parametrize(("rank_type", "device"), LISTS)
@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("fault", PASSING)
async def test_every_passing_fault_is_tried_later_and_never_a_rank(
    replica: Replica, desk: Desk, fault: str, step: int, rank_type: str, device: Device
) -> None:
    replica.control.fault(fault, site=site_of(rank_type, device, step), step=step)
    raised = await failure(desk, rank_type, device)
    assert isinstance(raised, RetryLater)
    assert raised.code is ErrorCode.UPSTREAM_ERROR


@pytest.mark.parametrize(("rank_type", "device"), LISTS)
@pytest.mark.parametrize("step", [1, 2])
async def test_a_layout_that_nobody_knows_is_said_to_be_one(
    replica: Replica, desk: Desk, step: int, rank_type: str, device: Device
) -> None:
    replica.control.fault("GARBAGE", site=site_of(rank_type, device, step), step=step)
    raised = await failure(desk, rank_type, device)
    assert isinstance(raised, GiveUp)
    assert raised.code is ErrorCode.LAYOUT_CHANGED


@pytest.mark.parametrize(("rank_type", "device"), LISTS)
async def test_a_connection_that_breaks_in_the_middle_of_a_page_gives_no_rows(
    replica: Replica, desk: Desk, rank_type: str, device: Device
) -> None:
    replica.control.fault("RESET", site=site_of(rank_type, device, 1), partial=True)
    assert isinstance(await failure(desk, rank_type, device), RetryLater)


@pytest.mark.parametrize(("rank_type", "device"), LISTS)
async def test_a_short_first_page_that_says_it_is_all_is_not_believed(
    replica: Replica, desk: Desk, rank_type: str, device: Device
) -> None:
    replica.control.fault("SHORT", site=site_of(rank_type, device, 1), drops_next=True)
    raised = await failure(desk, rank_type, device)
    assert isinstance(raised, RetryLater)
    assert "short page" in raised.message


@pytest.mark.parametrize(("rank_type", "device"), LISTS)
async def test_a_target_on_a_short_page_has_no_rank(
    replica: Replica, desk: Desk, rank_type: str, device: Device
) -> None:
    key = {"blog": "nj_first/223400000001", "cafe": "njcafefirst/1000001", "place": "9900000999"}[rank_type]
    target = {"key": key, "ranks": {"2026-03-02": 1}}
    keyword = {"rank_type": rank_type, "keyword": "맨 앞", "rows": 120, "targets": [target], "traps": []}
    replica.control.put_scenario({"keywords": [keyword]})
    search = a_search(rank_type, "맨 앞", device=device)
    replica.control.fault("SHORT", site=site_of(rank_type, device, 1))
    with pytest.raises(RetryLater, match="short page"):
        await desk.reading(search, [a_target(rank_type, key)])
    replica.control.clear_faults()
    assert await desk.results(search, [a_target(rank_type, key)]) == truths(replica, search, [key])


async def test_a_target_on_a_short_batch_in_the_middle_of_a_place_list_has_no_rank(
    replica: Replica, desk: Desk
) -> None:
    target = {"key": "9900000999", "ranks": {"2026-03-02": 52}}
    keyword = {"rank_type": "place", "keyword": "쉰둘째", "rows": 200, "targets": [target], "traps": []}
    replica.control.put_scenario({"keywords": [keyword]})
    replica.control.fault("SHORT", site="place", step=2)
    with pytest.raises(RetryLater, match="short page"):
        await desk.reading(a_search("place", "쉰둘째"), [a_target("place", "9900000999")])


async def test_a_page_that_never_comes_ends_in_time(replica: Replica, desk: Desk) -> None:
    replica.control.fault("SLOW", delay=30)
    lists = [("blog", Device.PC), ("cafe", Device.MOBILE), ("place", Device.PC)]
    for raised in await asyncio.gather(*(failure(desk, rank_type, device) for rank_type, device in lists)):
        assert isinstance(raised, RetryLater)
        assert raised.code is ErrorCode.TIMEOUT


@pytest.mark.parametrize("rank_type", ["blog", "cafe"])
@pytest.mark.parametrize("device", Device)
async def test_an_ordinary_page_with_the_words_of_a_block_is_read(
    replica: Replica, desk: Desk, rank_type: str, device: Device
) -> None:
    keyword = {"rank_type": rank_type, "keyword": "주차장", "rows": 40, "traps": ["block_words"]}
    replica.control.put_scenario({"keywords": [keyword]})
    reading = await desk.confirmed(a_search(rank_type, "주차장", device=device))
    assert len(reading.rows) == 40


async def test_too_many_requests_bring_the_block_page_that_people_saw(replica: Replica, desk: Desk) -> None:
    replica.control.rate_rule(enabled=True, search_requests=3, search_window=60)
    with pytest.raises(Blocked):
        await desk.reading(a_search("blog", FOOD), depth=300)


async def test_the_time_to_come_back_is_kept_with_the_block(replica: Replica, desk: Desk) -> None:
    replica.control.fault("P429", site="place", retry_after=90)
    raised = await failure(desk, "place", Device.MOBILE)
    assert raised.details["retry_after_seconds"] == 90


async def test_a_vertical_without_a_list_is_given_up(desk: Desk) -> None:
    with pytest.raises(GiveUp) as refusal:
        await desk.reading(a_search("place", FOOD, vertical="cafe"))
    assert refusal.value.code is ErrorCode.NOT_FOUND
