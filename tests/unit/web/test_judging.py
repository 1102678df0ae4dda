"""What an answer means: a page, a skip, a failure, or something to try again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from crawl_worker.engine.fetched import FetchedPage
from crawl_worker.sites.web.document import read_document
from crawl_worker.sites.web.judging import (
    LONGEST_WAIT,
    MAX_REDIRECTS,
    MAX_RETRIES,
    Outcome,
    judge,
    judge_failure,
    put_back,
    retry_after,
    skipped,
)
from crawl_worker.sites.web.link_rules import Found
from crawl_worker.sites.web.urls import hash_of
from nightjar.database.frontier import SITEMAP_DEPTH, LeasedUrl
from nightjar.domain.site_crawl import Engine, PageState, SkipReason
from nightjar.errors import ErrorCode, GiveUp, RetryLater

URL = "http://shop.example/a"
DELAY = timedelta(seconds=1)


def leased(
    url: str = URL, *, depth: int = 2, attempts: int = 1, redirects: int = 0, stands_alone: bool = False
) -> LeasedUrl:
    return LeasedUrl(
        url_hash=hash_of(url),
        url=url,
        host="shop.example:80",
        depth=depth,
        attempts=attempts,
        lost=0,
        requested_url=None,
        redirects=redirects,
        stands_alone=stands_alone,
    )


def page(status: int = 200, **headers: str) -> FetchedPage:
    return FetchedPage(
        url=URL,
        final_url=URL,
        status=status,
        headers=tuple((name.replace("_", "-"), value) for name, value in headers.items()),
        body=b"",
        engine=Engine.HTTP,
        started_at=datetime.now(UTC),
        elapsed=timedelta(0),
    )


def judged(html: str, url: LeasedUrl | None = None) -> Outcome:
    return judge(url or leased(), page(), read_document(html, URL), retry_delay=DELAY)


def refused(status: int, *, attempts: int = 1, **headers: str) -> Outcome:
    return judge(leased(attempts=attempts), page(status, **headers), read_document("", URL), retry_delay=DELAY)


def end_of(outcome: Outcome) -> tuple[PageState, SkipReason | None, str | None]:
    assert outcome.end is not None
    return outcome.end.state, outcome.end.reason, outcome.end.error_code


def test_a_page_is_kept_with_its_links_one_hop_further() -> None:
    outcome = judged('<a href="/b">b</a><a href="/c" rel="nofollow">c</a>')
    assert outcome.page is not None
    assert outcome.end is None
    found = [(link.url, link.depth, link.nofollow) for link in outcome.found]
    assert found == [("http://shop.example/b", 3, False), ("http://shop.example/c", 3, True)]


def test_links_of_a_page_that_only_the_sitemap_knows_are_not_followed() -> None:
    outcome = judged('<a href="/b">b</a>', leased(depth=SITEMAP_DEPTH))
    assert outcome.page is not None
    assert outcome.found == ()


def test_noindex_keeps_a_page_out_but_not_its_links() -> None:
    outcome = judged('<meta name="robots" content="noindex"><body><a href="/b">b</a>')
    assert outcome.page is None
    assert end_of(outcome) == (PageState.SKIPPED, SkipReason.NOINDEX, None)
    assert [link.url for link in outcome.found] == ["http://shop.example/b"]


@pytest.mark.parametrize(
    ("canonical", "target"), [("/a?x=1", "http://shop.example/a?x=1"), ("/a/", "http://shop.example/a/")]
)
def test_another_spelling_of_a_page_is_that_page(canonical: str, target: str) -> None:
    outcome = judged(f'<link rel="canonical" href="{canonical}">')
    assert end_of(outcome) == (PageState.SKIPPED, SkipReason.CANONICAL, None)
    assert [(link.url, link.depth) for link in outcome.found] == [(target, 2)]


@pytest.mark.parametrize("query", ["page=2", "sort=up&p=3", "pageNo=4", "currentPage=2&x", "offset=40", "page_num=2"])
def test_what_a_further_page_of_a_list_leads_to_is_found_though_it_names_the_first_one(query: str) -> None:
    document = read_document('<link rel="canonical" href="/a"><a href="/goods/41">goods</a>', f"{URL}?{query}")
    shown = replace(page(), final_url=f"{URL}?{query}")
    outcome = judge(leased(f"{URL}?{query}"), shown, document, retry_delay=DELAY)
    assert end_of(outcome) == (PageState.SKIPPED, SkipReason.CANONICAL, None)
    found = [(link.url, link.depth) for link in outcome.found]
    assert found == [(URL, 2), ("http://shop.example/goods/41", 3)]


@pytest.mark.parametrize("query", ["sort=up", "page=all", "homepage=1", "color=2"])
def test_links_of_any_other_duplicate_are_those_of_its_page(query: str) -> None:
    document = read_document('<link rel="canonical" href="/a"><a href="/goods/41">goods</a>', f"{URL}?{query}")
    outcome = judge(leased(f"{URL}?{query}"), page(), document, retry_delay=DELAY)
    assert [link.url for link in outcome.found] == [URL]


def test_a_page_is_not_given_up_for_another_spelling_that_the_crawl_does_not_fetch() -> None:
    document = read_document('<link rel="canonical" href="https://shop.example/a"><a href="/b">b</a>', URL)
    asked: list[str] = []

    def is_wanted(link: Found) -> bool:
        asked.append(link.url)
        return False

    outcome = judge(leased(), page(), document, retry_delay=DELAY, is_wanted=is_wanted)
    assert asked == ["https://shop.example/a"]
    assert outcome.page is not None
    assert [link.url for link in outcome.found] == ["http://shop.example/b"]


@pytest.mark.parametrize("canonical", ["/", "/b", "http://other.example/a", URL, "http://["])
def test_any_other_canonical_link_changes_nothing(canonical: str) -> None:
    assert judged(f'<link rel="canonical" href="{canonical}">').page is not None


def test_a_page_whose_canonical_could_not_be_had_stands_for_itself() -> None:
    assert judged('<link rel="canonical" href="/a?x=1">', leased(stands_alone=True)).page is not None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_no_hop_and_carries_where_it_began(status: int) -> None:
    outcome = refused(status, Location="../b?utm_source=x#part")
    assert end_of(outcome) == (PageState.SKIPPED, SkipReason.REDIRECT, None)
    (onward,) = outcome.found
    assert (onward.url, onward.depth, onward.requested_url, onward.redirects) == ("http://shop.example/b", 2, URL, 1)
    assert outcome.end is not None
    assert outcome.end.target == "http://shop.example/b"


@pytest.mark.parametrize("location", ["", "http://[", "javascript:1"])
def test_a_redirect_to_nowhere_is_a_failure(location: str) -> None:
    assert end_of(refused(302, Location=location)) == (PageState.FAILED, None, "upstream_error")


def test_redirects_end_after_some() -> None:
    outcome = judge(
        leased(redirects=MAX_REDIRECTS), page(302, Location="/b"), read_document("", URL), retry_delay=DELAY
    )
    assert end_of(outcome) == (PageState.FAILED, None, "upstream_error")
    assert outcome.found == ()


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "not_found"), (410, "not_found"), (401, "blocked"), (403, "blocked"), (451, "blocked"),
     (400, "upstream_error"), (405, "upstream_error"), (418, "upstream_error")],
)  # fmt: skip
def test_what_will_not_pass_is_a_failure_at_once(status: int, code: str) -> None:
    outcome = refused(status)
    assert end_of(outcome) == (PageState.FAILED, None, code)
    assert outcome.signal is None


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_what_may_pass_is_tried_again_later_each_time(status: int) -> None:
    delays = []
    for attempts in range(1, MAX_RETRIES + 1):
        outcome = refused(status, attempts=attempts)
        assert end_of(outcome) == (PageState.QUEUED, None, "upstream_error")
        assert outcome.end is not None
        delays.append(outcome.end.delay)
    assert delays == [DELAY, 2 * DELAY, 3 * DELAY]
    state, _, code = end_of(refused(status, attempts=MAX_RETRIES + 1))
    assert (state, code) == (PageState.FAILED, "blocked" if status in {429, 503} else "upstream_error")


def test_only_a_host_that_has_too_much_to_do_says_so() -> None:
    assert refused(500).signal is None
    busy, asks = refused(503).signal, refused(429, Retry_After="7").signal
    assert busy is not None
    assert not busy.plain
    assert asks is not None
    assert asks.plain
    assert asks.retry_after == timedelta(seconds=7)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), ("0", 0), (" 12 ", 12), ("999999", LONGEST_WAIT.total_seconds()), ("-5", None), ("soon", None),
     ("", None), ("1.5", None), ("99999999999999999999", None)],
)  # fmt: skip
def test_a_wait_is_read_from_its_header(value: str, seconds: float | None) -> None:
    wait = retry_after(page(429, Retry_After=value))
    assert (None if wait is None else wait.total_seconds()) == seconds


def test_a_wait_may_be_a_date() -> None:
    wait = retry_after(page(429, Retry_After=format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)))
    assert wait is not None
    assert 85 < wait.total_seconds() <= 90
    assert retry_after(page(429, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT")) == timedelta(0)
    assert retry_after(page(429, Retry_After="Wed, 21 Oct 2015 07:28:00")) in {None, timedelta(0)}


def test_no_answer_is_tried_again_where_that_may_help() -> None:
    passing, lasting = RetryLater(ErrorCode.TIMEOUT, "it took too long"), GiveUp(ErrorCode.EGRESS_REFUSED, "private")
    assert end_of(judge_failure(leased(), passing, retry_delay=DELAY)) == (PageState.QUEUED, None, "timeout")
    last = judge_failure(leased(attempts=MAX_RETRIES + 1), passing, retry_delay=DELAY)
    assert end_of(last) == (PageState.FAILED, None, "timeout")
    assert end_of(judge_failure(leased(), lasting, retry_delay=DELAY)) == (PageState.FAILED, None, "egress_refused")


def test_what_is_put_back_has_cost_nothing() -> None:
    assert put_back(leased()).end is not None
    assert put_back(leased()).end == put_back(leased()).end
    assert end_of(put_back(leased()))[0] is PageState.QUEUED
    assert end_of(skipped(leased(), SkipReason.ROBOTS)) == (PageState.SKIPPED, SkipReason.ROBOTS, None)


def test_a_page_that_the_browser_found_elsewhere_belongs_to_where_it_led() -> None:
    shown = replace(page(), engine=Engine.BROWSER, final_url="http://shop.example/b#top")
    outcome = judge(leased(), shown, read_document("<p>here", shown.final_url), retry_delay=DELAY)
    assert outcome.page is None
    assert outcome.end is not None
    assert (outcome.end.reason, outcome.end.target) == (SkipReason.REDIRECT, "http://shop.example/b")
    assert [(found.url, found.depth) for found in outcome.found] == [("http://shop.example/b", 2)]


def test_a_fragment_that_a_script_adds_leads_nowhere_else() -> None:
    shown = replace(page(), engine=Engine.BROWSER, final_url=f"{URL}#top")
    assert judge(leased(), shown, read_document("<p>here", URL), retry_delay=DELAY).page is shown


def test_a_page_whose_script_writes_a_new_query_into_its_address_each_time_is_kept_in_the_end() -> None:
    def shown_at(url: str, redirects: int) -> Outcome:
        shown = replace(page(), engine=Engine.BROWSER, final_url=url)
        return judge(leased(redirects=redirects), shown, read_document("<p>here", URL), retry_delay=DELAY)

    assert shown_at(f"{URL}?t=1", 0).page is None
    assert shown_at(f"{URL}?t=3", 2).page is not None
    assert shown_at("http://shop.example/b?t=3", 2).page is None
