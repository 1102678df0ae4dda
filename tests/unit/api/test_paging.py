"""Cursors: what goes in comes out, nothing else is taken for one."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.api.paging import cursor_at, day_behind, id_behind, moment_behind, page_of
from nightjar.errors import Invalid

moments = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # the bounds are naive by contract


@given(st.integers(min_value=1, max_value=2**63 - 1))
def test_an_id_comes_back(number: int) -> None:
    assert id_behind("trackings", cursor_at("trackings", number)) == number


@given(st.dates())
def test_a_day_comes_back(day: date) -> None:
    assert day_behind("history1", cursor_at("history1", day)) == day


@given(moments, st.uuids())
def test_a_moment_comes_back_to_the_microsecond(moment: datetime, task_id: UUID) -> None:
    assert moment_behind("tasks", cursor_at("tasks", moment, task_id)) == (moment, task_id)


@given(st.text(max_size=50))
def test_any_other_text_is_refused_with_a_sentence(text: str) -> None:
    for read in (id_behind, day_behind, moment_behind):
        with pytest.raises(Invalid, match="cursor"):
            read("trackings", text)


def test_a_cursor_is_opaque_and_of_one_list() -> None:
    cursor = cursor_at("tasks", datetime(2026, 3, 2, tzinfo=UTC), uuid4())
    assert "2026" not in cursor
    assert "=" not in cursor
    with pytest.raises(Invalid):
        moment_behind("keys", cursor)


def test_no_cursor_is_the_first_page() -> None:
    assert id_behind("trackings", None) is None


@pytest.mark.parametrize(("found", "items", "more"), [(0, 0, False), (2, 2, False), (3, 3, False), (4, 3, True)])
def test_a_page_names_its_successor_only_where_there_is_one(found: int, items: int, more: bool) -> None:
    shown, following = page_of(list(range(1, found + 1)), 3, listing="x", place=lambda number: (number,))
    assert (len(shown), following is not None) == (items, more)
    if following:
        assert id_behind("x", following) == 3
