"""The same EventBridge event, delivered twice."""

import threading
from collections.abc import Iterator
from datetime import date
from urllib.parse import parse_qs

import pytest

from functions.nightly_fanout.handling import Handler
from infra.local.events import nightly_event
from nightjar.domain.tracking import Device, Location, RankType
from tests.acceptance.night import Followed, NightSystem, differences


def test_the_same_event_twice_at_the_same_moment_makes_one_batch_and_one_row_per_tracking(
    system: NightSystem, night: date
) -> None:
    event = nightly_event(night)
    system.replica.control.set_day(night)
    start = threading.Barrier(2)
    answers = []

    def deliver() -> None:
        handler = Handler(system.stack.env)
        start.wait()
        answers.append(handler.handle(event, None))
        handler.close()

    threads = [threading.Thread(target=deliver) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    batch_ids = {answer["batch_id"] for answer in answers}
    assert len(batch_ids) == 1
    assert sorted(bool(answer["new"]) for answer in answers) == [False, True]
    batch_id = int(str(batch_ids.pop()))
    batch = system.await_end(batch_id)
    assert (batch["total"], batch["success"]) == (len(system.followed), len(system.followed))
    assert sorted(system.rows(night)) == sorted(item.id for item in system.followed)
    assert len(system.lines("crawl_result", batch_id=batch_id)) == len(system.followed)
    assert len(system.lines("batch_completed", batch_id=batch_id)) == 1


def test_each_distinct_search_is_read_once_in_a_night(system: NightSystem, night: date) -> None:
    batch_id = system.fan_out(night)
    system.await_end(batch_id)
    looked_again = [line for line in system.lines("crawl_postponed", batch_id=batch_id) if line["costs_an_attempt"]]
    searches = {item.search for item in system.followed}
    first_pages = [
        request
        for request in system.replica.control.requests(kind="page")
        if request["step"] == 1 and request["site"] in {"search", "place"}
    ]
    assert len(searches) < len(system.followed)
    distinct = {(request["site"], request["path"], request["query"]) for request in first_pages}
    assert len(distinct) == len(searches)
    assert len(first_pages) == len(searches) + len(looked_again)  # a list whose end is in doubt is read once more


KEYWORD = "갈라지는 낱말"
PLACE = "9900007701"
HERE, THERE = Location(x=127.05, y=37.51), Location(x=127.05, y=37.52)


@pytest.fixture
def relatives(system: NightSystem) -> Iterator[list[Followed]]:
    """One place and one keyword, followed in all the ways in which a list can differ, and one of them by two owners."""
    system.replica.control.put_scenario(
        {
            "keywords": [
                {"rank_type": "place", "keyword": KEYWORD, "rows": 400, "targets": [{"key": PLACE, "around": 30}]}
            ]
        }
    )

    def follow(
        vertical: str, *, owner: str = "shop", device: Device | None = None, location: Location | None = None
    ) -> Followed:
        url = f"https://m.place.naver.com/{vertical}/{PLACE}/home"
        return system.follow(RankType.PLACE, KEYWORD, url, PLACE, owner=owner, device=device, location=location)

    relatives = [
        follow("place"),
        follow("place", owner="neighbour"),
        follow("hairshop"),
        follow("place", device=Device.PC),
        follow("place", location=HERE),
        follow("place", location=THERE),
    ]
    yield relatives
    for followed in relatives:
        system.unfollow(followed)


def test_each_of_the_lists_that_differ_in_vertical_location_or_device_is_read_for_itself(
    system: NightSystem, relatives: list[Followed], night: date
) -> None:
    system.await_end(system.fan_out(night))
    requests = system.replica.control.requests(kind="page", keyword=KEYWORD)
    asked = [
        (request["site"], request["path"], *(parse_qs(request["query"]).get(name, [""])[0] for name in "xy"))
        for request in requests
        if request["step"] == 1
    ]
    assert sorted(asked) == [
        ("pcplace", "/place/list", "", ""),
        ("place", "/hairshop/list", "", ""),
        ("place", "/place/list", "", ""),
        ("place", "/place/list", "127.05", "37.51"),
        ("place", "/place/list", "127.05", "37.52"),
    ]
    rows = system.rows(night)
    ids = {item.id for item in relatives}
    truths = {number: truth for number, truth in system.truths(night).items() if number in ids}
    assert differences(rows, truths) == []
    assert len({truth["rank"] for truth in truths.values()}) > 1
