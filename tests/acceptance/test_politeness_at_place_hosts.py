"""What the place hosts saw: fetches and browser visits of two workers, their spacing, and what a block stops."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from nightjar.domain.tracking import Device, Location, RankType
from tests.acceptance.night import Followed, NightSystem, a_stack, wait_until
from tests.acceptance.test_politeness import a_long_list, gaps
from tests.doubles.naver.replica import Replica

DELAY = 0.3
COOLDOWN = 3
SITES = {Device.MOBILE: "place", Device.PC: "pcplace"}


@pytest.fixture(scope="module")
def place_system() -> Iterator[NightSystem]:
    """Two workers with two children each, and a delay and a cool-down that can be measured."""
    settings = {"CRAWL_DELAY_SECONDS": str(DELAY), "CRAWL_COOLDOWN_SECONDS": str(COOLDOWN)}
    with Replica() as replica, a_stack(replica, settings, workers=2) as stack:
        replica.control.put_scenario(
            {"keywords": [a_long_list("place", f"공손한 가게 {number}") for number in range(4)]}
        )
        yield (system := NightSystem(replica, stack))
        system.database.close()


@pytest.fixture
def polite(place_system: NightSystem) -> Iterator[NightSystem]:
    place_system.replica.control.reset()
    yield place_system
    for followed in list(place_system.followed):
        place_system.unfollow(followed)


def follow(
    system: NightSystem,
    number: int,
    device: Device = Device.MOBILE,
    *,
    vertical: str = "place",
    location: Location | None = None,
) -> Followed:
    """Follow a place that is not listed: its list is read to the end."""
    place_id = f"99000088{number:02}"
    url = f"https://m.place.naver.com/{vertical}/{place_id}/home"
    keyword = f"공손한 가게 {number}"
    return system.follow(RankType.PLACE, keyword, url, place_id, device=device, location=location)


def pages(system: NightSystem, device: Device) -> list[dict[str, Any]]:
    """The pages of a place host that were fetched or visited, in the order of their arrival."""
    requests = system.replica.control.requests(kind="page", site=SITES[device])
    return sorted(requests, key=lambda request: request["monotonic"])


def script_calls(system: NightSystem) -> list[dict[str, Any]]:
    """What scripts of visited pages asked of the data service."""
    requests = system.replica.control.requests(site="place_graphql", method="POST")
    return sorted(requests, key=lambda request: request["monotonic"])


def cooling(system: NightSystem) -> list[str]:
    """The hosts that are left alone at the moment."""
    with system.database.transaction() as uow:
        return list(uow.hosts.cooling())


def has_ended_well(system: NightSystem, batch_id: int) -> None:
    batch = system.await_end(batch_id)
    assert (batch["success"], batch["failed"]) == (batch["total"], 0)


def test_fetches_at_a_place_host_keep_the_delay(polite: NightSystem, night: date) -> None:
    for number in range(4):
        for device in Device:
            follow(polite, number, device)
    has_ended_well(polite, polite.fan_out(night))
    assert script_calls(polite) == []
    for device in Device:
        requests = pages(polite, device)
        assert len(requests) >= 4 * 2
        assert min(gaps(requests)) >= DELAY


def test_a_host_is_asked_for_nothing_else_while_it_is_visited_and_for_the_delay_after(
    polite: NightSystem, night: date
) -> None:
    polite.replica.control.options(place_start="ignored")
    for number in range(4):
        follow(polite, number)
    has_ended_well(polite, polite.fan_out(night))
    requests, calls = pages(polite, Device.MOBILE), script_calls(polite)
    assert len(requests) == 4 * 3  # the first batch, the try whether `start` is heeded, the visit
    assert len(calls) >= 4
    assert min(gaps(requests)) >= DELAY
    for call in calls:
        after = [page["monotonic"] for page in requests if page["monotonic"] > call["monotonic"]]
        assert not after or min(after) - call["monotonic"] >= DELAY


def test_after_a_block_a_place_host_is_left_alone_and_the_other_is_not(polite: NightSystem, night: date) -> None:
    for number in range(4):
        for device in Device:
            follow(polite, number, device)
    polite.replica.control.fault("P429", site="place", after=3, limit=1)
    has_ended_well(polite, polite.fan_out(night))
    requests = pages(polite, Device.MOBILE)
    blocked = next(number for number, request in enumerate(requests) if request["fault"] == "P429")
    began, ended = (requests[number]["monotonic"] for number in (blocked, blocked + 1))
    assert ended - began >= COOLDOWN
    assert any(began < request["monotonic"] < ended for request in pages(polite, Device.PC))


def test_a_host_that_asks_for_a_longer_pause_gets_it(polite: NightSystem, night: date) -> None:
    for number in range(2):
        follow(polite, number)
    polite.replica.control.fault("P429", site="place", after=1, limit=1, retry_after=COOLDOWN + 2)
    has_ended_well(polite, polite.fan_out(night))
    requests = pages(polite, Device.MOBILE)
    assert gaps(requests)[1] >= COOLDOWN + 2


@pytest.mark.parametrize("fault", ["G405", "GERR"])
def test_a_block_inside_a_visit_stops_the_visits_of_the_other_device_too(
    polite: NightSystem, fault: str, night: date
) -> None:
    polite.replica.control.options(place_start="ignored")
    polite.replica.control.fault(fault, site="place_graphql", limit=1)
    follow(polite, 0)
    first = polite.fan_out(night)
    wait_until(lambda: bool(script_calls(polite)) and len(cooling(polite)) == 2, 30)
    follow(polite, 1, Device.PC)
    second = polite.fan_out(night + timedelta(days=100))
    has_ended_well(polite, first)
    has_ended_well(polite, second)
    calls = script_calls(polite)
    assert calls[0]["fault"] == fault
    assert calls[1]["monotonic"] - calls[0]["monotonic"] >= COOLDOWN
    # Meanwhile the other device's list was fetched, since its own host had not refused.
    pc = pages(polite, Device.PC)
    assert pc[0]["monotonic"] - calls[0]["monotonic"] < COOLDOWN
    second_tries = pages(polite, Device.MOBILE)[3]["monotonic"], pc[2]["monotonic"]
    assert min(second_tries) - calls[0]["monotonic"] >= COOLDOWN


def test_searches_that_differ_in_vertical_location_or_device_are_read_apart(polite: NightSystem, night: date) -> None:
    here = Location(x=127.0276, y=37.4979)
    follow(polite, 0)
    follow(polite, 0, vertical="restaurant")
    follow(polite, 0, location=here)
    follow(polite, 0, Device.PC)
    polite.follow(
        RankType.PLACE, "공손한 가게 0", "https://m.place.naver.com/place/9900008877/home", "9900008877", owner="second"
    )
    has_ended_well(polite, polite.fan_out(night))
    firsts = polite.replica.control.requests(kind="page", step=1)
    assert sorted((first["site"], first["path"], "x=" in first["query"]) for first in firsts) == [
        ("pcplace", "/place/list", False),
        ("place", "/place/list", False),
        ("place", "/place/list", True),
        ("place", "/restaurant/list", False),
    ]
