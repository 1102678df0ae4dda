"""What a host asks for is done: robots.txt in all its forms, pauses, and to be left alone for a while."""

from collections.abc import Sequence
from itertools import pairwise

import pytest

from tests.acceptance.night import wait_until
from tests.acceptance.site_crawls.system import WebCrawls, differences
from tests.doubles.web.replica import Json
from tests.doubles.web.truth import expected

CLOCK = 0.01
"""Seconds by which two clocks may differ: the replica notes an answer as finished a moment after it was sent."""


@pytest.mark.parametrize(
    "variant",
    ["empty", "missing", "gone", "forbidden", "moved", "circle", "slow", "byte-order-mark", "carriage-returns", "huge",
     "page"],
)  # fmt: skip
def test_robots_txt_is_understood(crawls: WebCrawls, variant: str) -> None:
    crawls.web.control.robots("shop", variant)
    crawled = crawls.crawl(crawls.web.url("shop"), depth=1)
    assert differences(crawls.web, "shop", crawled, expected("shop", depth=1, browser=False, robots=variant)) == []
    assert len(crawls.web.control.requests(site="shop", path="/robots.txt")) in {1, 6}


def test_a_group_of_our_own_comes_before_that_for_all(crawls: WebCrawls) -> None:
    crawls.web.control.robots("shop", "named")
    include = ["^/board"]
    crawled = crawls.crawl(crawls.web.url("shop", "/board"), depth=1, limit=3, include=include)
    assert crawled.urls == [crawls.web.url("shop", "/board")]
    assert {skip["reason"] for skip in crawled.skipped} == {"robots", "excluded", "log_out"}


def test_a_site_that_wants_no_crawler_is_left_alone(crawls: WebCrawls) -> None:
    crawls.web.control.robots("shop", "all")
    crawled = crawls.crawl(crawls.web.url("shop"))
    assert crawled.answer["status"] == "failed"
    assert crawled.answer["error"]["code"] == "robots_disallowed"
    assert [skip["reason"] for skip in crawled.skipped] == ["robots"]
    assert {request["path"] for request in crawls.web.control.requests(site="shop")} == {"/robots.txt"}


@pytest.mark.parametrize("variant", ["broken", "busy"])
def test_a_site_that_cannot_say_what_it_wants_is_left_alone(crawls: WebCrawls, variant: str) -> None:
    crawls.web.control.robots("shop", variant)
    crawled = crawls.crawl(crawls.web.url("shop"))
    assert crawled.answer["status"] == "failed"
    assert crawled.answer["error"]["code"] == "upstream_error"
    assert "robots.txt cannot be had: the host answers" in crawled.answer["error"]["message"]
    assert [skip["reason"] for skip in crawled.skipped] == ["robots_unavailable"]
    asked = crawls.web.control.requests(site="shop")
    assert {request["path"] for request in asked} == {"/robots.txt"}
    assert 1 < len(asked) <= 4


@pytest.mark.parametrize(
    ("variant", "order", "pause"),
    [("crawl-delay", 0.0, 1.0), ("fraction", 0.0, 0.3), ("fraction", 0.5, 0.5), ("default", 0.2, 0.2)],
)
def test_a_host_has_its_pause(crawls: WebCrawls, variant: str, order: float, pause: float) -> None:
    """After an answer, before the next request: the longer of what the host and the order say."""
    crawls.web.control.robots("shop", variant)
    crawls.crawl(crawls.web.url("shop"), depth=1, limit=3, delay=order)
    asked = crawls.web.control.requests(site="shop")
    known_from = 1 if order < pause else 0  # robots.txt itself has to be read first
    assert len(asked) >= 4
    assert min(gaps(asked[known_from:])) >= pause - CLOCK
    assert max(request["in_flight"] for request in asked) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_asks_to_be_left_alone_is(crawls: WebCrawls, status: int) -> None:
    crawls.web.control.trouble("designs", status=status, requests=1, retry_after="2")
    crawled = crawls.crawl(crawls.web.url("designs"), depth=1, limit=2)
    assert len(crawled.pages) == 2
    asked = crawls.web.control.requests(site="designs")
    (refused,) = [place for place, request in enumerate(asked) if request["status"] == status]
    assert asked[refused + 1]["monotonic"] - asked[refused]["finished_monotonic"] >= 2 - CLOCK


def test_a_host_that_asks_in_mid_crawl_to_be_left_alone_is_by_all_workers(crawls: WebCrawls) -> None:
    task_id = crawls.start(crawls.web.url("crowd"), depth=3, limit=5000)
    wait_until(lambda: crawls.crawl_now(task_id)["counts"]["discovered"] > 1000, 20)
    crawls.web.control.trouble("crowd", status=429, requests=1, retry_after="2")
    wait_until(lambda: bool(crawls.web.control.requests(site="crowd", status=429)), 20)
    (refused,) = crawls.web.control.requests(site="crowd", status=429)
    told = refused["finished_monotonic"]
    wait_until(lambda: crawls.web.control.requests(site="crowd")[-1]["monotonic"] > told + 2, 20)
    asked = crawls.web.control.requests(site="crowd")
    assert [request["path"] for request in asked if told + 1 < request["monotonic"] < told + 2 - CLOCK] == []


def test_what_a_host_allows_at_once_is_not_exceeded(crawls: WebCrawls) -> None:
    crawls.web.control.delay("designs", 0.05)
    crawls.crawl(crawls.web.url("designs"), depth=2)
    busiest = max(request["in_flight"] for request in crawls.web.control.requests(site="designs"))
    assert 2 <= busiest <= 10


def gaps(requests: Sequence[Json]) -> list[float]:
    """Seconds between the end of each request and the beginning of the next."""
    return [after["monotonic"] - before["finished_monotonic"] for before, after in pairwise(requests)]
