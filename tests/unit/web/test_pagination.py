"""Lists that go over many pages, recognised from one of their pages."""

import pytest

from crawl_worker.sites.web.structure import structure_of
from nightjar.domain.pagination_plan import Pagination, PaginationKind


def recognised(url: str, body: str) -> Pagination | None:
    return structure_of(f"<html><body><main><h1>List</h1>{body}</main></body></html>", url).pagination


def link(href: str, words: object, rel: str = "") -> str:
    return f'<a href="{href}" rel="{rel}">{words}</a> '


def links(form: str, pages: range) -> str:
    return "".join(link(form.replace("N", str(page)), page) for page in pages)


def as_said(pagination: Pagination | None) -> tuple[str, str, int, int, bool] | None:
    if pagination is None:
        return None
    said = pagination
    return said.url_pattern, said.kind, said.current, said.total, said.complete


def test_numbers_up_to_an_ellipsis_and_the_last_page() -> None:
    after = link("?page=4", 4) + "… " + link("?page=40", 40) + link("?page=4", "Next")
    body = f"<nav>{links('?page=N', range(1, 3))}<b>3</b> {after}</nav>"
    assert as_said(recognised("http://e.example/l?page=3", body)) == (
        "http://e.example/l?page={page}",
        "query",
        3,
        40,
        True,
    )


def test_a_korean_board_names_its_end() -> None:
    after = link("/bbs?b=7&amp;pg=11", "다음") + link("/bbs?b=7&amp;pg=37", "끝")
    body = f"<div class=paging><b>1</b> {links('/bbs?b=7&amp;pg=N', range(2, 11))}{after}</div>"
    assert as_said(recognised("http://e.example/bbs?b=7", body)) == (
        "http://e.example/bbs?b=7&pg={page}",
        "query",
        1,
        37,
        True,
    )


def test_a_korean_board_that_names_no_end_has_at_least_what_it_leads_to() -> None:
    body = f"<div><b>1</b> {links('/bbs?p=N', range(2, 11))}{link('/bbs?p=11', '다음')}</div>"
    assert as_said(recognised("http://e.example/bbs", body)) == ("http://e.example/bbs?p={page}", "query", 1, 11, False)


def test_the_second_block_of_ten_shows_which_page_it_is() -> None:
    before = link("/bbs?p=10", "이전") + links("/bbs?p=N", range(11, 13))
    after = links("/bbs?p=N", range(14, 21)) + link("/bbs?p=52", "맨끝")
    body = f"<div>{before}<strong>13</strong> {after}</div>"
    assert as_said(recognised("http://e.example/bbs?p=13", body)) == (
        "http://e.example/bbs?p={page}",
        "query",
        13,
        52,
        True,
    )


@pytest.mark.parametrize(
    ("url", "form", "pattern"),
    [
        ("http://e.example/blog/", "/blog/page/N", "http://e.example/blog/page/{page}"),
        ("http://e.example/blog/", "/blog/page/N/", "http://e.example/blog/page/{page}/"),
        ("http://e.example/news_1.html", "/news_N.html", "http://e.example/news_{page}.html"),
        ("http://e.example/list", "/list/page-N", "http://e.example/list/page-{page}"),
    ],
)
def test_numbers_in_the_path(url: str, form: str, pattern: str) -> None:
    pagination = recognised(url, f"<div>{links(form, range(2, 4))}{link(form.replace('N', '2'), 'Next')}</div>")
    assert pagination is not None
    assert (pagination.url_pattern, pagination.kind, pagination.total) == (pattern, PaginationKind.PATH, 3)


def test_offsets_count_items_and_the_address_of_a_page_is_right() -> None:
    after = link("/s?q=a&amp;start=20", 2) + link("/s?q=a&amp;start=40", 3) + link("/s?q=a&amp;start=20", "Next")
    body = f"<div><b>1</b> {after}</div>"
    pagination = recognised("http://e.example/s?q=a", body)
    assert pagination is not None
    assert (pagination.kind, pagination.start, pagination.step, pagination.total) == ("offset", 0, 20, 3)
    assert pagination.url_of(3) == "http://e.example/s?q=a&start=40"
    assert pagination.url_of(1) == "http://e.example/s?q=a&start=0"


def test_a_lone_next_link_by_offset() -> None:
    pagination = recognised("http://e.example/s?offset=20", f"<p>{link('/s?offset=40', 'next')}</p>")
    assert pagination is not None
    assert (pagination.step, pagination.current, pagination.total, pagination.complete) == (20, 2, 3, False)


def test_pages_that_count_from_nought() -> None:
    body = f"<div><b>1</b> {link('?page=1', 2)}{link('?page=2', 3)}</div>"
    pagination = recognised("http://e.example/l", body)
    assert pagination is not None
    assert (pagination.start, pagination.total, pagination.url_of(3)) == (0, 3, "http://e.example/l?page=2")


@pytest.mark.parametrize("words", ["2 / 18", "page 2 of 18", "총 18페이지", "전체 18 페이지", "18 pages"])
def test_the_total_in_words(words: str) -> None:
    body = f"<div class=pager>{link('?p=1', '이전')} {words} {link('?p=3', '다음')}</div>"
    assert as_said(recognised("http://e.example/l?p=2", body)) == ("http://e.example/l?p={page}", "query", 2, 18, True)


def test_the_last_page_has_nothing_after_it() -> None:
    body = f"<nav>{links('?page=N', range(1, 5))}<b>5</b>{link('?page=4', 'prev')}</nav>"
    assert as_said(recognised("http://e.example/l?page=5", body)) == (
        "http://e.example/l?page={page}",
        "query",
        5,
        5,
        True,
    )


def test_rel_next_is_enough() -> None:
    pagination = recognised("http://e.example/l", link("?page=2", "weiter", rel="next"))
    assert as_said(pagination) == ("http://e.example/l?page={page}", "query", 1, 2, False)


def test_filters_of_a_list_stay_in_its_pattern() -> None:
    body = links("?cat=3&amp;page=N&amp;sort=new", range(1, 4))
    pagination = recognised("http://e.example/l?cat=3", body)
    assert pagination is not None
    assert pagination.url_pattern == "http://e.example/l?cat=3&page={page}&sort=new"


@pytest.mark.parametrize(
    "body",
    [
        links("/cal/2026/11/N", range(1, 31)) + link("/cal/2026/12", "다음"),
        link("/post/12", "A post") + link("/post/13", "Another"),
        link("/2026/11/20/story", "20") + link("/2026/11/21/story", "21"),
        link("?page=x", "2"),
        "",
    ],
)
def test_calendars_articles_and_plain_pages_are_no_lists(body: str) -> None:
    assert recognised("http://e.example/cal/2026/11", body) is None
