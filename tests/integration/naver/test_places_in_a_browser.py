"""Place lists that ignore `start`: the rows beyond the first batch need a real Chromium."""

from collections.abc import AsyncIterator

import pytest

from crawl_worker.engine.browser import Browser
from crawl_worker.engine.politeness import host_of
from nightjar.domain.tracking import Device
from nightjar.errors import Blocked, ErrorCode, GiveUp, HostBusy, RetryLater, TaskFailure
from tests.doubles.naver.replica import Replica
from tests.integration.naver.desk import ENGINE, Desk, a_search, a_target, truths

pytestmark = pytest.mark.anyio

FOOD = "모형동 맛집"
ABSENT = "9900009999"


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests of this module."""
    browser = Browser(ENGINE)
    yield browser
    await browser.close()


@pytest.fixture
def desk(desk: Desk, browser: Browser, replica: Replica) -> Desk:
    """A desk at a replica whose place lists ignore `start`."""
    replica.control.options(place_start="ignored")
    desk.browser = browser
    return desk


@pytest.mark.parametrize(("device", "design"), [(Device.PC, "mutated"), (Device.MOBILE, "new"), (Device.MOBILE, "old")])
async def test_rows_beyond_the_first_batch_are_read_by_scrolling_and_turning_pages(
    replica: Replica, desk: Desk, device: Device, design: str
) -> None:
    replica.control.design(design)
    search = a_search("place", FOOD, device=device, vertical="restaurant")
    keys = ["9900000101", "9900000102", "9900000103", "9900000104", ABSENT]
    found = await desk.results(search, [a_target("place", key) for key in keys])
    assert found == truths(replica, search, keys)
    assert found[-1]["checked_count"] == 300


@pytest.mark.parametrize("device", Device)
async def test_a_list_that_is_cut_before_its_total_ends_there(replica: Replica, desk: Desk, device: Device) -> None:
    search = a_search("place", "견본로 문구점", device=device)
    found = await desk.results(search, [a_target("place", ABSENT)])
    assert found == truths(replica, search, [ABSENT])
    assert found[0]["checked_count"] == 100


@pytest.mark.parametrize("device", Device)
async def test_a_visit_ends_as_soon_as_the_target_was_met(replica: Replica, desk: Desk, device: Device) -> None:
    target = {"key": "9900000555", "around": 80, "swing": 0}
    keyword = {"rank_type": "place", "keyword": "여든째", "rows": 400, "targets": [target]}
    replica.control.put_scenario({"keywords": [keyword]})
    search = a_search("place", "여든째", device=device)
    found = await desk.results(search, [a_target("place", "9900000555")])
    assert found == truths(replica, search, ["9900000555"])
    assert len(replica.control.requests(site="place_graphql", method="POST")) == 1


async def test_vertical_and_location_are_those_of_the_search(replica: Replica, desk: Desk) -> None:
    search = a_search("place", FOOD, vertical="hospital")
    await desk.reading(search, [a_target("place", ABSENT)], depth=120)
    visits = replica.control.requests(site="place", kind="page")
    assert {entry["path"] for entry in visits} == {"/hospital/list"}
    assert all("Mobile" in entry["user_agent"] for entry in replica.control.requests(site="place_graphql"))


async def failure(desk: Desk, device: Device = Device.MOBILE) -> TaskFailure:
    with pytest.raises(TaskFailure) as raised:
        await desk.reading(a_search("place", FOOD, device=device), [a_target("place", ABSENT)])
    assert not desk.gate.held
    return raised.value


@pytest.mark.parametrize("fault", ["G405", "P429", "P200", "GERR", "EMPTY", "S403"])
async def test_a_block_of_the_data_service_is_one(replica: Replica, desk: Desk, fault: str) -> None:
    replica.control.fault(fault, site="place_graphql")
    device = Device.PC if fault in {"G405", "GERR"} else Device.MOBILE
    raised = await failure(desk, device)
    assert isinstance(raised, Blocked)
    assert raised.details["surface"] == fault
    assert len(replica.control.requests(site="place_graphql", method="POST")) == 1


@pytest.mark.parametrize("fault", ["G405", "GERR", "P429"])
async def test_after_a_block_of_the_data_service_no_device_visits_its_lists(
    replica: Replica, desk: Desk, fault: str
) -> None:
    replica.control.fault(fault, site="place_graphql", limit=1)
    raised = await failure(desk, Device.PC)
    assert raised.details["host"] == host_of(replica.settings["NAVER_PLACE_GRAPHQL_URL"])
    for device in Device:
        with pytest.raises(HostBusy) as busy:
            await desk.reading(a_search("place", FOOD, device=device), [a_target("place", ABSENT)])
        assert busy.value.host == raised.details["host"]
    assert len(replica.control.requests(site="place_graphql", method="POST")) == 1


async def test_after_a_block_of_the_page_itself_another_host_is_still_visited(replica: Replica, desk: Desk) -> None:
    replica.control.fault("P429", site="pcplace", after=2)
    await failure(desk, Device.PC)
    await desk.reading(a_search("place", FOOD), [a_target("place", ABSENT)], depth=120)
    assert len(replica.control.requests(site="place_graphql", method="POST")) == 2


@pytest.mark.parametrize(("fault", "device"), [("500", Device.PC), ("RESET", Device.MOBILE), ("TRUNCATED", Device.PC)])
async def test_a_fault_of_the_data_service_passes(replica: Replica, desk: Desk, fault: str, device: Device) -> None:
    replica.control.fault(fault, site="place_graphql")
    assert isinstance(await failure(desk, device), RetryLater)


async def test_data_in_an_unknown_form_is_a_changed_layout(replica: Replica, desk: Desk) -> None:
    replica.control.fault("GARBAGE", site="place_graphql")
    raised = await failure(desk)
    assert isinstance(raised, GiveUp)
    assert raised.code is ErrorCode.LAYOUT_CHANGED


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ("P200", Blocked, ErrorCode.BLOCKED),
        ("P429", Blocked, ErrorCode.BLOCKED),
        ("LOGIN", Blocked, ErrorCode.BLOCKED),
        ("EMPTY", Blocked, ErrorCode.BLOCKED),
        ("503", RetryLater, ErrorCode.UPSTREAM_ERROR),
        ("SHORT", RetryLater, ErrorCode.UPSTREAM_ERROR),
        ("TRUNCATED", RetryLater, ErrorCode.UPSTREAM_ERROR),
        ("RESET", RetryLater, ErrorCode.UPSTREAM_ERROR),
        ("GARBAGE", GiveUp, ErrorCode.LAYOUT_CHANGED),
    ],
)
async def test_a_visited_page_is_judged_as_a_fetched_one(
    replica: Replica, desk: Desk, fault: str, kind: type[TaskFailure], code: ErrorCode
) -> None:
    # The first request is the first batch, the second finds out that `start` is ignored, the third is the visit.
    replica.control.fault(fault, site="place", after=2)
    raised = await failure(desk)
    assert isinstance(raised, kind)
    assert raised.code is code
    assert len(replica.control.requests(site="place", kind="page")) == 3


async def test_a_place_host_is_held_while_it_is_visited(replica: Replica, desk: Desk) -> None:
    await desk.reading(a_search("place", FOOD), [a_target("place", ABSENT)], depth=120)
    assert len(desk.gate.holds) == len(replica.control.requests(site="place", kind="page")) == 3
