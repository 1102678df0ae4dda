"""The section tree of a page: landmarks, headings, lists, tables; each word in exactly one section."""

import time

import pytest
from selectolax.lexbor import LexborHTMLParser

from crawl_worker.sites.web.section_tree import MAX_OPEN_SECTIONS, MAX_SECTIONS, SectionTree, section_tree
from crawl_worker.sites.web.structure import structure_of
from nightjar.domain.section import Section, SectionType


def tree_of(body: str, url: str = "http://shop.example/news/1") -> SectionTree:
    return section_tree(LexborHTMLParser(f"<html><body>{body}</body></html>"), url)


def outline(body: str) -> list[tuple[str, str | None, str]]:
    return [(section.path, section.heading, section.text) for section in tree_of(body).sections]


def paths(body: str) -> list[str]:
    return [section.path for section in tree_of(body).sections]


def types(sections: tuple[Section, ...]) -> list[SectionType]:
    return [section.type for section in sections]


def test_landmarks_nest_as_the_elements_do() -> None:
    assert paths(
        "<header><nav>a</nav></header><main><article>b</article><article>c</article></main><footer>d</footer>"
    ) == [
        "header[1]",
        "header[1]/nav[1]",
        "main[1]",
        "main[1]/article[1]",
        "main[1]/article[2]",
        "footer[1]",
    ]


def test_a_heading_holds_what_follows_it_up_to_the_next_of_its_rank() -> None:
    assert outline("<main><h1>A</h1>one<h2>B</h2>two<h3>C</h3>three<h2>D</h2>four</main>") == [
        ("main[1]", "A", ""),
        ("main[1]/heading[1]", "A", "one"),
        ("main[1]/heading[1]/heading[1]", "B", "two"),
        ("main[1]/heading[1]/heading[1]/heading[1]", "C", "three"),
        ("main[1]/heading[1]/heading[2]", "D", "four"),
    ]


def test_an_article_belongs_to_its_landmark_not_to_the_heading_before_it() -> None:
    sections = tree_of("<main><h1>All</h1><article><h2>One</h2>x</article></main>").sections
    assert [(section.type, section.parent) for section in sections] == [
        ("main", None),
        ("heading", 0),
        ("article", 0),
        ("heading", 2),
    ]


def test_the_heading_in_the_header_of_an_article_is_the_articles() -> None:
    sections = tree_of("<article><header><h2>Title</h2></header><p>x</p></article>").sections
    assert (sections[0].heading, sections[0].level) == ("Title", 2)


def test_a_heading_ends_with_the_cell_or_item_that_it_stands_in() -> None:
    assert outline("<ul><li><h3>A</h3>a</li><li>b</li></ul>") == [
        ("list[1]", None, "b"),
        ("list[1]/heading[1]", "A", "a"),
    ]


def test_a_heading_that_is_a_picture_reads_as_the_picture() -> None:
    assert outline('<h1><a href="/"><img src="l.png" alt="달빛 상점"></a></h1>') == [("heading[1]", "달빛 상점", "")]


def test_an_empty_heading_is_no_section() -> None:
    assert paths("<main><h2> </h2>text</main>") == ["main[1]"]


def test_aria_roles_and_levels_count_as_elements_do() -> None:
    body = '<div role="banner">a</div><div role="main"><div role="heading" aria-level="3">T</div>b</div>'
    sections = tree_of(body).sections
    assert [(section.type, section.level) for section in sections] == [("header", None), ("main", 3), ("heading", 3)]


def test_names_of_ids_and_classes_tell_the_roles_of_a_page_without_landmarks() -> None:
    body = """
        <div id="wrap"><div id="siteHeader">h<ul class="gnb"><li>a</li></ul></div>
        <div id="container"><div class="lnb">l</div><div id="content"><div class="board_view">v</div></div></div>
        <div class="footer-wrap">f</div></div>
    """
    assert paths(body) == ["header[1]", "header[1]/nav[1]", "nav[1]", "main[1]", "main[1]/article[1]", "footer[1]"]


def test_names_say_nothing_where_the_element_itself_is_used() -> None:
    assert paths('<div class="header">a</div><header>b</header>') == ["section[1]", "header[1]"]


def test_parts_of_a_header_are_no_headers() -> None:
    assert paths('<div class="header"><div class="header-search">s</div></div>') == ["header[1]"]


