"""CSV: cells that no spreadsheet runs, lines that do not drag each other down."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.application.registering import Wish
from nightjar.application.spreadsheet import guarded, unguarded
from nightjar.application.tracking_csv import read_lines
from nightjar.domain.tracking import Device, Location, RankType
from nightjar.errors import Invalid

HEADER = "rank_type,keyword,target_url,x,y,device\n"
tricky = st.text(st.sampled_from("'=+-@\t\r\n＝＠ ab"), max_size=6) | st.text(max_size=20)


@given(tricky)
def test_a_guarded_cell_comes_back(cell: str) -> None:
    assert unguarded(guarded(cell)) == cell


@given(tricky)
def test_no_guarded_cell_begins_like_a_formula(cell: str) -> None:
    assert guarded(cell)[:1] not in {"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"}


@given(tricky)
def test_a_cell_without_need_is_left_alone(cell: str) -> None:
    if cell.strip("'")[:1].isalnum():
        assert guarded(cell) == cell


def wishes(text: str) -> dict[int, object]:
    return {line.number: line.content for line in read_lines(text.encode())}


def test_a_line_becomes_a_wish() -> None:
    assert wishes(HEADER + "place,강남,1234567890,127.5,37.5,pc\n") == {
        2: Wish(
            rank_type=RankType.PLACE,
            keyword="강남",
            target_url="1234567890",
            location=Location(x=127.5, y=37.5),
            device=Device.PC,
        )
    }


def test_columns_may_come_in_any_order_and_any_case_and_some_be_left_out() -> None:
    found = wishes("Target_URL, KEYWORD ,rank_type,,\n1234567890,강남,place,,\n")
    assert found == {2: Wish(rank_type=RankType.PLACE, keyword="강남", target_url="1234567890")}


def test_a_quote_that_is_never_closed_breaks_its_own_line_only() -> None:
    good = "place,강남,1234567890,,,\n"
    found = wishes(HEADER + good + 'place,"강남,1234567890,,,\n' + good * 30 + 'blog,"a" b,c,,,\n' + good)
    broken = {number for number, content in found.items() if isinstance(content, Invalid)}
    assert broken == {3, 34}
    assert set(found) == set(range(2, 36))


def test_a_cell_may_hold_line_breaks_and_the_next_line_keeps_its_number() -> None:
    found = wishes(HEADER + 'place,강남,"[네이버 지도]\n파스타집\nhttps://naver.me/abc",,,\n\nnews,x,y,,,\n')
    assert set(found) == {2, 6}
    wish = found[2]
    assert isinstance(wish, Wish)
    assert wish.target_url.endswith("https://naver.me/abc")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_understood(newline: str) -> None:
    text = (HEADER + "place,강남,1234567890,,,\n").replace("\n", newline)
    assert set(wishes(text)) == {2}


@given(st.lists(st.tuples(tricky, tricky), min_size=1, max_size=5))
def test_cells_that_were_written_are_read_again(cells: list[tuple[str, str]]) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["rank_type", "keyword", "target_url"])
    for keyword, target in cells:
        writer.writerow(["blog", guarded(f"k{keyword}"), guarded(f"t{target}")])
    read = read_lines(out.getvalue().encode("utf-8", "replace"))
    shown = [line.content for line in read if isinstance(line.content, Wish)]
    expected = [(f"k{keyword}".strip(), f"t{target}".strip()) for keyword, target in cells]
    assert [(wish.keyword, wish.target_url) for wish in shown] == expected
