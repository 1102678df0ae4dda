"""What a crawl finds is the truth: none missing, none that must not be asked for, none twice."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.acceptance.site_crawls.system import Crawled, WebCrawls, differences, endless_urls
from tests.doubles.web.hosts.shop_files import sentence_of
from tests.doubles.web.replica import Json
from tests.doubles.web.truth import expected
from tests.doubles.web.words import korean

DEPTH = 5
ENDLESS_AT_MOST = 100
"""Of the calendar and the winding path: a trap is known by 20 pages in a row that are alike, and some are in hand."""

ASKED_AGAIN = {"/status/500": 4, "/status/503-twice": 3, "/status/429-once": 2, "/r/nowhere": 1}
"""How often at most: 5xx and 429 are tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A crawl of the shop, and what the shop saw of it."""

    crawled: Crawled
    requests: list[Json]

    def text_of(self, target: str) -> str:
        """The text of a page, as the API gives it."""
        return str(next(page["text"] for page in self.crawled.pages if urlsplit(page["final_url"]).path == target))


@pytest.fixture(scope="module")
def shop(shared_crawls: WebCrawls) -> Iterator[Shop]:
    """The shop has all that is odd; it is crawled once."""
    crawled = shared_crawls.crawl(shared_crawls.web.url("shop"), depth=DEPTH, limit=10_000, seconds=120)
    yield Shop(crawled=crawled, requests=shared_crawls.web.control.requests(site="shop"))
    shared_crawls.settle_down()


def test_a_shop_with_all_that_is_odd_is_crawled_as_it_is(shared_crawls: WebCrawls, shop: Shop) -> None:
    truth = expected("shop", depth=DEPTH, browser=False)
    assert differences(shared_crawls.web, "shop", shop.crawled, truth) == []
    assert shop.crawled.answer["status"] == "completed"


def test_what_has_no_end_is_left_soon(shared_crawls: WebCrawls, shop: Shop) -> None:
    read = endless_urls(shared_crawls.web, "shop", shop.crawled)
    asked = [request for request in shop.requests if request["path"].startswith(("/calendar/", "/winding/"))]
    assert 0 < len(read) <= len(asked) <= ENDLESS_AT_MOST
    assert any(skip["reason"] == "trap" and "/winding/" in skip["url"] for skip in shop.crawled.skipped)


def test_no_page_is_asked_for_twice_without_need(shop: Shop) -> None:
    asked = Counter(f"{request['path']}?{request['query']}".rstrip("?") for request in shop.requests)
    assert {target: times for target, times in asked.items() if times > ASKED_AGAIN.get(target, 1)} == {}


def test_nothing_is_asked_for_that_robots_txt_keeps_out_or_that_logs_out(shop: Shop) -> None:
    truth = expected("shop", depth=DEPTH, browser=False)
    barred = set().union(*(truth.skipped[reason] for reason in ("robots", "log_out", "nofollow", "content_type")))
    asked = {f"{request['path']}?{request['query']}".rstrip("?") for request in shop.requests}
    assert len(barred) > 20
    assert asked & barred == set()


def test_counts_are_those_of_the_frontier_and_moved_while_somebody_looked(shop: Shop) -> None:
    counts = shop.crawled.counts
    assert {state: urls for state, urls in counts.items() if urls and state != "discovered"} == shop.crawled.frontier
    assert counts["done"] == len(shop.crawled.pages)
    assert counts["failed"] == len(shop.crawled.errors)
    assert counts["skipped"] == len(shop.crawled.skipped)
    assert len({look["done"] for look in shop.crawled.watched}) > 3


@pytest.mark.parametrize(
    "target",
    ["/enc/euc-kr-header", "/enc/euc-kr-meta", "/enc/euc-kr-nowhere", "/enc/utf-8-nowhere", "/enc/utf-16-mark",
     "/enc/shift-jis-meta"],
)  # fmt: skip
def test_a_page_reads_right_in_its_charset(shop: Shop, target: str) -> None:
    text = shop.text_of(target)
    assert sentence_of(target) in text
    assert "jis" in target or all(sentence in text for sentence in korean(6, "charset", target))


def test_what_is_no_html_is_a_page_without_text(shop: Shop) -> None:
    files = {page["url"].rpartition("/files/")[2]: page for page in shop.crawled.pages if "/files/" in page["url"]}
    assert files["prices.pdf"]["content_type"] == "application/pdf"
    assert {page["text"] or "" for page in files.values()} == {""}
    assert all(page["links"] == [] for page in files.values())


@pytest.mark.parametrize(
    ("host", "depth"), [("journal", 0), ("journal", 1), ("journal", 3), ("designs", 3), ("app", 3), ("crowd", 3)]
)
def test_a_site_is_crawled_as_it_is(crawls: WebCrawls, host: str, depth: int) -> None:
    crawled = crawls.crawl(crawls.web.url(host), depth=depth, limit=10_000, seconds=120)
    truth = expected(host, depth=depth, browser=False, sitemaps=depth > 0)
    assert differences(crawls.web, host, crawled, truth) == []
    counts = {state: urls for state, urls in crawled.counts.items() if urls and state != "discovered"}
    assert counts == crawled.frontier
    assert crawled.answer["engines"] == {"http": len(crawled.pages)}
