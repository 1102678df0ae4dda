"""One spelling for each URL, one hash, one host, and what belongs together."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawl_worker.sites.web.urls import (
    hash_of,
    registrable_domain,
    repeats_itself,
    same_but_for_spelling,
    scope_key,
    spelled,
    start_url,
    template_of,
    web_url,
)
from nightjar.domain.site_crawl import Scope
from nightjar.errors import Invalid

BASE = "http://shop.example/a/b?c=1"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("/x", "http://shop.example/x"),
        ("/x/", "http://shop.example/x/"),
        ("x", "http://shop.example/a/x"),
        ("?q=1", "http://shop.example/a/b?q=1"),
        ("#part", "http://shop.example/a/b?c=1"),
        ("", "http://shop.example/a/b?c=1"),
        ("//other.example/x", "http://other.example/x"),
        ("HTTP://SHOP.example:80/x", "http://shop.example/x"),
        ("https://shop.example:443/", "https://shop.example/"),
        ("https://shop.example:8443/", "https://shop.example:8443/"),
        ("http://shop.example", "http://shop.example/"),
        ("/x/../y/./z", "http://shop.example/y/z"),
        ("/..", "http://shop.example/"),
        ("/.hidden/x", "http://shop.example/.hidden/x"),
        ("/x/...", "http://shop.example/x/..."),
        ("/x//y", "http://shop.example/x//y"),
        ("\\x\\y", "http://shop.example/x/y"),
        ("/a b", "http://shop.example/a%20b"),
        ("/찻잔", "http://shop.example/%EC%B0%BB%EC%9E%94"),
        ("/%EC%B0%BB%EC%9E%94", "http://shop.example/%EC%B0%BB%EC%9E%94"),
        ("/%7Eseller", "http://shop.example/%7Eseller"),
        ("http://정원.example/", "http://xn--sp5b7w.example/"),
        ("http://127.1/x", "http://127.0.0.1/x"),
        ("http://0x7f.0.0.1/", "http://127.0.0.1/"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/"),
        ("/x?b=2&a=1", "http://shop.example/x?b=2&a=1"),
        ("/X", "http://shop.example/X"),
    ],
)
def test_a_link_is_spelled_as_browsers_spell_it(written: str, meant: str) -> None:
    assert spelled(written, BASE) == meant


@pytest.mark.parametrize(
    "written", ["javascript:void(0)", "mailto:a@b.example", "tel:+82", "data:text/html,x", "ftp://x.example/",
                "file:///etc/hostname", "about:blank", "http://[", "http://", "http://a b/", "blob:http://x.example/1"]
)  # fmt: skip
def test_what_is_no_url_of_the_web_is_no_link(written: str) -> None:
    assert spelled(written, BASE) is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("/x?utm_source=a&utm_medium=b", "http://shop.example/x"),
        ("/x?a=1&utm_source=a&b=2", "http://shop.example/x?a=1&b=2"),
        ("/x?GCLID=1", "http://shop.example/x"),
        ("/x?fbclid=1&q=utm_source", "http://shop.example/x?q=utm_source"),
        ("/x?PHPSESSID=abc", "http://shop.example/x"),
        ("/x;jsessionid=0A1B", "http://shop.example/x"),
        ("/x;jsessionid=0A1B/y?z=1", "http://shop.example/x/y?z=1"),
        ("/x?sid=0123456789abcdef0123", "http://shop.example/x"),
        ("/x?sid=7", "http://shop.example/x?sid=7"),
        ("/x?token=abc", "http://shop.example/x?token=abc"),
        ("/x?custom=1", "http://shop.example/x?custom=1"),
        ("/x?", "http://shop.example/x"),
    ],
)
def test_what_campaigns_and_sessions_add_is_dropped(written: str, meant: str) -> None:
    assert spelled(written, BASE) == meant


PIECES = st.one_of(
    st.sampled_from(["/", "..", ".", "?", "#", "&", "=", "%", "%2e", "%2F", ";", ";jsessionid=1", "utm_source=1",
                     "sid=",
                     "0123456789abcdef", "\\", " ", "\t", "찻잔", "~", ":", "@", "//", "http://", "https:", "a", "Z"]),
    st.text(max_size=5),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=10).map("".join))
def test_a_spelling_is_its_own_spelling(written: str) -> None:
    once = spelled(written, BASE)
    if once is not None:
        assert spelled(once, "about:blank") == once
        assert spelled(once, BASE) == once
        assert "#" not in once
        assert web_url(once).origin.startswith(("http://", "https://"))
        assert once.startswith(f"{once.split('://')[0]}://")


@settings(max_examples=200, deadline=None)
@given(st.from_regex(r"(/[A-Za-z0-9_.~-]{0,6}){1,4}", fullmatch=True))
def test_plain_paths_are_spelled_as_by_the_library(path: str) -> None:
    """Most links take a short cut; it leads to the same place."""
    assert spelled(path, BASE) == spelled(f"{path}#x", BASE)


@pytest.mark.parametrize(
    ("url", "host", "origin"),
    [
        ("http://shop.example/x", "shop.example:80", "http://shop.example:80"),
        ("https://shop.example/", "shop.example:443", "https://shop.example:443"),
        ("http://shop.example:8080/x?y", "shop.example:8080", "http://shop.example:8080"),
        ("http://[::1]/", "[::1]:80", "http://[::1]:80"),
        ("http://[::1]:81/", "[::1]:81", "http://[::1]:81"),
        ("http://shop.example/x:1@y", "shop.example:80", "http://shop.example:80"),
    ],
)
def test_a_host_always_has_its_port(url: str, host: str, origin: str) -> None:
    found = web_url(url)
    assert (found.host, found.origin) == (host, origin)


def test_a_hash_is_that_of_the_spelling() -> None:
    assert web_url(BASE).hash == hash_of(BASE) == hash_of(spelled("#x", BASE) or "")
    assert hash_of(BASE) != hash_of(f"{BASE}2")


@pytest.mark.parametrize("url", ["/x", "x", "", "  ", "//shop.example/", "javascript:1", "ftp://x.example", "http://["])
def test_a_start_has_to_be_a_whole_url_of_the_web(url: str) -> None:
    with pytest.raises(Invalid):
        start_url(url)


def test_a_start_may_be_written_carelessly() -> None:
    assert start_url("  HTTP://Shop.Example/a/../b?utm_source=x#y ").text == "http://shop.example/b"


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("shop.example.com:443", "example.com"),
        ("example.com:80", "example.com"),
        ("a.b.example.co.kr:443", "example.co.kr"),
        ("shop.example.kr:80", "example.kr"),
        ("someone.github.io:443", "someone.github.io"),
        ("localhost:8000", "localhost"),
        ("127.0.0.1:8000", "127.0.0.1"),
        ("[::1]:80", "[::1]"),
        ("example.com.:80", "example.com"),
    ],
)
def test_a_site_is_what_somebody_registered(host: str, domain: str) -> None:
    assert registrable_domain(host) == domain


def test_a_scope_is_a_host_with_its_port_or_a_site() -> None:
    url = web_url("http://www.example.co.kr/x")
    assert scope_key(url, Scope.HOST) == "www.example.co.kr:80"
    assert scope_key(url, Scope.SITE) == "example.co.kr"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://x.example/calendar/2026/1/28", "http://x.example/calendar/1999/12/1"),
        ("http://x.example/p?id=3", "http://x.example/p?id=abc"),
        ("http://x.example/p?a=1&b=2", "http://x.example/p?b=1&a=2"),
        ("http://x.example/f/0123456789abcdef00", "http://x.example/f/7"),
    ],
)
def test_urls_of_one_form_have_one_template(one: str, other: str) -> None:
    assert template_of(one) == template_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://x.example/a/1", "http://x.example/b/1"),
        ("http://x.example/a/1", "http://y.example/a/1"),
        ("http://x.example/p?a=1", "http://x.example/p?b=1"),
        ("http://x.example/a/1", "http://x.example/a/1/2"),
    ],
)
def test_urls_of_other_forms_have_other_templates(one: str, other: str) -> None:
    assert template_of(one) != template_of(other)


@pytest.mark.parametrize(
    "path", ["/x/y/x/y/x/y", "/w/x/y/x/y/x/y/", "/a/b/c/a/b/c/a/b/c", "/a" * 8, "/q/x/y/x/y/x/y/z"]
)
def test_a_path_that_goes_in_circles_is_known(path: str) -> None:
    assert repeats_itself(f"http://x.example{path}")


@pytest.mark.parametrize(
    "path", ["/", "/x/y/x/y", "/guide/a/a/a/a/a", "/a/b/a/b/a", "/2024/01/01", "/1/2/3/4/5/6/7/8", "/a/b/c/a/b/c"]
)
def test_paths_that_people_make_go_in_no_circles(path: str) -> None:
    assert not repeats_itself(f"http://x.example{path}")


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("http://x.example/p?color=red", "http://x.example/p", True),
        ("http://x.example/p", "https://x.example/p", True),
        ("http://www.x.example/p", "https://x.example/p/", True),
        ("http://x.example/p", "http://x.example/q", False),
        ("http://x.example/p/q", "http://x.example/", False),
        ("http://x.example/p", "http://y.example/p", False),
        ("http://x.example:8080/p", "http://x.example/p", False),
    ],
)
def test_only_spellings_of_one_page_are_the_same(one: str, other: str, is_same: bool) -> None:
    assert same_but_for_spelling(one, other) is is_same
