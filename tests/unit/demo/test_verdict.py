"""The judge of the demo lets nothing pass: each way to be wrong is told, each way to be right is not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from infra.local.demo.followed import Day, History
from infra.local.demo.verdict import PlayedNight, Verdict, judge
from nightjar.domain.rank import Outcome
from tests.unit.demo.played import REGISTERED, history, night, played, shown, stored, unknown, with_batch

FIRST = {(1, REGISTERED): shown(5)}
FIRST_DAY = stored(REGISTERED, 5)


def verdict_on(days: list[Day], nights: list[PlayedNight], *, current_session: int = 1) -> Verdict:
    return judge(
        [history(*days, current_session=current_session)], nights, FIRST, [one.batch for one in reversed(nights)]
    )


def one_night(day: Day, *, in_trouble: bool, rank: int | None = 5) -> Verdict:
    """What is said of this day after the night that it belongs to, on which the site showed `rank`."""
    days = [FIRST_DAY, day]
    return verdict_on(days, [played(night(1, in_trouble=in_trouble), [history(*days)], rank=rank)])


TONIGHT = night(1).day


@pytest.mark.parametrize("in_trouble", [False, True])
@pytest.mark.parametrize("rank", [5, None])
def test_what_the_site_showed_is_right(rank: int | None, *, in_trouble: bool) -> None:
    found = one_night(stored(TONIGHT, rank), in_trouble=in_trouble, rank=rank)

    assert found.differences == ()
    assert (found.days, found.in_trouble) == (2, int(in_trouble))


def test_an_unknown_day_is_right_where_the_search_was_in_trouble() -> None:
    found = one_night(unknown(TONIGHT), in_trouble=True)

    assert found.differences == ()
    assert found.unknown == 1


def test_an_unknown_day_is_wrong_on_a_calm_night() -> None:
    (line,) = one_night(unknown(TONIGHT), in_trouble=False).differences

    assert "2026-03-02: unknown (blocked: the site refuses), though nothing was in the way; shown was rank 5" in line


@pytest.mark.parametrize("in_trouble", [False, True])
@pytest.mark.parametrize(("rank", "truth"), [(6, 5), (None, 5), (5, None)])
def test_a_wrong_rank_or_outcome_is_wrong_on_every_night(
    rank: int | None, truth: int | None, *, in_trouble: bool
) -> None:
    assert len(one_night(stored(TONIGHT, rank), in_trouble=in_trouble, rank=truth).differences) == 1


def test_not_exposed_after_fewer_rows_than_there_were_is_wrong() -> None:
    day = replace(stored(TONIGHT, None), checked_count=30)

    (line,) = one_night(day, in_trouble=False, rank=None).differences

    assert line.endswith("not exposed among 30 rows, shown were 100")


def test_a_day_without_a_row_and_a_row_without_a_check_are_wrong() -> None:
    other = TONIGHT + timedelta(days=9)
    days = [FIRST_DAY, stored(other, 5)]

    missing, superfluous = verdict_on(days, [played(night(1), [history(*days)])]).differences

    assert missing.endswith("2026-03-02: no row is stored")
    assert superfluous.endswith("2026-03-11: a row is stored, though nothing was checked")


def thirty_days(session_of_the_26th: int) -> tuple[list[Day], list[PlayedNight]]:
    nights = [night(number) for number in range(1, 30)]
    sessions = [1] * 24 + [session_of_the_26th] * 5
    days = [FIRST_DAY, *(stored(one.day, 5, session=session) for one, session in zip(nights, sessions, strict=True))]
    return days, [played(one, [history(*days)]) for one in nights]


def test_the_26th_exposed_day_opens_session_two() -> None:
    days, nights = thirty_days(2)

    assert verdict_on(days, nights, current_session=2).differences == ()


def test_a_session_that_does_not_end_is_wrong() -> None:
    days, nights = thirty_days(1)

    lines = verdict_on(days, nights).differences

    assert len(lines) == 6
    assert lines[0].endswith("2026-03-26: session 1 is stored, 2 is right")
    assert lines[-1].endswith("current session: 1 is stored, 2 is right")


def test_unknown_days_do_not_count_towards_a_session() -> None:
    nights = [night(number, in_trouble=True) for number in range(1, 30)]
    days = [FIRST_DAY, *(unknown(one.day) for one in nights)]

    assert verdict_on(days, [played(one, [history(*days)]) for one in nights]).differences == ()


def calm() -> tuple[list[History], PlayedNight]:
    known = history(FIRST_DAY, stored(TONIGHT, 5))
    return [known], played(night(1), [known])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"success": 0}, "1 in all, 0 success"),
        ({"total": 2}, "2 in all"),
        ({"pending": 1}, "1 pending"),
        ({"failed_ids": frozenset({1})}, r"names the failed trackings \[1\], right is \[\]"),
    ],
)
def test_a_summary_that_does_not_fit_the_history_is_wrong(changes: dict[str, object], told: str) -> None:
    histories, one = calm()
    one = with_batch(one, **changes)

    with pytest.raises(AssertionError, match=told):
        assert judge(histories, [one], FIRST, [one.batch]).differences == ()


@pytest.mark.parametrize("opened", [0, 2])
def test_a_night_opens_exactly_one_batch(opened: int) -> None:
    histories, one = calm()

    (line,) = judge(histories, [replace(one, opened=opened)], FIRST, [one.batch]).differences

    assert line == f"night 1 (2026-03-02): its event, delivered 1 times, opened {opened} batches"


def test_a_second_batch_for_a_night_is_wrong() -> None:
    histories, one = calm()

    (line,) = judge(histories, [one], FIRST, [one.batch, one.batch]).differences

    assert line == "there are nightly batches for 2026-03-02, 2026-03-02; 1 nights were played"


def test_a_trouble_that_no_request_met_is_told_since_it_proves_nothing() -> None:
    known = history(FIRST_DAY, stored(TONIGHT, 5))
    one = replace(played(night(1, in_trouble=True), [known]), trouble_met=0)

    (line,) = judge([known], [one], FIRST, [one.batch]).differences

    assert "no request met its trouble" in line


def test_a_trouble_excuses_only_the_searches_that_it_may_meet() -> None:
    troubled = night(1, in_trouble=True)

    assert troubled.touches("blog", troubled.keyword)
    assert troubled.touches("cafe", troubled.keyword)
    assert not troubled.touches("place", troubled.keyword)
    assert not troubled.touches("blog", "another keyword")
    assert not night(2).touches("blog", troubled.keyword)


def test_outcomes_are_counted() -> None:
    known = history(FIRST_DAY, stored(TONIGHT, None), unknown(TONIGHT + timedelta(days=1)))

    assert [known.count(outcome) for outcome in Outcome] == [1, 1, 1]
