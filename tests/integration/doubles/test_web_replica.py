"""The truth of the replica's sites equals what a stranger finds who walks them, and its controls do what they say."""

import gzip
import re
from collections.abc import Iterator

import pytest

from tests.doubles.web.hosts.shop_files import sentence_of
from tests.doubles.web.replica import ReplicaError, WebReplica
from tests.doubles.web.sites import SITES
from tests.doubles.web.stranger import Stranger
from tests.doubles.web.truth import expected, folded, needs_browser

CODECS = {"euc-kr": "cp949", "utf-8": "utf-8", "utf-16": "utf-16", "shift-jis": "shift_jis"}
TOO_LARGE = {"/files/large"}
"""A stranger has no limits."""


@pytest.fixture(scope="module")
def running() -> Iterator[WebReplica]:
    with WebReplica() as web:
        yield web


@pytest.fixture
def web(running: WebReplica) -> WebReplica:
    """The running replica as it was at its start."""
    running.control.reset()
    return running


@pytest.mark.parametrize(
    ("host", "depth"), [("shop", 3), ("shop", 9), ("journal", 9), ("designs", 9), ("app", 20), ("crowd", 1)]
)
def test_who_walks_a_site_finds_the_pages_of_the_truth_at_each_depth(web: WebReplica, host: str, depth: int) -> None:
    stranger = Stranger(web, host)
    stranger.walk(depth)
    truth = expected(host, depth=depth, sitemaps=False, browser=False)
    for hops in range(depth + 1):
        assert folded(host, stranger.pages[hops]) - TOO_LARGE == truth.pages_at_depth.get(hops, frozenset()), hops
    assert stranger.noindex == truth.skipped.get("noindex", frozenset())
    assert stranger.moved == truth.skipped.get("redirect", frozenset()) | truth.skipped.get("canonical", frozenset())
    assert stranger.failed == frozenset().union(*truth.failed.values()) - TOO_LARGE


def test_the_sitemaps_name_pages_that_no_link_leads_to(web: WebReplica) -> None:
    stranger = Stranger(web, "shop")
    index = stranger.get("/sitemap-index.xml")[2].decode()
    origin = web.urls["shop"]
    files = [url.removeprefix(origin) for url in re.findall("<loc>(.*?)</loc>", index)]
    named: set[str] = set()
    for file in files:
        body = stranger.get(file)[2]
        text = (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode()
        named.update(url.replace("&amp;", "&").removeprefix(origin) for url in re.findall(r"http[^<\s]+/[^<\s]*", text))
    named = {target for target in named if target.startswith("/")}
    linked = expected("shop", depth=30, sitemaps=False)
    orphans = expected("shop", depth=30).sitemap_only
    assert len(orphans) == 8
    assert orphans == named - linked.pages - {"/admin/orphan", "/orphan/lost"}


@pytest.mark.parametrize("target", sorted(page for page in SITES["shop"]().pages if page.startswith("/enc/")))
def test_a_page_in_another_charset_holds_its_sentence(web: WebReplica, target: str) -> None:
    _, headers, body = Stranger(web, "shop").get(target)
    codec = next(codec for name, codec in CODECS.items() if name in target)
    assert sentence_of(target) in body.decode(codec)
    assert ("charset" in headers["content-type"]) == target.endswith("-header")


def test_a_robots_variant_is_served_once_it_was_chosen(web: WebReplica) -> None:
    stranger = Stranger(web, "shop")
    assert "Disallow: /admin/" in stranger.get("/robots.txt")[2].decode()
    web.control.robots("shop", "all")
    assert stranger.get("/robots.txt")[2] == b"User-agent: *\nDisallow: /\n"
    web.control.robots("shop", "broken")
    assert stranger.get("/robots.txt")[0] == 500
    with pytest.raises(ReplicaError, match="crawl-delay"):
        web.control.robots("shop", "no such variant")


def test_trouble_lasts_for_as_many_requests_as_were_asked_for(web: WebReplica) -> None:
    web.control.trouble("shop", status=500, requests=2, retry_after="3")
    stranger = Stranger(web, "shop")
    answers = [stranger.get("/board") for _ in range(3)]
    assert [status for status, _, _ in answers] == [500, 500, 200]
    assert answers[0][1]["retry-after"] == "3"


def test_the_log_tells_when_a_request_came_and_ended(web: WebReplica) -> None:
    web.control.delay("shop", 0.2)
    Stranger(web, "shop").get("/board?page=1")
    (entry,) = web.control.requests(site="shop")
    assert (entry["path"], entry["query"], entry["status"], entry["in_flight"]) == ("/board", "page=1", 404, 1)
    assert 0.2 <= entry["finished_monotonic"] - entry["monotonic"] < 2
    assert entry["headers"]["user-agent"] == entry["user_agent"]


def test_a_visit_to_the_canary_is_counted(web: WebReplica) -> None:
    assert web.control.canary_hits() == []
    stranger = Stranger(web, "canary")
    assert stranger.get("/x")[0] == 200
    assert [hit["line"] for hit in web.control.canary_hits()] == ["GET /x HTTP/1.1"]
    assert needs_browser("shop") == frozenset()


def test_the_truth_of_the_whole_site_is_that_of_its_hosts_joined_by_their_links() -> None:
    site = expected("journal", depth=4, scope="site", sitemaps=False).pages_at_depth
    alone = expected("journal", depth=4, sitemaps=False).pages_at_depth
    shop = expected("shop", depth=2, sitemaps=False).pages_at_depth
    assert all({f"http://journal.replica{target}" for target in alone[hops]} <= site[hops] for hops in alone)
    assert {f"http://shop.replica{target}" for target in shop[0]} <= site[2], "linked from the journal's /about"
    assert not [target for found in site.values() for target in found if not target.startswith("http://")]
    assert not [target for found in site.values() for target in found if "/admin/stock" in target]


def test_a_robots_variant_changes_the_truth() -> None:
    assert expected("shop", robots="all").pages == frozenset()
    assert expected("shop", robots="broken").skipped == {"robots_unavailable": frozenset({"/"})}
    assert "/admin/stock" in expected("shop", robots="missing").pages
    assert expected("shop", robots="missing").sitemap_only == frozenset(), "nothing names the sitemaps"
    assert "/board/post/1" not in expected("shop", robots="named").pages
    assert "/board" in expected("shop", robots="named").pages
