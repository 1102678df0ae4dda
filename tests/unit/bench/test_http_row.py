"""What the row `http` says of its runs, and what a contender of several processes crawls."""

import pytest

from infra.local.bench import http_row
from infra.local.bench.contenders.share import Share
from infra.local.bench.contest import Crawled
from infra.local.bench.http_row import CRAWLEE, LOOP, OURS, OURS_WITH_STRUCTURE, SCRAPY, TWO_LOOPS, Runs, rows_of
from tests.doubles.web.static_site import StaticSite


@pytest.fixture(autouse=True)
def versions(monkeypatch: pytest.MonkeyPatch) -> None:
    known = dict.fromkeys(("scrapy", "crawlee", "aiohttp", "selectolax", "uvloop"), "1.2.3")
    monkeypatch.setattr(http_row, "peer_versions", lambda: known)


def runs(*, ours: float) -> Runs:
    """Of contenders with 100 (or 110 with two processes), 150, 1,000 and 1,500 pages a second."""
    rates = {
        (SCRAPY, 1): (90, 100, 200),
        (SCRAPY, 2): (110, 110, 10),
        (CRAWLEE, 1): (150, 150, 150),
        (LOOP, 1): (1000, 1000, 1000),
        (TWO_LOOPS, 2): (1500, 1500, 1500),
        (OURS, 2): (ours, ours, 2 * ours),
        (OURS_WITH_STRUCTURE, 2): (50,),
    }
    return Runs({who: [crawled(rate, number) for number, rate in enumerate(of)] for who, of in rates.items()})


def crawled(rate: float, number: int) -> Crawled:
    return Crawled(pages=2000, seconds=2000 / rate, tree_mb=100 + number)


def test_every_contender_is_taken_at_its_best_number_of_processes_by_the_median_of_its_rounds() -> None:
    assert runs(ours=700).best(SCRAPY) == pytest.approx((2, 110, 102))
    assert runs(ours=700).best(OURS) == pytest.approx((2, 700, 102))


def test_the_target_is_reached_only_if_every_ratio_is() -> None:
    good, *_ = rows_of(runs(ours=700))
    assert good.ok is True
    assert good.against == pytest.approx({SCRAPY: 700 / 110, CRAWLEE: 700 / 150, LOOP: 0.7, TWO_LOOPS: 700 / 1500})
    for just_too_slow in (659, 599, 524):  # 6x Scrapy, 4x Crawlee, 0.35 of two loops
        assert rows_of(runs(ours=just_too_slow))[0].ok is False


def test_each_contender_has_a_row_with_its_versions_and_its_number_of_processes() -> None:
    said = {row.name: row.target for row in rows_of(runs(ours=700))}
    assert said["http: Scrapy"] == "scrapy 1.2.3; 2 processes, 16 requests each"
    assert said["http: bare loop"] == "aiohttp 1.2.3, selectolax 1.2.3, uvloop 1.2.3; 1 process, 16 requests each"


@pytest.mark.parametrize("of", [1, 2])
def test_processes_that_share_a_site_reach_all_of_its_pages_between_them_each_once(of: int) -> None:
    site = StaticSite(http_row.PAGES)
    url = "http://site.example/"
    read = [page for number in range(of) for page in crawl(site, Share(url=url, concurrency=1, number=number, of=of))]
    assert sorted(read) == list(range(site.pages))


def crawl(site: StaticSite, share: Share) -> list[int]:
    """The pages that a contender reads, by the links that are its own."""
    waiting, seen = [share.start], {share.start}
    read = []
    while waiting:
        page = site.page_of(waiting.pop().removeprefix("http://site.example").encode())
        assert page is not None
        read.append(page)
        links = [f"http://site.example{site.path(link)}" for link in site.links(page)]
        new = [link for link in links if share.owns(link) and link not in seen]
        seen.update(new)
        waiting += new
    return read
