"""What becomes of a link, and by which reason."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from crawl_worker.engine.robots import RobotsRules
from crawl_worker.sites.web.link_rules import Found, LinkRules
from crawl_worker.sites.web.urls import template_of
from nightjar.database.crawls import Crawl
from nightjar.database.frontier import SITEMAP_DEPTH
from nightjar.domain.site_crawl import CrawlCounts, Engine, Scope, SkipReason

ORIGIN = "http://shop.example:80"
CRAWL = Crawl(
    task_id=UUID(int=1),
    owner=None,
    start_url="http://shop.example/",
    scope=Scope.HOST,
    scope_key="shop.example:80",
    depth=3,
    page_limit=100,
    engine=Engine.HTTP,
    include=(),
    exclude=(),
    screenshots=False,
    structure=False,
    delay=timedelta(0),
    user_agent="",
    urgent=False,
    state="open",
    end_reason=None,
    deadline=None,
    counts=CrawlCounts(discovered=1, queued=1, leased=0, done=0, failed=0, skipped=0),
    sitemaps=(),
    sitemaps_read=(),
    pagination=None,
)
ROBOTS = RobotsRules.of_answer(200, "User-agent: *\nDisallow: /admin/\nDisallow: /*?sort=\n")
RULES = LinkRules(crawl=CRAWL, robots={ORIGIN: ROBOTS})


def reason(
    url: str, *, rules: LinkRules = RULES, depth: int = 1, nofollow: bool = False, label: str = ""
) -> str | None:
    return rules.offer(Found(url=f"http://shop.example{url}", depth=depth, nofollow=nofollow, label=label)).reason


def rules_with(**changes: object) -> LinkRules:
    return replace(RULES, crawl=replace(CRAWL, **changes))  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize("url", ["/", "/item/7", "/item?color=red", "/files/prices.pdf", "/photo.png", "/a/a/a"])
def test_an_ordinary_link_is_fetched(url: str) -> None:
    assert reason(url) is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("/admin/stock", SkipReason.ROBOTS),
        ("/list?sort=price", SkipReason.ROBOTS),
        ("/photos.zip", SkipReason.CONTENT_TYPE),
        ("/clip.MP4?x=1", SkipReason.CONTENT_TYPE),
        ("/pack.tar.gz", SkipReason.CONTENT_TYPE),
        ("/x/y/x/y/x/y", SkipReason.TRAP),
        (f"/grow?q={'a' * 2000}", SkipReason.TRAP),
    ],
)
def test_a_link_is_left_out_by_its_address(url: str, why: SkipReason) -> None:
    assert reason(url) is why


@pytest.mark.parametrize(
    "url",
    ["/logout", "/member/logout", "/logout.php", "/member/sign_out", "/account/log-out", "/users/signout",
     "/auth/logoff", "/x?action=logout", "/LogOut", "/logoutProc.jsp", "/doLogout",
     "/%EB%A1%9C%EA%B7%B8%EC%95%84%EC%9B%83", "/wp-login.php?action=logout&_wpnonce=1"],
)  # fmt: skip
def test_a_link_that_logs_out_is_left_out_by_its_address(url: str) -> None:
    assert reason(url) is SkipReason.LOG_OUT


@pytest.mark.parametrize("label", ["로그아웃", "Log out", "LOGOUT", "sign out", "Log\n  out"])
def test_a_link_that_logs_out_is_left_out_by_its_label(label: str) -> None:
    assert reason("/member/exit", label=label) is SkipReason.LOG_OUT


@pytest.mark.parametrize("url", ["/member/log-of-visits", "/blogoutlet", "/catalogoutlook", "/sign", "/log", "/layout"])
def test_a_link_that_only_looks_so_is_fetched(url: str) -> None:
    assert reason(url, label="How to log out of a shop") is None


@pytest.mark.parametrize(
    ("url", "scope", "key", "is_inside"),
    [
        ("http://shop.example/x", Scope.HOST, "shop.example:80", True),
        ("https://shop.example/x", Scope.HOST, "shop.example:80", False),
        ("http://shop.example:8080/", Scope.HOST, "shop.example:80", False),
        ("http://www.shop.example/", Scope.HOST, "shop.example:80", False),
        ("http://www.example.co.kr/", Scope.SITE, "example.co.kr", True),
        ("https://m.example.co.kr:8443/", Scope.SITE, "example.co.kr", True),
        ("http://other.co.kr/", Scope.SITE, "example.co.kr", False),
        ("http://example.co.kr.evil.example/", Scope.SITE, "example.co.kr", False),
    ],
)
def test_a_link_belongs_to_the_crawl_or_not(url: str, scope: Scope, key: str, is_inside: bool) -> None:
    offer = rules_with(scope=scope, scope_key=key).offer(Found(url=url, depth=1))
    assert (offer.reason is not SkipReason.OUT_OF_SCOPE) is is_inside


def test_patterns_choose_but_never_against_the_start_page() -> None:
    rules = rules_with(include=("^/item/",), exclude=(r"/item/1$",))
    assert reason("/item/2", rules=rules) is None
    assert reason("/item/1", rules=rules) is SkipReason.EXCLUDED
    assert reason("/board", rules=rules) is SkipReason.EXCLUDED
    assert reason("/board", rules=rules, depth=0) is None


def test_what_is_too_deep_says_so_and_a_sitemap_has_no_depth() -> None:
    assert reason("/x", depth=3) is None
    assert reason("/x", depth=4) is SkipReason.DEPTH
    assert reason("/x", depth=SITEMAP_DEPTH) is None
    assert reason("/admin/x", depth=4) is SkipReason.ROBOTS


def test_a_link_that_must_not_be_followed_is_left_out_unless_another_leads_there() -> None:
    barred, free = (Found(url="http://shop.example/x", depth=1, nofollow=nofollow) for nofollow in (True, False))
    assert [offer.reason for offer in RULES.offers([barred])] == [SkipReason.NOFOLLOW]
    assert [offer.reason for offer in RULES.offers([barred, free])] == [None]
    assert [offer.reason for offer in RULES.offers([free, barred])] == [None]


def test_the_shortest_of_several_ways_counts() -> None:
    found = [Found(url="http://shop.example/x", depth=depth) for depth in (3, 2, 4)]
    assert [offer.depth for offer in RULES.offers(found)] == [2]


def test_offers_come_once_each() -> None:
    found = [Found(url=f"http://shop.example/{number}", depth=1) for number in (*range(30), *range(30))]
    hashes = [offer.url_hash for offer in RULES.offers(found)]
    assert len(hashes) == len(set(hashes)) == 30


def test_rules_that_are_not_known_yet_keep_nothing_out() -> None:
    assert reason("/admin/x", rules=LinkRules(crawl=CRAWL)) is None


def test_a_form_of_url_that_was_found_endless_is_left_out() -> None:
    rules = LinkRules(crawl=CRAWL, traps={template_of("http://shop.example/calendar/2026/1")})
    assert reason("/calendar/2031/12", rules=rules) is SkipReason.TRAP
    assert reason("/calendar", rules=rules) is None
