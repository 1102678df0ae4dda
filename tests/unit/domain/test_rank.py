from hypothesis import given
from hypothesis import strategies as st

from nightjar.domain.rank import Outcome, Reading, judge, organic_rows, rank_of

ROWS = st.lists(st.one_of(st.none(), st.sampled_from("abcdefgh")), max_size=40)


def test_the_rank_is_the_position_among_organic_rows() -> None:
    assert rank_of({"c"}, ["a", "b", "c"]) == 3


def test_a_repeated_row_is_counted_once() -> None:
    assert organic_rows(["a", "b", "a", "c"], depth=10) == ["a", "b", "c"]


def test_a_row_of_unknown_id_takes_a_slot() -> None:
    result = judge(1, {"b"}, Reading(rows=[None, "a", None, "b"]), depth=10)
    assert result.rank == 4


def test_a_target_below_the_depth_is_not_exposed_and_the_depth_is_what_was_checked() -> None:
    result = judge(1, {"d"}, Reading(rows=["a", "b", "c", "d"]), depth=3)
    assert (result.outcome, result.rank, result.checked_count) == (Outcome.NOT_EXPOSED, None, 3)


def test_a_short_list_that_ended_is_checked_as_far_as_it_went() -> None:
    result = judge(1, {"z"}, Reading(rows=["a", "b"]), depth=100)
    assert (result.outcome, result.checked_count) == (Outcome.NOT_EXPOSED, 2)


def test_any_spelling_of_the_target_is_the_target() -> None:
    assert judge(1, {"club:7/1", "cafe:tea/1"}, Reading(rows=["cafe:rice/1", "cafe:tea/1"]), depth=9).rank == 2


@given(ROWS, st.integers(1, 40))
def test_counted_rows_are_never_more_than_the_depth_and_known_keys_never_repeat(
    rows: list[str | None], depth: int
) -> None:
    counted = organic_rows(rows, depth=depth)
    known = [key for key in counted if key is not None]
    assert len(counted) <= depth
    assert len(known) == len(set(known))


@given(ROWS, st.sampled_from("abcdefgh"))
def test_adding_repeats_changes_no_rank(rows: list[str | None], key: str) -> None:
    doubled = [row for row in rows for row in ([row, row] if row is not None else [row])]
    assert rank_of({key}, organic_rows(doubled, depth=99)) == rank_of({key}, organic_rows(rows, depth=99))
