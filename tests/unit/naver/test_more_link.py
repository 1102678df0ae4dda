import json

import pytest

from crawl_worker.sites.naver.more_link import checked_address, next_load
from crawl_worker.sites.naver.rows import NextLoad
from nightjar.errors import ErrorCode, GiveUp
from tests.unit.naver.pages import MORE, SEARCH, cards, page, xload

REAL = "https://s.search.naver.com"
REPLICA = "http://127.0.0.1:4711"


def found(html: str, more_url: str = REAL) -> NextLoad | None:
    return next_load(html, page_url=SEARCH, more_url=more_url)


def test_the_address_and_the_headers_are_those_of_the_page() -> None:
    load = found(page(cards(2) + xload(MORE, {"X-Prs-Query-Info": "opaque+/="})))
    assert load == NextLoad(MORE, {"X-Prs-Query-Info": "opaque+/="})


def test_escapes_of_scripts_and_attributes_are_undone() -> None:
    escaped = json.dumps(MORE).replace("/", "\\/").replace("&", "\\u0026")
    assert found(f"<script>new XLoad({{url:{escaped}}})</script>") == NextLoad(MORE)
    assert found(f'<div data-next="{MORE.replace("&", "&amp;")}"></div>') == NextLoad(MORE)
    assert found(f"<script>more = {{'url': '{MORE}'}}</script>") == NextLoad(MORE)


@pytest.mark.parametrize("path", ["/p/review/search.naver", "/p/review/47/search.naver", "/p/cafe/48/search.naver"])
def test_every_version_of_the_path_is_known(path: str) -> None:
    assert found(xload(f"{REAL}{path}?start=31&nlu_query=x")) == NextLoad(f"{REAL}{path}?start=31&nlu_query=x")


def test_quotes_elsewhere_on_the_page_do_not_confuse() -> None:
    assert found(f'<p>5" 크기의 "화면</p><a title=\'"\'></a>{xload(MORE)}') == NextLoad(MORE)


def test_other_search_links_are_no_load() -> None:
    html = '<a href="https://search.naver.com/search.naver?query=x">x</a><a href="/p/crd/rd?u=search.naver?">y</a>'
    assert found(html) is None


def test_a_page_without_a_further_load_is_the_whole_list() -> None:
    assert found(page(cards(2))) is None


def test_a_load_that_is_announced_but_not_readable_is_a_changed_layout() -> None:
    with pytest.raises(GiveUp) as refusal:
        found("<script>new XLoad({target: q.next()})</script>")
    assert refusal.value.code is ErrorCode.LAYOUT_CHANGED


@pytest.mark.parametrize(
    "address",
    ["https://evil.example/p/review/50/search.naver?x=1", "http://169.254.169.254/p/review/50/search.naver?x=1",
     "https://s.search.naver.com.evil.example/p/review/50/search.naver?x=1", "/p/review/50/search.naver?x=1"],
)  # fmt: skip
def test_a_load_on_another_host_is_refused(address: str) -> None:
    with pytest.raises(GiveUp) as refusal:
        found(xload(address))
    assert refusal.value.code is ErrorCode.EGRESS_REFUSED


def test_the_real_host_and_the_host_that_stands_in_for_it_are_the_same() -> None:
    assert checked_address(MORE, page_url=SEARCH, more_url=REPLICA) == MORE.replace(REAL, REPLICA)
    own = MORE.replace(REAL, REPLICA)
    assert checked_address(own, page_url=SEARCH, more_url=REPLICA) == own


def test_opaque_values_travel_as_they_are() -> None:
    address = f"{REAL}/p/review/50/search.naver?equery=a%2Bb+c%7C%EA%B0%95&enlu_query="
    assert checked_address(address, page_url=SEARCH, more_url=REAL) == address
