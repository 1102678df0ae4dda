"""What one look at a page finds: title, text, links, and what it asks of crawlers."""

import pytest

from crawl_worker.sites.web.document import MAX_LINKS, MAX_TEXT, MAX_TITLE, Document, read_document

URL = "http://shop.example/a/b"


def read(body: str = "", head: str = "", robots_header: str = "") -> Document:
    html = f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"
    return read_document(html, URL, robots_header=robots_header)


def urls(body: str = "", head: str = "") -> list[str]:
    return [link.url for link in read(body, head).links]


@pytest.mark.parametrize(
    ("markup", "url"),
    [
        ('<a href="/x">x</a>', "http://shop.example/x"),
        ("<a href=x>x</a>", "http://shop.example/a/x"),
        ('<a href=" /x \n">x</a>', "http://shop.example/x"),
        ('<map><area href="/x"></map>', "http://shop.example/x"),
        ('<iframe src="/x"></iframe>', "http://shop.example/x"),
        ('<link rel="next" href="/x">', "http://shop.example/x"),
        ('<link rel="prev" href="/x">', "http://shop.example/x"),
        ('<a href="https://other.example/">x</a>', "https://other.example/"),
        ('<a href="?p=2&amp;q=1">x</a>', "http://shop.example/a/b?p=2&q=1"),
        ('<svg><a href="/x">x</a></svg>', "http://shop.example/x"),
        ('<a href="/x"><a href="/x">', "http://shop.example/x"),
    ],
)
def test_a_link_is_found(markup: str, url: str) -> None:
    assert urls(markup) == [url]


@pytest.mark.parametrize(
    "markup",
    ['<!-- <a href="/x"> -->', '<a name="x">x</a>', '<img src="/x">', '<link rel="stylesheet" href="/x">',
     '<form action="/x">', '<a href="javascript:void(0)">x</a>', '<a href="mailto:a@b.example">x</a>',
     '<script>document.write(\'<a href="/x">x</a>\')</script>', '<a href="http://[">x</a>',
     '<textarea><a href="/x"></textarea>', '<script src="/x.js"></script>'],
)  # fmt: skip
def test_what_is_no_link_is_not_found(markup: str) -> None:
    assert urls(markup) == []


def test_a_base_moves_relative_links_and_the_first_one_counts() -> None:
    head = '<base href="/inside/"><base href="/other/">'
    assert urls('<a href="leaf">', head) == ["http://shop.example/inside/leaf"]
    assert urls('<a href="/leaf">', head) == ["http://shop.example/leaf"]
    assert urls('<a href="leaf">', '<base href="javascript:1">') == ["http://shop.example/a/leaf"]


def test_links_are_in_the_order_of_the_page_and_once_each() -> None:
    body = '<a href="/b">1</a><a href="/a">2</a><a href="/b#x">3</a><a href="/b" rel="nofollow">4</a>'
    found = [(link.url, link.nofollow, link.label) for link in read(body).links]
    assert found == [
        ("http://shop.example/b", False, "1"),
        ("http://shop.example/a", False, "2"),
        ("http://shop.example/b", True, "4"),
    ]


@pytest.mark.parametrize(
    ("rel", "nofollow"),
    [("nofollow", True), ("NoFollow noopener", True), ("ugc nofollow", True), ("noopener", False), ("", False)],
)
def test_a_link_may_ask_not_to_be_followed(rel: str, nofollow: bool) -> None:
    (link,) = read(f'<a href="/x" rel="{rel}">x</a>').links
    assert link.nofollow is nofollow


@pytest.mark.parametrize(
    ("content", "noindex", "nofollow"),
    [
        ("noindex", True, False),
        ("nofollow", False, True),
        ("NOINDEX, NOFOLLOW", True, True),
        ("none", True, True),
        ("NONE", True, True),
        ("index, follow", False, False),
        ("all", False, False),
        ("noarchive,noimageindex", False, False),
        ("noindex nofollow", True, True),
        ("max-snippet:-1, noindex", True, False),
        ("", False, False),
    ],
)
@pytest.mark.parametrize("name", ["robots", "ROBOTS", "nightjar"])
def test_a_page_may_ask_not_to_be_kept_or_followed(name: str, content: str, noindex: bool, nofollow: bool) -> None:
    page = read('<a href="/x">x</a>', f'<meta name="{name}" content="{content}">')
    assert (page.noindex, page.nofollow) == (noindex, nofollow)
    assert [link.nofollow for link in page.links] == [nofollow]


@pytest.mark.parametrize(
    ("header", "noindex", "nofollow"),
    [
        ("noindex", True, False),
        ("noarchive, nofollow", False, True),
        ("none", True, True),
        ("otherbot: noindex, nofollow", False, False),
        ("otherbot: noindex\nnofollow", False, True),
        ("otherbot: noindex, nightjar: nofollow", False, True),
        ("Nightjar: noindex, otherbot: nofollow", True, False),
        ("nightjar: none", True, True),
        ("unavailable_after: 25 Jun 2030 15:00:00 GMT, noindex", True, False),
        ("max-snippet: 20, nofollow", False, True),
        ("otherbot: max-snippet: 20, noindex", False, False),
        ("", False, False),
    ],
)
def test_a_header_may_ask_the_same_of_all_or_of_one_crawler(header: str, noindex: bool, nofollow: bool) -> None:
    page = read(robots_header=header)
    assert (page.noindex, page.nofollow) == (noindex, nofollow)


def test_another_crawlers_meta_element_is_not_ours() -> None:
    assert not read(head='<meta name="googlebot" content="noindex">').noindex


def test_the_canonical_link_is_spelled_and_the_first_one_counts() -> None:
    assert read(head='<link rel="canonical" href="../c?utm_source=x#y">').canonical == "http://shop.example/c"
    assert read(head='<link rel="canonical" href="http://[">').canonical is None
    assert (
        read(head='<link rel=canonical href="/1"><link rel=canonical href="/2">').canonical == "http://shop.example/1"
    )
    assert read().canonical is None


def test_text_is_what_people_read() -> None:
    page = read(
        "<h1>Tea\n  cups</h1><p>One</p><p>two</p><script>var x = 1</script><style>p {}</style>"
        "<noscript>Turn it on</noscript><template><p>never</p></template>"
    )
    assert page.text == "Tea cups One two"


def test_a_title_is_one_line_of_bounded_length() -> None:
    assert read(head="<title>\n 찻잔 \t &amp; more </title>").title == "찻잔 & more"
    assert len(read(head=f"<title>{'x' * 2000}</title>").title) == MAX_TITLE
    assert read().title == ""


def test_what_is_absurdly_large_is_cut() -> None:
    assert len(read("<p>" + "word " * 100_000).text) <= MAX_TEXT
    links = "".join(f'<a href="/{number}">x</a>' for number in range(MAX_LINKS + 50))
    assert len(read(links).links) == MAX_LINKS


@pytest.mark.parametrize(
    "html", ["", "plain words", "<", "<a href=", "\x00\x00", "<html><frameset><frame src=/x>", "﻿<p>x"]
)
def test_no_input_is_too_broken_to_be_read(html: str) -> None:
    page = read_document(html, URL)
    assert "\x00" not in page.text + page.title
