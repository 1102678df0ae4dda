"""What robots.txt means for us, by RFC 9309."""

from datetime import timedelta

import pytest

from crawl_worker.engine.robots import MAX_BYTES, RobotsRules
from nightjar.errors import ErrorCode, RetryLater

SITE = "https://site.test"
IN_TWO_PARTS = "User-agent: nightjar\nDisallow: /a\nUser-agent: x\nDisallow: /\nUser-agent: nightjar\nDisallow: /b"


def rules(text: str, status: int = 200) -> RobotsRules:
    return RobotsRules.of_answer(status, text.encode())


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow:", "/a", True),
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow: /", "/robots.txt", True),
        ("User-agent: *\nDisallow: /private", "/private/x", False),
        ("User-agent: *\nDisallow: /private", "/public", True),
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", True),
        ("User-agent: *\nAllow: /a\nDisallow: /a", "/a", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf?z", True),
        ("User-agent: *\nDisallow: /*?*sort=", "/list?a=1&sort=up", False),
        ("User-agent: *\nDisallow: /한글", "/%ED%95%9C%EA%B8%80/1", False),
        ("User-agent: *\nDisallow: /%7Euser", "/~user/", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: Nightjar\nDisallow: /shut", "/open", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: Nightjar\nDisallow: /shut", "/shut", False),
        ("User-agent: NIGHTJAR\nDisallow: /", "/a", False),
        ("User-agent: Nightjar/2.1 # newest\nDisallow: /", "/a", False),
        ("User-agent: nightjar-news\nDisallow: /", "/a", True),
        ("User-agent: other\nUser-agent: nightjar\nDisallow: /", "/a", False),
        (IN_TWO_PARTS, "/b", False),
        (IN_TWO_PARTS, "/c", True),
        ("user-agent : *\r\n  DISALLOW :/a # all\r\n", "/a", False),
        ("\ufeffUser-agent: *\nDisallow: /a", "/a", False),
        ("Disallow: /a", "/a", True),
        ("<!doctype html><p>no such page</p>", "/a", True),
    ],
)  # fmt: skip
def test_a_path_is_allowed_unless_the_most_specific_rule_of_our_group_forbids_it(
    text: str, path: str, allowed: bool
) -> None:
    assert rules(text).allows(SITE + path) is allowed


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 410])
def test_without_a_robots_txt_all_is_allowed(status: int) -> None:
    assert rules("User-agent: *\nDisallow: /", status).allows(f"{SITE}/a")


@pytest.mark.parametrize("status", [429, 500, 503, 599])
def test_a_host_that_cannot_say_is_left_alone(status: int) -> None:
    with pytest.raises(RetryLater, match=str(status)) as caught:
        rules("", status)
    assert caught.value.code is ErrorCode.UPSTREAM_ERROR


@pytest.mark.parametrize(
    ("written", "delay"),
    [
        ("2", timedelta(seconds=2)),
        ("0.5", timedelta(seconds=0.5)),
        ("0", timedelta()),
        ("1e300", timedelta(days=1)),
        ("99999999", timedelta(days=1)),
        ("-1", None),
        ("nan", None),
        ("soon", None),
    ],
)
def test_a_crawl_delay_is_one_that_can_be_kept(written: str, delay: timedelta | None) -> None:
    assert rules(f"User-agent: *\nCrawl-delay: {written}").crawl_delay == delay


def test_the_delay_of_others_is_not_ours() -> None:
    assert rules("User-agent: nightjar\nDisallow: /a\n\nUser-agent: *\nCrawl-delay: 9").crawl_delay is None


def test_sitemaps_are_told_once_whatever_group_they_stand_in() -> None:
    text = (
        "Sitemap: https://site.test/a.xml\nUser-agent: x\nDisallow: /\nsitemap:/b.xml\nSitemap: https://site.test/a.xml"
    )
    assert rules(text).sitemaps == ("https://site.test/a.xml", "/b.xml")


def test_the_first_500_kib_count() -> None:
    filler = "# " + "x" * 97 + "\n"
    early = "User-agent: *\nDisallow: /early\n" + filler * (MAX_BYTES // 100 + 1) + "Disallow: /late\n"
    assert not rules(early).allows(f"{SITE}/early")
    assert rules(early).allows(f"{SITE}/late")


def test_rules_are_made_again_from_what_is_kept() -> None:
    first = RobotsRules.of_answer(200, b"\xef\xbb\xbfUser-agent: *\nDisallow: /a\0\nCrawl-delay: 3\n\xff")
    again = RobotsRules.of_answer(first.status, first.text)
    assert again == first
    assert "\0" not in first.text
    assert again.crawl_delay == timedelta(seconds=3)


def test_a_hostile_file_costs_little() -> None:
    text = "User-agent: *\n" + "Disallow: /" + "*a" * 100_000 + "b\n" + "Disallow: /*x*y*z$\n" * 10_000
    assert rules(text).allows(f"{SITE}/{'a' * 2000}")
