"""Eleven designs of pages, Korean and English: what is understood of them is what their author meant."""

import re
from collections import Counter
from collections.abc import Sequence

import ada_url
import pytest

from crawl_worker.engine.charset import text_of
from crawl_worker.sites.web.roles import LANDMARKS
from crawl_worker.sites.web.structure import Structure, structure_of
from nightjar.domain.section import Section, SectionType
from tests.doubles.web.markup import Element, Part
from tests.doubles.web.truth import Design, all_pages, designs

SITE = "http://designs.example"
DESIGNS = pytest.mark.parametrize("design", designs(), ids=lambda design: design.name)
ALL_PAGES = pytest.mark.parametrize("design", all_pages(), ids=lambda design: design.path)


def read(design: Design) -> Structure:
    codec = {"euc-kr": "cp949"}.get(design.charset, design.charset)
    return structure_of(text_of(design.html.encode(codec), "text/html"), SITE + design.path)


def landmarks(sections: Sequence[Section], within: int | None = None) -> tuple[Part, ...]:
    """The landmarks below a landmark, with what else is between them left out."""
    return tuple(
        Part(
            type=section.type,
            heading=section.heading or "",
            level=section.level or 0,
            children=landmarks(sections, section.position),
        )
        for section in sections
        if section.type in LANDMARKS and _landmark_around(sections, section) == within
    )


def _landmark_around(sections: Sequence[Section], section: Section) -> int | None:
    around = section.parent
    while around is not None and sections[around].type not in LANDMARKS:
        around = sections[around].parent
    return around


def words_below(sections: Sequence[Section], top: Section) -> list[str]:
    """The words of a section and of those in it, sorted, without those of lists in it."""
    inside, words = {top.position}, top.text.split()
    for section in sections[top.position + 1 :]:
        if section.parent in inside and section.type is not SectionType.LIST:
            inside.add(section.position)
            words += (section.heading or "").split() if section.type is SectionType.HEADING else []
            words += section.text.split()
    return sorted(words)


def on_one_line(text: str) -> str:
    return " ".join(text.split())


@ALL_PAGES
def test_the_landmarks_nest_as_meant_with_their_headings(design: Design) -> None:
    assert landmarks(read(design).sections) == design.sections


@ALL_PAGES
def test_the_headings_are_those_of_the_page_in_its_order(design: Design) -> None:
    headings = [section for section in read(design).sections if section.type is SectionType.HEADING]
    assert tuple((section.level, section.heading) for section in headings) == design.outline


@ALL_PAGES
def test_the_lists_hold_their_entries(design: Design) -> None:
    sections = read(design).sections
    lists = [section for section in sections if section.type is SectionType.LIST]
    assert [words_below(sections, one) for one in lists] == [sorted(" ".join(each).split()) for each in design.lists]
    plain = [one for one in lists if all(section.parent != one.position for section in sections)]
    assert all(tuple(one.text.split("\n")) in design.lists for one in plain)


@ALL_PAGES
def test_the_tables_of_data_hold_their_cells_and_those_that_arrange_are_none(design: Design) -> None:
    tables = [section.text for section in read(design).sections if section.type is SectionType.TABLE]
    assert tuple(tuple(tuple(row.split("\t")) for row in table.split("\n")) for table in tables) == design.tables


@ALL_PAGES
def test_the_links_are_all_there_in_their_order(design: Design) -> None:
    meant = [(ada_url.join_url(SITE + design.path, href), words) for href, words in design.links if href[:1] != "#"]
    assert [(link.url, link.text) for link in read(design).links] == meant


@ALL_PAGES
def test_the_list_of_pages_is_recognised_with_its_total_or_there_is_none(design: Design) -> None:
    pagination, meant = read(design).pagination, design.numbers
    if meant is None or pagination is None:
        assert pagination is None
        assert meant is None
        return
    assert (pagination.url_pattern, pagination.current) == (SITE + meant.pattern, meant.current)
    assert pagination.kind == meant.kind
    assert meant.total in {None, pagination.total}


@DESIGNS
def test_the_page_says_what_it_is(design: Design) -> None:
    structure = read(design)
    said = structure.metadata
    assert (said.title, said.description or "", said.author or "") == (design.title, design.description, design.author)
    assert (said.published or "", structure.language) == (design.published, design.language)


@DESIGNS
def test_the_main_text_holds_every_piece_of_text_and_no_noise(design: Design) -> None:
    text = on_one_line(read(design).main_text)
    assert [piece for piece in design.main_text if on_one_line(piece) not in text] == []
    assert [piece for piece in design.boilerplate if on_one_line(piece) in text] == []


def test_precision_and_recall_of_the_main_text() -> None:
    """By words over all pages: `pytest -s` shows them. Words such as bylines and cells may be there or not."""
    for language in ("en", "ko"):
        found = rightly_found = meant = meant_and_found = 0
        for design in (design for design in all_pages() if design.language == language):
            text, words = _words(" ".join(design.main_text)), _words(read(design).main_text)
            found += words.total()
            rightly_found += (words & _words(beside_boilerplate(design.body))).total()
            meant += text.total()
            meant_and_found += (words & text).total()
        precision, recall = rightly_found / found, meant_and_found / meant
        print(f"main text, {language}: precision {precision:.3f}, recall {recall:.3f}")
        assert precision > 0.99
        assert recall > 0.99


def beside_boilerplate(element: Element | str, *, in_article: bool = False) -> str:
    """The words of an element that may stand in a main text."""
    if isinstance(element, str):
        return element
    in_article = in_article or element.role == "article"
    if element.said == "noise" or (element.role in {"header", "nav", "aside", "footer"} and not in_article):
        return ""
    return " ".join(beside_boilerplate(child, in_article=in_article) for child in element.children)


def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.lower()))
