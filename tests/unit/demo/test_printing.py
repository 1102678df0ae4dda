"""What a person reads on the console."""

import io
from dataclasses import replace
from datetime import timedelta

from rich.console import Console

from infra.local.demo.printing import Narrator
from infra.local.demo.verdict import Verdict
from tests.unit.demo.crawled import crawls, step, store
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


def test_a_crawl_is_told_step_by_step_with_its_percent_and_its_end() -> None:
    narrator, written = narrated()

    narrator.live(step(1, "", 0, "pending"))
    narrator.live(step(2, "extraction", 60, message="Reading [store] 1 of 4"))
    narrator.live(step(3, "extraction", 60, "cancelled"))
    narrator.live(step(3, "", 0, "failed", message="the site refuses"))

    assert [line.split() for line in written.getvalue().splitlines()] == [
        ["0", "%", "pending"],
        ["60", "%", "extraction", "Reading", "[store]", "1", "of", "4"],
        ["60", "%", "cancelled"],
        ["0", "%", "failed", "the", "site", "refuses"],
    ]


def test_the_table_of_stores_shows_a_dash_for_what_was_not_read() -> None:
    narrator, written = narrated()

    narrator.stores(replace(crawls(), stores=(store(business_type=None, phone="050-0000-0001"),)))

    (row,) = [line for line in written.getvalue().splitlines() if "10000001" in line]
    assert row.split() == [
        *("10000001", "모형", "국수", "–", "음식배달", "모형시", "견본구", "가상로", "1", "050-0000-0001", "OPEN")
    ]


def test_crawls_end_in_one_sentence_or_a_list() -> None:
    narrator, written = narrated()

    narrator.crawled(crawls())
    narrator.crawled(replace(crawls(), differences=("store 1 is not stored",)))

    right, wrong, line = written.getvalue().splitlines()
    assert right.startswith("✓ 1 stores of an owner read as the site shows them, with one login")
    assert wrong.startswith("✗ 1 things are wrong with the crawls of an owner's stores")
    assert line.strip() == "store 1 is not stored"
