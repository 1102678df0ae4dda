"""Documents that are nested too deep are flattened; all others stay as they are."""

import time

import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawl_worker.sites.web.document import read_document
from crawl_worker.sites.web.nesting import MAX_DEPTH, flattened


def deepest(html: str) -> int:
    depth, node = 0, LexborHTMLParser(html).body
    while node is not None:
        children: LexborNode | None = node.child
        while children is not None and not children.is_element_node:
            children = children.next
        node = children
        depth += 1
    return depth


@pytest.mark.parametrize("opening", ["<div>", "<div a='<'>", '<div title=">">', "<DIV\n>", "<div/>", "<x-y>"])
def test_no_more_than_the_allowed_depth_is_left(opening: str) -> None:
    html = flattened(opening * 5_000 + "words")
    assert deepest(html) <= MAX_DEPTH + 2
    assert "words" in html


def test_what_comes_after_the_deep_part_keeps_its_tags() -> None:
    html = flattened("<div>" * 5_000 + "</div>" * 5_000 + "<main><p>after</p></main>")
    assert html.endswith("<main><p>after</p></main>")


@pytest.mark.parametrize(
    "part",
    [
        "<li>item",
        "<p>paragraph",
        "<br>",
        "<img src=x>",
        "<svg><path d='m'/><path d='n'/></svg>",
        "<script>document.write('<div><div>')</script>",
        "<div><span>x</span></div>",
    ],
)
def test_a_long_document_that_is_not_deep_stays_as_it_is(part: str) -> None:
    html = part * 3_000
    assert flattened(html) is html


def test_a_crawl_reads_the_links_of_100000_nested_elements_in_time() -> None:
    started = time.process_time()
    document = read_document("<div>" * 100_000 + '<a href="/deep">x</a>', "http://deep.example/")
    assert time.process_time() - started < 5
    assert [link.url for link in document.links] == ["http://deep.example/deep"]
