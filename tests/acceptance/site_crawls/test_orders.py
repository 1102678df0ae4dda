"""What a crawl is told is what it does: limit, depth, scope, patterns, and where it begins."""

import re

import pytest

from tests.acceptance.site_crawls.system import WebCrawls, differences
from tests.doubles.web.truth import expected, is_endless


@pytest.mark.parametrize("limit", [1, 7, 50])
def test_a_limit_is_exact(crawls: WebCrawls, limit: int) -> None:
    crawled = crawls.crawl(crawls.web.url("shop"), depth=5, limit=limit)
    assert crawled.answer["status"] == "completed"
    assert crawled.answer["end_reason"] == "limit"
    assert len(crawled.pages) == len(set(crawled.urls)) == crawled.counts["done"] == limit
    assert crawled.counts["discovered"] == sum(crawled.frontier.values())
    assert max(look["done"] + look["leased"] for look in crawled.watched) <= limit


def test_pages_come_by_depth_where_the_limit_cuts(crawls: WebCrawls) -> None:
    crawled = crawls.crawl(crawls.web.url("designs"), depth=5, limit=20)
    depths = [page["depth"] for page in crawled.pages]
    at_depth = expected("designs", depth=1).pages_at_depth
    assert depths.count(0) == 1
    assert depths.count(1) == min(len(at_depth[1]), 19)


def test_depth_0_is_the_start_page_alone(crawls: WebCrawls) -> None:
    crawled = crawls.crawl(crawls.web.url("shop"), depth=0)
    truth = expected("shop", depth=0, browser=False, sitemaps=False)
    assert differences(crawls.web, "shop", crawled, truth) == []
    assert [request["path"] for request in crawls.web.control.requests(site="shop")] == ["/robots.txt", "/"]


def test_include_and_exclude_choose_among_the_links(crawls: WebCrawls) -> None:
    include, exclude = ["^/category/", "^/item/1"], [r"color=", r"/item/1[2-5]$"]

    def wanted(target: str) -> bool:
        chosen = any(re.search(pattern, target) for pattern in include)
        return target == "/" or (chosen and not any(re.search(pattern, target) for pattern in exclude))

    crawled = crawls.crawl(crawls.web.url("shop"), depth=3, include=include, exclude=exclude)
    truth = expected("shop", depth=3, browser=False, wanted=wanted)
    assert differences(crawls.web, "shop", crawled, truth) == []
    assert truth.skipped["excluded"]


def test_the_scope_site_takes_in_the_other_hosts_of_the_site(crawls: WebCrawls) -> None:
    web = crawls.web
    crawled = crawls.crawl(web.url("journal"), depth=2, scope="site", limit=10_000)
    truth = expected("journal", depth=2, browser=False, scope="site")
    found = {page["final_url"]: page["depth"] for page in crawled.pages}
    by_depth = {
        depth: frozenset(web.whole_target(url) for url in found if found[url] == depth) for depth in (0, 1, 2, None)
    }
    assert by_depth.pop(None) == truth.sitemap_only
    assert by_depth == truth.pages_at_depth
    assert len(found) == len(crawled.pages)
    hosts = {target.split("/")[2] for target in truth.pages_at_depth[2]}
    assert hosts == {"journal.replica", "shop.replica"}


def test_each_host_of_a_site_is_asked_for_its_own_robots_txt(crawls: WebCrawls) -> None:
    crawls.web.control.robots("shop", "all")
    crawled = crawls.crawl(crawls.web.url("journal"), depth=2, scope="site", limit=10_000)
    asked = {request["path"] for request in crawls.web.control.requests(site="shop")}
    assert asked == {"/robots.txt"}
    kept_out = {skip["url"] for skip in crawled.skipped if skip["reason"] == "robots"}
    assert crawls.web.url("shop", "/") in kept_out
    assert crawled.counts["discovered"] == sum(crawled.frontier.values())


@pytest.mark.parametrize("start", ["/r/301", "/r/chain-1", "/r/hangul"])
def test_a_start_page_that_moved_is_followed(crawls: WebCrawls, start: str) -> None:
    crawled = crawls.crawl(crawls.web.url("shop", start), depth=1)
    truth = expected("shop", start=start, depth=1, browser=False)
    assert differences(crawls.web, "shop", crawled, truth) == []
    (first,) = [page for page in crawled.pages if page["depth"] == 0]
    assert first["url"] == crawls.web.url("shop", start)


def test_a_start_page_that_moved_to_another_host_takes_the_crawl_with_it(crawls: WebCrawls) -> None:
    crawled = crawls.crawl(crawls.web.url("shop", "/r/journal"), depth=1)
    truth = expected("journal", start="/about", depth=1, browser=False)
    found = {page["final_url"]: page["depth"] for page in crawled.pages if page["depth"] is not None}
    assert found == {
        crawls.web.url("journal", target): depth for depth, some in truth.pages_at_depth.items() for target in some
    }


@pytest.mark.parametrize("start", ["/no/such/page", "/status/410", "/r/lost"])
def test_a_start_page_that_is_not_there_fails_the_crawl(crawls: WebCrawls, start: str) -> None:
    crawled = crawls.crawl(crawls.web.url("shop", start), depth=0)
    assert crawled.answer["status"] == "failed"
    assert crawled.answer["error"]["code"] == "not_found"
    assert crawls.web.url("shop", start) in crawled.answer["error"]["message"] or start == "/r/lost"
    assert crawled.counts["discovered"] == sum(crawled.frontier.values())


def test_a_start_page_that_is_not_there_fails_a_crawl_that_has_no_sitemap(crawls: WebCrawls) -> None:
    crawled = crawls.crawl(crawls.web.url("designs", "/no/such/page"))
    assert (crawled.answer["status"], crawled.answer["error"]["code"]) == ("failed", "not_found")
    assert crawled.counts["failed"] == crawled.counts["discovered"] == 1


def test_a_start_page_that_goes_round_in_circles_fails_the_crawl(crawls: WebCrawls) -> None:
    crawled = crawls.crawl(crawls.web.url("shop", "/r/loop-a"), depth=0)
    assert crawled.answer["status"] == "failed"
    assert len(crawls.web.control.requests(site="shop", path_prefix="/r/loop")) == 2


def test_a_page_with_its_own_name_for_itself_is_read_from_any_spelling(crawls: WebCrawls) -> None:
    crawled = crawls.crawl(f"{crawls.web.url('shop')}spelling/./one?utm_source=x#part", depth=0)
    assert crawled.urls == [crawls.web.url("shop", "/spelling/one")]


def test_what_is_left_when_the_limit_is_reached_is_listed_as_skipped(crawls: WebCrawls) -> None:
    crawled = crawls.crawl(crawls.web.url("shop"), depth=2, limit=5)
    left = [skip["url"] for skip in crawled.skipped if skip["reason"] == "limit"]
    assert len(crawled.skipped) == crawled.counts["skipped"]
    assert len(left) > 10
    assert not set(left) & set(crawled.urls)
    assert not any(is_endless("shop", crawls.web.target("shop", url)) for url in crawled.urls)
