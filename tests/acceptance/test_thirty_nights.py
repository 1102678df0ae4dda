"""Thirty nights with bad days, compared with what the replica really showed, day by day."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from nightjar.domain.tracking import EXPOSED_DAYS_IN_SESSION, RankType
from tests.acceptance.night import NightSystem, differences

FIRST = date(2027, 1, 1)
NIGHTS = 30

BAD_NIGHTS: Mapping[int, dict[str, Any]] = {
    3: {"fault_id": "S403", "site": "search"},
    6: {"fault_id": "EMPTY", "site": "search_more"},
    9: {"fault_id": "SHORT", "site": "search"},
    12: {"fault_id": "P429", "site": "place"},
    15: {"fault_id": "GARBAGE", "site": "search"},
    18: {"fault_id": "503", "site": "search"},
    21: {"fault_id": "TRUNCATED", "site": "place"},
    24: {"fault_id": "S200", "site": "search"},
}
"""By night: what a site does to everybody, all night."""


MORE_BLOGS = {"서른 밤의 종이": "nj_paper31/223400000901", "서른 밤의 연필": "nj_pencil32/223400000902"}


def play(system: NightSystem) -> dict[date, dict[int, Mapping[str, Any]]]:
    """All nights; the history of each."""
    history = {}
    for number in range(NIGHTS):
        day = FIRST + timedelta(days=number)
        system.replica.control.clear_faults()
        if fault := BAD_NIGHTS.get(number):
            system.replica.control.fault(fault["fault_id"], site=fault["site"])
        system.await_end(system.fan_out(day))
        history[day] = system.rows(day)
    system.replica.control.clear_faults()
    return history


@pytest.fixture(scope="module")
def history(shared_system: NightSystem) -> Iterator[dict[date, dict[int, Mapping[str, Any]]]]:
    """The nights, with two more blog lists: five that nobody understands are an alarm, the three of cafes are none."""
    shared_system.replica.control.reset()
    more = [
        shared_system.follow(RankType.BLOG, keyword, f"https://blog.naver.com/{target}", target)
        for keyword, target in MORE_BLOGS.items()
    ]
    keywords = [{"rank_type": "blog", "keyword": keyword, "rows": 120} for keyword in MORE_BLOGS]
    shared_system.replica.control.put_scenario({"keywords": keywords})
    yield play(shared_system)
    for followed in more:
        shared_system.unfollow(followed)


def test_every_tracking_has_one_row_for_every_night(
    shared_system: NightSystem, history: dict[date, dict[int, Mapping[str, Any]]]
) -> None:
    followed = sorted(item.id for item in shared_system.followed)
    assert all(sorted(rows) == followed for rows in history.values())


def test_good_nights_equal_the_truth(
    shared_system: NightSystem, history: dict[date, dict[int, Mapping[str, Any]]]
) -> None:
    wrong = [
        difference
        for number, (day, rows) in enumerate(history.items())
        if number not in BAD_NIGHTS
        for difference in differences(rows, shared_system.truths(day))
    ]
    assert wrong == []


def test_on_bad_nights_what_is_not_true_is_unknown_with_a_reason(
    shared_system: NightSystem, history: dict[date, dict[int, Mapping[str, Any]]]
) -> None:
    unknown = 0
    for number in BAD_NIGHTS:
        day = FIRST + timedelta(days=number)
        truths = shared_system.truths(day)
        for tracking_id, row in history[day].items():
            if row["outcome"] == "unknown":
                unknown += 1
                assert row["reason"]
                assert row["rank"] is None
            else:
                truth = truths[tracking_id]
                assert (row["outcome"], row["rank"]) == (truth["outcome"], truth["rank"]), (day, tracking_id)
    assert unknown > 50


def test_sessions_count_exposed_days_and_nothing_else(
    shared_system: NightSystem, history: dict[date, dict[int, Mapping[str, Any]]]
) -> None:
    opened_a_second_session = 0
    for item in shared_system.followed:
        exposed_before = _exposed_before(shared_system, item.id)
        for rows in history.values():
            row = rows[item.id]
            assert row["session_number"] == 1 + exposed_before // EXPOSED_DAYS_IN_SESSION
            exposed_before += row["rank"] is not None
        opened_a_second_session += exposed_before > EXPOSED_DAYS_IN_SESSION
    assert opened_a_second_session > 0


def _exposed_before(system: NightSystem, tracking_id: int) -> int:
    """Exposed days of nights that other tests played."""
    with system.database.transaction() as uow:
        rows = uow.rank_history.page(tracking_id, before=FIRST, limit=1000)
    return sum(row.rank is not None for row in rows)


def test_a_changed_layout_raises_one_alarm_and_makes_nobody_not_exposed(
    shared_system: NightSystem, history: dict[date, dict[int, Mapping[str, Any]]]
) -> None:
    day = FIRST + timedelta(days=15)
    misread = {row["outcome"] for row in history[day].values() if (row["reason"] or "").startswith("layout_changed")}
    assert misread == {"unknown"}
    batches = {row["batch_id"]: day for day, rows in history.items() for row in rows.values()}
    alarms = [alarm for alarm in shared_system.lines("layout_changed") if alarm["batch_id"] in batches]
    assert [(batches[alarm["batch_id"]], alarm["rank_type"]) for alarm in alarms] == [(day, "blog")]
