"""What becomes of URLs in hand, and of the links of their pages: written in one transaction, exactly once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from crawl_worker.sites.web.judging import later_in_the_browser, skipped
from crawl_worker.sites.web.settling import CrawlEnded
from nightjar.application.crawl_repair import return_orphaned_urls
from nightjar.database.engine import Database
from nightjar.domain.site_crawl import SkipReason
from nightjar.errors import LeaseLost
from tests.integration.site_crawls.desk import (
    START,
    UNKNOWN_DEPTH,
    CrawlDesk,
    Order,
    a_crawl,
    a_slice,
    answered,
    die,
    failed,
    offered,
    path_of,
    tried_later,
    url_of,
)


def started(database: Database, *links: str, depth: int = 3, nofollow: tuple[str, ...] = ()) -> CrawlDesk:
    """A crawl whose start page has these links."""
    desk = a_crawl(database, Order(depth=depth))
    desk.keep(answered(desk.open(), *links, nofollow=nofollow))
    return desk


def visited(desk: CrawlDesk, path: str, *links: str, nofollow: tuple[str, ...] = ()) -> None:
    """Claim everything and settle this one page with these links; the rest goes back into the queue."""
    hand = desk.claim_all()
    page = hand.pop(path)
    desk.keep(answered(page, *links, nofollow=nofollow), *(tried_later(url) for url in hand.values()))


# --- links --------------------------------------------------------------------------------------------------------


def test_a_page_is_stored_with_its_links_one_hop_further(database: Database) -> None:
    desk = started(database, "/a", "/b", "https://other.example/c", "/a")
    assert desk.states() == {
        "/": ("done", None, 0),
        "/a": ("queued", None, 1),
        "/b": ("queued", None, 1),
        "https://other.example/c": ("skipped", "out_of_scope", 1),
    }
    assert [row["url"] for row in desk.rows("SELECT url FROM pages")] == [START]
    assert [row["pages"] for row in desk.rows("SELECT pages FROM crawl_objects")] == [1]
    desk.adds_up()


def test_links_are_fetched_in_the_order_in_which_a_page_has_them(database: Database) -> None:
    paths = ("/news", "/zoo", "/about", "/m")
    desk = started(database, *paths)
    assert [url.url for url in desk.claim(10)] == [url_of(path) for path in paths]


def test_a_shorter_path_moves_a_url_up(database: Database) -> None:
    desk = started(database, "/a", "/b")
    desk.settle_links([offered("/far", depth=3)])
    visited(desk, "/a", "/far")
    assert desk.states()["/far"] == ("queued", None, 2)
    desk.adds_up()


def test_what_was_out_of_depth_comes_in_by_a_shorter_path(database: Database) -> None:
    desk = started(database, "/a", depth=1)
    desk.settle_links([offered("/deep", depth=2, reason=SkipReason.DEPTH)])
    desk.settle_links([offered("/deep", depth=1)])
    assert desk.states()["/deep"] == ("queued", None, 1)
    desk.adds_up()


def test_a_page_that_moves_up_takes_what_it_leads_to_with_it(database: Database) -> None:
    desk = started(database, "/a", "/b")
    desk.settle_links([offered("/x", depth=3)])
    visited(desk, "/x", "/x/1")
    assert desk.states()["/x/1"] == ("skipped", "depth", 4)
    visited(desk, "/a", "/x")
    assert desk.states()["/x"] == ("done", None, 2)
    assert desk.states()["/x/1"] == ("queued", None, 3)
    visited(desk, "/x/1", "/x/1/1")
    assert desk.states()["/x/1/1"] == ("skipped", "depth", 4)
    desk.adds_up()


def test_a_page_that_moved_up_while_it_was_fetched_offers_its_links_one_hop_further(database: Database) -> None:
    desk = started(database, "/a")
    desk.settle_links([offered("/x", depth=3)])
    hand = desk.claim_all()
    desk.settle_links([offered("/x", depth=1)])
    desk.keep(answered(hand["/x"], "/x/1"), answered(hand["/a"]))
    assert desk.states()["/x/1"] == ("queued", None, 2)
    desk.adds_up()


def test_what_nofollow_links_alone_lead_to_is_skipped_until_another_link_does(database: Database) -> None:
    desk = started(database, "/a", nofollow=("/x", "/y"))
    assert desk.states()["/x"] == desk.states()["/y"] == ("skipped", "nofollow", 1)
    visited(desk, "/a", "/x")
    assert desk.states()["/x"] == ("queued", None, 2), "the link that must not be followed is no path"
    assert desk.states()["/y"] == ("skipped", "nofollow", 1)
    desk.adds_up()


def test_a_nofollow_link_brings_nothing_nearer(database: Database) -> None:
    desk = started(database, "/a", "/b")
    visited(desk, "/a", "/x")
    visited(desk, "/x", "/x/1")
    desk.settle_links([offered("/x", depth=1, reason=SkipReason.NOFOLLOW)])
    assert (desk.states()["/x"], desk.states()["/x/1"]) == (("done", None, 2), ("queued", None, 3))


def test_a_slice_does_not_take_a_nofollow_link_for_one_that_it_knows(database: Database) -> None:
    desk = a_crawl(database)
    settlement = desk.keep(answered(desk.open(), "/a", nofollow=("/x",)))
    assert {path_of(url) for url, _ in settlement.offered} == {"/a"}


@pytest.mark.parametrize("sitemap_first", [True, False])
def test_what_a_sitemap_names_is_fetched_though_its_links_lie_too_deep(sitemap_first: bool, database: Database) -> None:
    desk = started(database, "/a", depth=1)
    offers = [offered("/x", depth=UNKNOWN_DEPTH), offered("/x", depth=2, reason=SkipReason.DEPTH)]
    for offer in offers if sitemap_first else reversed(offers):
        desk.settle_links([offer])
    assert desk.states()["/x"] == ("queued", None, UNKNOWN_DEPTH)
    desk.adds_up()


def test_links_of_a_page_that_only_a_sitemap_names_wait_for_a_path_to_it(database: Database) -> None:
    desk = started(database, "/a")
    desk.settle_links([offered("/x", depth=UNKNOWN_DEPTH)])
    visited(desk, "/x", "/x/1")
    assert "/x/1" not in desk.states()
    visited(desk, "/a", "/x")
    assert (desk.states()["/x"], desk.states()["/x/1"]) == (("done", None, 2), ("queued", None, 3))
    desk.adds_up()


def test_a_redirect_of_a_url_from_a_sitemap_leads_on_though_a_link_was_found_meanwhile(database: Database) -> None:
    desk = started(database, "/a")
    desk.settle_links([offered("/old", depth=UNKNOWN_DEPTH)])
    hand = desk.claim_all()
    desk.settle_links([offered("/old", depth=2)])
    desk.keep(answered(hand["/old"], status=301, location="/new"), answered(hand["/a"]))
    assert (desk.states()["/old"], desk.states()["/new"]) == (("skipped", "redirect", 2), ("queued", None, 2))
    desk.adds_up()


# --- redirects and canonical links --------------------------------------------------------------------------------


def test_a_redirect_is_recorded_and_its_target_is_a_page_of_the_same_depth(database: Database) -> None:
    desk = started(database, "/old")
    desk.keep(answered(desk.claim(1)[0], status=302, location="/new"))
    assert (desk.states()["/old"], desk.states()["/new"]) == (("skipped", "redirect", 1), ("queued", None, 1))
    desk.keep(answered(desk.claim(1)[0]))
    (page,) = desk.rows("SELECT url, final_url FROM pages WHERE url <> :start", start=START)
    assert page == {"url": url_of("/old"), "final_url": url_of("/new")}


def test_a_start_page_that_redirects_moves_the_scope(database: Database) -> None:
    desk = a_crawl(database)
    desk.keep(answered(desk.open(), status=301, location="https://www.shop.example/"))
    assert desk.crawl.scope_key == "www.shop.example:443"
    assert desk.states()["https://www.shop.example/"] == ("queued", None, 0)


def test_sitemaps_are_those_of_the_host_where_a_start_page_leads_after_several_hops(database: Database) -> None:
    desk = a_crawl(database)
    first = answered(desk.open(), status=301, location="https://shop.example:8443/")
    desk.keep(first)
    assert desk.crawl.sitemaps == ("robots https://shop.example:8443",)
    desk.run("UPDATE crawls SET sitemaps = '{}'")  # it has none
    desk.run("UPDATE frontier SET host = 'shop.example:443' WHERE state = 'queued'")
    desk.keep(
        answered(replace(desk.claim(1)[0], host="shop.example:8443"), status=301, location="https://www.shop.example/")
    )
    assert desk.crawl.sitemaps == ("robots https://www.shop.example:443",)


def test_a_start_page_without_links_lets_the_sitemaps_begin(database: Database) -> None:
    desk = a_crawl(database)
    desk.turn(1)
    turn = desk.turn(10)
    assert turn is not None
    assert desk.turn(10) is None  # nothing to do until the start page is there
    desk.keep(answered(turn.urls[0]))
    with database.transaction() as uow:
        assert len(uow.crawls.due_hosts(limit=5)) == 1
    following = desk.turn(10)
    assert following is not None
    assert following.sitemap == "robots https://shop.example:443"


def test_a_duplicate_is_freed_when_the_page_that_it_names_cannot_be_had(database: Database) -> None:
    desk = started(database, "/p?sort=up")
    desk.keep(answered(desk.claim(1)[0], canonical="/p"))
    assert desk.states()["/p?sort=up"] == ("skipped", "canonical", 1)
    desk.keep(failed(desk.claim(1)[0]))
    assert desk.states()["/p?sort=up"] == ("queued", "canonical_failed", 1)
    desk.adds_up()
    (again,) = desk.claim(10)
    desk.keep(answered(again, canonical="/p"))
    assert desk.states()["/p?sort=up"] == ("done", None, 1)
    assert desk.task.state == "completed"


def test_a_duplicate_of_a_page_that_failed_before_is_fetched_for_itself(database: Database) -> None:
    desk = started(database, "/p", "/p?sort=up")
    hand = desk.claim_all()
    desk.keep(failed(hand["/p"]))
    desk.keep(answered(hand["/p?sort=up"], canonical="/p"))
    assert desk.states()["/p?sort=up"] == ("queued", "canonical_failed", 1)
    desk.adds_up()


@pytest.mark.parametrize("reason", [SkipReason.ROBOTS, SkipReason.ROBOTS_UNAVAILABLE, SkipReason.TRAP])
def test_a_duplicate_of_a_page_that_turns_out_not_to_be_fetched_is_freed(
    reason: SkipReason, database: Database
) -> None:
    desk = started(database, "/p?sort=up")
    desk.keep(answered(desk.claim(1)[0], canonical="/p"))
    desk.keep(skipped(desk.claim(1)[0], reason))
    assert desk.states()["/p"][:2] == ("skipped", reason)
    assert desk.states()["/p?sort=up"][0] == "queued"
    desk.adds_up()


def test_what_is_to_go_is_told_within_the_limit(database: Database) -> None:
    desk = a_crawl(database, Order(limit=3))
    desk.keep(answered(desk.open(), *(f"/{number}" for number in range(9))))
    assert desk.task.message == "1 pages, 2 to go"


def test_a_freed_duplicate_still_stands_for_itself_after_a_retry(database: Database) -> None:
    desk = started(database, "/p?sort=up")
    desk.keep(answered(desk.claim(1)[0], canonical="/p"))
    desk.keep(failed(desk.claim(1)[0]))
    desk.keep(tried_later(desk.claim(1)[0]))
    (again,) = desk.claim(1)
    assert again.stands_alone


def test_a_freed_duplicate_that_needs_the_browser_still_stands_for_itself(database: Database) -> None:
    desk = started(database, "/p?sort=up")
    desk.keep(answered(desk.claim(1)[0], canonical="/p"))
    desk.keep(failed(desk.claim(1)[0]))
    desk.keep(later_in_the_browser(desk.claim(1)[0]))
    (again,) = desk.claim(1)
    assert (again.stands_alone, again.wants_browser) == (True, True)
    desk.keep(answered(again, canonical="/p"))
    assert desk.states()["/p?sort=up"][0] == "done"


@pytest.mark.parametrize("together", [True, False])
def test_of_two_pages_that_name_each_other_one_is_kept(together: bool, database: Database) -> None:
    desk = started(database, "/p", "/p/")
    hand = desk.claim_all()
    outcomes = [answered(hand["/p"], canonical="/p/"), answered(hand["/p/"], canonical="/p")]
    if together:
        desk.keep(*outcomes)
    else:
        for outcome in outcomes:
            desk.keep(outcome)
    desk.keep(*(answered(url, canonical="/p") for url in desk.claim(10)))
    assert sorted(state for path, (state, _, _) in desk.states().items() if path != "/") == ["done", "skipped"]
    desk.adds_up()


def test_a_page_whose_canonical_link_redirects_back_to_it_is_kept(database: Database) -> None:
    desk = started(database, "/p")
    desk.keep(answered(desk.claim(1)[0], canonical="/p/"))
    desk.keep(answered(desk.claim(1)[0], status=301, location="/p"))
    assert desk.states()["/p"] == ("queued", "canonical_failed", 1)
    desk.keep(answered(desk.claim(1)[0], canonical="/p/"))
    assert (desk.states()["/p"][0], desk.task.state) == ("done", "completed")


# --- traps --------------------------------------------------------------------------------------------------------


def test_twenty_pages_in_a_row_that_say_the_same_but_for_numbers_are_a_trap(database: Database) -> None:
    desk = started(database, *(f"/day/{number}" for number in range(20)))
    settlement = desk.keep(*(answered(url, body=f"{url.url}: nothing") for url in desk.claim_all().values()))
    assert settlement.traps == {"shop.example/day/N?"}
    with database.transaction() as uow:
        assert uow.url_traps.traps(desk.crawl_id) == settlement.traps


def test_pages_alike_are_counted_over_batches(database: Database) -> None:
    desk = started(database, *(f"/day/{number}" for number in range(25)))
    hand = list(desk.claim_all().values())
    traps = [desk.keep(*(answered(url, body=f"Day {n}: nothing") for n, url in enumerate(part))).traps
             for part in (hand[:10], hand[10:19], hand[19:20])]  # fmt: skip
    assert traps == [frozenset(), frozenset(), frozenset({"shop.example/day/N?"})]


def test_one_page_that_differs_ends_the_row(database: Database) -> None:
    desk = started(database, *(f"/day/{number}" for number in range(25)))
    hand = list(desk.claim_all().values())
    bodies = ["Day 1: nothing"] * 19 + ["Day 2: a market"] + ["Day 3: nothing"] * 5
    settlement = desk.keep(*(answered(url, body=body) for url, body in zip(hand, bodies, strict=True)))
    assert settlement.traps == frozenset()


# --- fences -------------------------------------------------------------------------------------------------------


def test_who_lost_the_lease_writes_nothing_at_all(database: Database) -> None:
    desk = started(database, "/a", "/b")
    mine, lost = desk.claim(2)
    desk.run("UPDATE frontier SET lease_attempt = 99 WHERE url_hash = :hash", hash=lost.url_hash)
    before = (desk.states(), desk.crawl.counts)
    with pytest.raises(LeaseLost):
        desk.keep(answered(mine, "/new"), answered(lost, "/new"))
    assert (desk.states(), desk.crawl.counts) == before
    assert [row["url"] for row in desk.rows("SELECT url FROM pages")] == [START]
    assert len(desk.rows("SELECT archive_object FROM crawl_objects")) == 1


def test_a_page_is_stored_once_though_two_workers_have_fetched_it(database: Database) -> None:
    desk = started(database, "/a")
    (mine,) = desk.claim(1)
    die(database, desk.lease)
    assert return_orphaned_urls(database.transaction) == 1
    other = a_slice(database)
    (theirs,) = desk.claim(1, other)
    with pytest.raises(LeaseLost):
        desk.keep(answered(mine))
    desk.keep(answered(theirs), lease=other)
    with pytest.raises((LeaseLost, CrawlEnded)):
        desk.keep(answered(mine))
    assert sorted(str(row["url"]) for row in desk.rows("SELECT url FROM pages")) == [START, url_of("/a")]
    desk.adds_up()


def test_a_retry_waits_for_its_moment(database: Database) -> None:
    desk = started(database, "/a")
    desk.keep(tried_later(desk.claim(1)[0], timedelta(seconds=60)))
    assert desk.claim(1) == []
    assert desk.states()["/a"] == ("queued", None, 1)
    assert desk.task.state == "in_progress"
    desk.adds_up()