def test_a_list_has_a_line_for_each_item_and_a_table_a_tab_between_cells() -> None:
    body = "<ul><li>one<li>two</ul><table><caption>C</caption><tr><th>a</th> <th>b</th></tr>\n<tr><td>1<td>2</table>"
    assert outline(body) == [("list[1]", None, "one\ntwo"), ("table[1]", "C", "a\tb\n1\t2")]


def test_a_table_that_arranges_the_page_is_no_section() -> None:
    body = "<table><tr><td>menu</td><td><h2>News</h2>text<table><tr><td>1<td>2</table></td></tr></table>"
    assert paths(body) == ["section[1]", "heading[1]", "heading[1]/table[1]"]


def test_text_outside_of_all_sections_has_one_of_its_own() -> None:
    assert outline("<p>skip</p><main>m</main>") == [("section[1]", None, "skip"), ("main[1]", None, "m")]


def test_scripts_styles_and_hidden_parts_are_not_read() -> None:
    body = "<main>a<script>b()</script><style>c{}</style><noscript>d</noscript><div hidden>e</div><svg>f</svg></main>"
    assert outline(body) == [("main[1]", None, "a")]


def test_each_word_stands_in_exactly_one_section() -> None:
    lists = "<ul><li>w7<ul><li>w8</ul></ul>"
    body = f"<p>w1</p><header>w2<h1>w3</h1>w4</header><main>w5<section>w6{lists}</section>w9</main>w10"
    said = " ".join(
        f"{section.text} {section.heading if section.type == 'heading' else ''}" for section in tree_of(body).sections
    )
    assert sorted(said.split()) == sorted(f"w{number}" for number in range(1, 11))


def test_positions_count_through_and_parents_come_first() -> None:
    sections = tree_of("<main><h1>a</h1><ul><li>b</ul><article><h2>c</h2></article></main>").sections
    assert [section.position for section in sections] == list(range(len(sections)))
    assert all(section.parent is None or section.parent < section.position for section in sections)


def test_links_are_absolute_and_know_their_section() -> None:
    tree = tree_of('<nav><a href="/a#x">A</a></nav><main><a href="2" rel="NoFollow">B</a><a href="#top">no</a></main>')
    assert [(link.url, link.text, link.rel, tree.sections[link.section or 0].type) for link in tree.links] == [
        ("http://shop.example/a", "A", "", "nav"),
        ("http://shop.example/news/2", "B", "nofollow", "main"),
    ]


@pytest.mark.parametrize("href", ["mailto:a@shop.example", "javascript:go(2)", "http://[bad", "data:text/html,x"])
def test_links_that_lead_to_no_page_are_left_out(href: str) -> None:
    assert tree_of(f'<main><a href="{href}">x</a></main>').links == ()


@pytest.mark.parametrize("tag", ["div", "b", "ul", "table", "section", "blockquote", "h2", "span"])
def test_100000_nested_elements_are_read_in_time_and_space_of_their_length(tag: str) -> None:
    html = f"<body><main>start</main>{f'<{tag}>' * 100_000}<p>deep</p>{f'</{tag}>' * 100_000}"
    started = time.process_time()
    structure = structure_of(html, "http://deep.example/")
    assert time.process_time() - started < 5
    assert any("deep" in f"{section.heading} {section.text}" for section in structure.sections)
    assert max(section.path.count("/") for section in structure.sections) <= MAX_OPEN_SECTIONS
    assert sum(len(section.path) + len(section.text) for section in structure.sections) < len(html)


def test_a_page_has_a_bounded_number_of_sections() -> None:
    sections = tree_of("<ul><li>x</ul>" * (MAX_SECTIONS + 100)).sections
    assert len(sections) == MAX_SECTIONS


def test_a_long_text_is_cut_off() -> None:
    assert len(tree_of(f"<main>{'word ' * 100_000}</main>").sections[0].text) <= 20_000


@pytest.mark.parametrize(
    "html", ["", "<", "<html", "<body><a href=", "\0\0<p>x", "<p>" * 3, "plain words", "<frameset><frame>"]
)
def test_a_broken_document_gives_what_could_be_read(html: str) -> None:
    assert structure_of(html, "http://broken.example/").main_text.strip("\0") in {"", "<", "x", "plain words"}
