"""Main text, Markdown, metadata and language of a page, Korean and English."""

import json

import pytest

from crawl_worker.engine.charset import text_of
from crawl_worker.sites.web.structure import Structure, structure_of

URL = "http://river.example/story/7"
KOREAN = "마을 사람들은 해마다 가을이 되면 강가에 모여 등불을 띄우고 지난 한 해의 일을 천천히 이야기한다."
ENGLISH = "Every autumn the people of the village meet at the river, light their lanterns and talk about the year."


def article(sentence: str, *, head: str = "", language: str = "") -> str:
    paragraphs = "".join(f"<p>{sentence} {number}</p>" for number in range(6))
    return f"""<html {f'lang="{language}"' if language else ""}><head><title>Story</title>{head}</head><body>
        <header><nav><a href="/">MenuWord</a></nav></header>
        <main><article><h1>Title</h1>{paragraphs}<ul><li>first</li><li>second</li></ul></article></main>
        <footer>FooterWord</footer></body></html>"""


def read(html: str) -> Structure:
    return structure_of(html, URL)


@pytest.mark.parametrize("sentence", [KOREAN, ENGLISH])
def test_the_main_text_has_the_article_and_neither_menu_nor_footer(sentence: str) -> None:
    structure = read(article(sentence))
    assert all(f"{sentence} {number}" in structure.main_text for number in range(6))
    assert "MenuWord" not in structure.main_text
    assert "FooterWord" not in structure.main_text


def test_the_markdown_has_headings_and_lists() -> None:
    markdown = read(article(KOREAN)).markdown
    assert "# Title" in markdown
    assert "- first\n- second" in markdown


def test_a_short_page_has_no_menu_in_its_text() -> None:
    html = '<header><ul><li><a href="/">MenuWord</a></ul></header><main><h1>Hours</h1><p>Open from nine.</p></main>'
    assert read(html).main_text == "Hours\nOpen from nine."


@pytest.mark.parametrize(
    ("declared", "in_header"), [("", "; charset=euc-kr"), ('<meta charset="euc-kr">', ""), ("", "")]
)
def test_a_page_in_euc_kr_reads_right(declared: str, in_header: str) -> None:
    body = article(KOREAN, head=declared).encode("cp949")
    structure = read(text_of(body, f"text/html{in_header}"))
    assert f"{KOREAN} 5" in structure.main_text
    assert structure.language == "ko"


def test_the_language_is_the_declared_one_before_all() -> None:
    assert read(article(KOREAN, language="en-GB")).language == "en-GB"


def test_the_language_of_latin_letters_is_not_guessed() -> None:
    assert read(article(ENGLISH)).language is None


def test_the_page_says_who_wrote_it_when_and_what_it_is() -> None:
    head = """<meta name="description" content=" About  lanterns "><meta property="og:title" content="Lanterns">
        <meta property="og:image" content="http://river.example/l.png"><meta name="author" content="Ondal">
        <meta property="article:published_time" content="2026-11-20T09:00:00+09:00">
        <link rel="canonical" href="/story/7?a=1"><script type="application/ld+json">
        {"@graph": [{"@type": "NewsArticle"}, {"@type": ["Thing", "Place"]}]}</script>"""
    metadata = read(article(KOREAN, head=head)).metadata
    assert (metadata.title, metadata.description, metadata.author) == ("Story", "About lanterns", "Ondal")
    assert metadata.published == "2026-11-20T09:00:00+09:00"
    assert metadata.canonical == "http://river.example/story/7?a=1"
    assert metadata.open_graph == {"title": "Lanterns", "image": "http://river.example/l.png"}
    assert metadata.types == ("NewsArticle", "Thing", "Place")


def test_json_ld_stands_in_where_no_meta_element_speaks() -> None:
    thing = {"@type": "Article", "author": [{"name": "Ondal"}], "datePublished": "2026-11-01"}
    head = f'<script type="application/ld+json">{json.dumps(thing)}</script>'
    metadata = read(article(ENGLISH, head=head)).metadata
    assert (metadata.author, metadata.published) == ("Ondal", "2026-11-01")


@pytest.mark.parametrize("broken", ["{", "[" * 100_000, '"text"', "null", '{"@graph": 3, "@type": null}'])
def test_broken_json_ld_costs_nothing_but_itself(broken: str) -> None:
    structure = read(article(ENGLISH, head=f'<script type="application/ld+json">{broken}</script>'))
    assert structure.metadata.title == "Story"


def test_links_follow_the_base_element() -> None:
    html = '<head><base href="/deep/"></head><main><a href="x">x</a></main>'
    assert [link.url for link in read(html).links] == ["http://river.example/deep/x"]


def test_a_link_of_the_head_shows_the_next_page() -> None:
    html = article(ENGLISH, head='<link rel="next" href="?page=2">')
    pagination = read(html).pagination
    assert pagination is not None
    assert pagination.url_pattern == f"{URL}?page={{page}}"


@pytest.mark.parametrize("odd", ["&#1;", "&#0;", "&#xD800;", "\x0b", "\x1b", "\ufffe", "\0", "\\u0000"])
def test_odd_characters_leave_a_page_readable_and_storable(odd: str) -> None:
    thing = '{"author": "a\\u0000b\\ud800", "@type": "T\\u0000"}'
    head = f'<script type="application/ld+json">{thing}</script><meta name="description" content="x{odd}">'
    structure = read(article(f"{KOREAN}{odd}", head=head).replace("first", f"first{odd}"))
    assert KOREAN in structure.main_text
    assert "\0" not in json.loads(json.dumps(str(structure), ensure_ascii=False).encode())
    assert structure.metadata.types == ("T",)
