"""The page: one file that needs nothing else, with a chart that tells each kind of day apart."""

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from plotly.offline import get_plotlyjs

from infra.local.demo.charts import nights_chart, rank_chart
from infra.local.demo.followed import Followed, History
from infra.local.demo.page import render
from infra.local.demo.verdict import Verdict
from tests.unit.demo.crawled import crawls
from tests.unit.demo.played import KEYWORD, REGISTERED, followed, history, night, played, stored, unknown

DAYS = [REGISTERED + timedelta(days=number) for number in range(4)]
KNOWN = history(stored(DAYS[0], 5), stored(DAYS[1], None), unknown(DAYS[2]), stored(DAYS[3], 7, session=2), number=1)
RIGHT = Verdict(days=4, in_trouble=1, unknown=1, differences=())


def chart(of: History) -> dict[str, Any]:
    drawn: dict[str, Any] = rank_chart(of).to_plotly_json()
    return drawn


def test_rank_one_is_on_top() -> None:
    low, high = chart(KNOWN)["layout"]["yaxis"]["range"]

    assert low > 7
    assert high < 5


def test_the_line_has_a_gap_on_days_without_a_rank() -> None:
    line = chart(KNOWN)["data"][0]

    assert list(line["y"]) == [5, None, None, 7]
    assert line["connectgaps"] is False


def test_days_without_a_rank_are_marked_by_their_kind_with_the_reason() -> None:
    _, not_exposed, unknown_days = chart(KNOWN)["data"]

    assert (list(not_exposed["x"]), list(unknown_days["x"])) == ([DAYS[1]], [DAYS[2]])
    assert "not among the 100 rows" in not_exposed["customdata"][0]
    assert "blocked: the site refuses" in unknown_days["customdata"][0]
    assert not_exposed["marker"]["symbol"] != unknown_days["marker"]["symbol"]


def test_sessions_are_shaded_from_their_first_day_to_their_last() -> None:
    first, second = chart(KNOWN)["layout"]["shapes"]

    assert (first["x0"], first["x1"]) == ("2026-02-28 12:00", "2026-03-03 12:00")
    assert (second["x0"], second["x1"]) == ("2026-03-03 12:00", "2026-03-04 12:00")
    assert first["fillcolor"] != second["fillcolor"]
    assert second["label"]["text"] == "2"


@pytest.mark.parametrize("ranks", [[1], [1, 2], [3, 9], [28, 56], [105, 206], [1, 300], []])
def test_ticks_are_whole_ranks_and_few(ranks: list[int]) -> None:
    days = [stored(DAYS[number], rank) for number, rank in enumerate(ranks)]

    axis = chart(history(*days))["layout"]["yaxis"]

    assert 1 <= len(axis["tickvals"]) <= 7
    assert min(axis["tickvals"]) >= 1
    assert len(set(axis["tickvals"])) == len(axis["tickvals"])


def test_a_target_that_never_had_a_rank_says_so() -> None:
    (note,) = chart(history(stored(DAYS[0], None)))["layout"]["annotations"]

    assert note["text"] == "no rank on any day"


def test_the_overview_stacks_success_and_failed() -> None:
    drawn = nights_chart([played(night(2, in_trouble=True), [KNOWN]), played(night(3), [KNOWN])]).to_plotly_json()

    assert drawn["layout"]["barmode"] == "stack"
    assert [list(bars["y"]) for bars in drawn["data"]] == [[0, 1], [1, 0]]
    assert KEYWORD in drawn["data"][0]["customdata"][0]


class References(HTMLParser):
    """Everything that a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [f"{tag} {name}={value}" for name, value in attrs if name in {"src", "srcset", "href", "data"}]
        self.ids += [value or "" for name, value in attrs if name == "id"]


@pytest.fixture(scope="module")
def page() -> str:
    others = [history(stored(DAYS[0], number), number=number) for number in range(2, 6)]
    nights = [played(night(3), [KNOWN, *others])]
    return render(histories=[KNOWN, *others], nights=nights, verdict=RIGHT, crawls=crawls())


def test_the_page_fetches_nothing(page: str) -> None:
    reader = References()
    reader.feed(page)

    assert reader.found == []
    assert not re.search(r"@import|url\(", page.replace(get_plotlyjs(), ""))


def test_plotlys_script_stands_in_it_once(page: str) -> None:
    assert page.count(get_plotlyjs()) == 1
    assert len(page) < len(get_plotlyjs()) + 500_000


def test_every_tracking_has_a_chart_under_its_keyword_target_and_type(page: str) -> None:
    reader = References()
    reader.feed(page)

    assert reader.ids == ["nights", *(f"ranks-{number}" for number in range(1, 6))]
    cards = re.findall(r"(?s)<section class=\"card\">.*?</section>", page)
    assert len(cards) == 5
    assert f'<h3>{KEYWORD}<span class="type">blog</span></h3>' in cards[0]
    assert "blog.naver.com/nj_lantern01/1" in cards[0]


def test_the_stores_stand_on_it_and_what_was_told_live(page: str) -> None:
    assert "1 stores of an owner read as the site shows them" in page
    assert "<td>모형 국수</td><td>한식</td><td>음식배달</td><td>모형시 견본구 가상로 1</td><td>–</td>" in page
    assert '<td class="n">60</td><td>extraction</td><td>doing extraction</td>' in page
    assert '<td class="n">80</td><td>cancelled</td><td></td>' in page


def test_what_is_wrong_with_the_crawls_stands_on_it() -> None:
    wrong = replace(crawls(), differences=("store <1> is not stored",))

    text = render(histories=[KNOWN], nights=[], verdict=RIGHT, crawls=wrong)

    assert "1 things are wrong with the crawls" in text
    assert "store &lt;1&gt; is not stored" in text
    assert "as the site shows them" not in text


def test_differences_stand_on_the_page_and_cannot_break_it() -> None:
    wrong = Verdict(days=4, in_trouble=0, unknown=0, differences=("tracking 1 (<blog>): stored 6, shown was rank 5",))

    text = render(histories=[KNOWN], nights=[], verdict=wrong, crawls=crawls())

    assert "1 differences between the history and what the site showed" in text
    assert "tracking 1 (&lt;blog&gt;): stored 6, shown was rank 5" in text
    assert 'class="right"' not in text


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("https://m.place.naver.com/place/9900000101/home", "9900000101"),
        ("https://blog.naver.com/nj_willow02/223400000102", "nj_willow02/223400000102"),
        ("https://cafe.naver.com/ca-fe/cafes/29864615/articles/1200103", "29864615/1200103"),
    ],
)
def test_a_target_is_named_by_what_tells_it_from_others(address: str, target: str) -> None:
    usual = followed()
    shown = Followed(
        id=1, rank_type="place", keyword=KEYWORD, target_url=address, target_key="", device="pc", vertical="hospital"
    )

    assert shown.target == target
    assert shown.kind == "place, hospital"
    assert usual.kind == "blog"
