"""What a person reads on the console."""

import io
from datetime import timedelta

from rich.console import Console

from infra.local.demo.printing import Narrator
from infra.local.demo.verdict import Verdict
from tests.unit.demo.played import KEYWORD, REGISTERED, history, night, played, stored, unknown

NEXT = REGISTERED + timedelta(days=1)
KNOWN = history(stored(REGISTERED, 5), unknown(NEXT))


def narrated(width: int = 140) -> tuple[Narrator, io.StringIO]:
    written = io.StringIO()
    return Narrator(Console(file=written, width=width)), written


def test_without_a_terminal_every_night_is_a_line_and_nothing_is_drawn_over() -> None:
    narrator, written = narrated()

    with narrator.nights(2) as tell:
        tell(played(night(1, in_trouble=True), [KNOWN]))
        tell(played(night(2), [KNOWN]))

    first, second, end = written.getvalue().splitlines()
    assert (
        first == f"  night  1/2 2026-03-02: 0 success, 1 failed, 1.7 s (blog and cafe search refuses (403): {KEYWORD})"
    )
    assert second == "  night  2/2 2026-03-03: 1 success, 0 failed, 1.7 s"
    assert end.startswith("✓ 2 nights played")
    assert "\x1b" not in written.getvalue()


def test_the_table_of_ranks_keeps_what_was_known_before_an_unknown_day() -> None:
    narrator, written = narrated()

    narrator.ranks([KNOWN])

    (row,) = [line.split() for line in written.getvalue().splitlines() if "nj_lantern01/1" in line]
    assert row[-8:] == ["?", "(5)", "5", "5", "1", "1", "0", "1"]


def test_differences_are_listed_and_a_long_list_is_cut() -> None:
    narrator, written = narrated()
    lines = tuple(f"tracking {number}: wrong [sic]" for number in range(1, 51))

    narrator.verdict(Verdict(days=50, in_trouble=0, unknown=0, differences=lines))

    shown = written.getvalue().splitlines()
    assert shown[0] == "✗ 50 differences between the history and what was shown:"
    assert shown[1] == "    tracking 1: wrong [sic]"
    assert shown[-1] == "    ... and 10 more"


def test_the_time_of_every_step_is_told_at_the_end() -> None:
    narrator, written = narrated()

    with narrator.step("start", "all is up"):
        pass
    with narrator.step("draw", "charts written"):
        pass
    narrator.timings()

    assert written.getvalue().splitlines()[-1] == "  0.0 s in all: start 0.0, draw 0.0"
