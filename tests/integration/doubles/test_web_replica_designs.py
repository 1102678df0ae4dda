"""The designs of the replica: their truth is whole, and is really in the pages."""

from html.parser import HTMLParser

import pytest

from tests.doubles.web.hosts.designs.design import Design
from tests.doubles.web.hosts.designs.site import all_pages, designs
from tests.doubles.web.hosts.shop import shop
from tests.doubles.web.markup import Part
from tests.doubles.web.truth import page_numbers

LANDMARKS = {"header", "nav", "main", "aside", "footer", "article", "section"}


class Seen(HTMLParser):
    """What a plain parser finds in a document: headings, links, list entries, cells, landmark elements, words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.headings: list[tuple[int, str]] = []
        self.links: list[tuple[str, str]] = []
        self.landmarks: list[str] = []
        self.entries = self.cells = 0
        self.words = ""
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag[0] == "h" and tag[1:].isdigit():
            self.headings.append((int(tag[1]), ""))
        elif tag == "a":
            self.links.append((given["href"], ""))
        elif tag in LANDMARKS:
            self.landmarks.append(tag)
        self.entries += tag == "li"
        self.cells += tag in {"td", "th"}
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.words += f" {data}"
        for tag in self._open:
            if tag[0] == "h" and tag[1:].isdigit():
                self.headings[-1] = (self.headings[-1][0], (self.headings[-1][1] + data).strip())
            elif tag == "a":
                self.links[-1] = (self.links[-1][0], (self.links[-1][1] + data).strip())


def flat(sections: tuple[Part, ...]) -> list[Part]:
    return [part for section in sections for part in (section, *flat(section.children))]


@pytest.mark.parametrize("design", designs(), ids=lambda design: design.name)
def test_what_is_true_of_a_design_stands_in_its_page(design: Design) -> None:
    seen = Seen(design.html)
    assert seen.headings == list(design.outline)
    assert seen.links == list(design.links)
    assert seen.entries == sum(map(len, design.lists))
    words = " ".join(seen.words.split())
    for piece in (*design.main_text, *design.boilerplate):
        assert piece in words


@pytest.mark.parametrize("design", designs(), ids=lambda design: design.name)
def test_a_design_has_one_main_part_and_words_that_do_not_belong_to_it(design: Design) -> None:
    sections = flat(design.sections)
    assert [part.type for part in sections].count("main") == 1
    assert {part.type for part in sections} <= LANDMARKS
    assert design.main_text or design.name in {"cards", "office-list"}
    assert design.boilerplate
    assert not set(design.main_text) & set(design.boilerplate)
    titled = [part for part in sections if part.heading]
    assert {(part.level, part.heading) for part in titled} <= set(design.outline)


def test_where_elements_say_their_role_the_sections_are_those_elements() -> None:
    plain = {"news", "blog", "manual", "cards", "press"}
    for design in designs():
        if design.name in plain:
            assert [part.type for part in flat(design.sections)] == Seen(design.html).landmarks, design.name


def test_designs_are_korean_and_english_and_at_least_eight() -> None:
    assert len({design.name for design in designs()}) >= 8
    assert {design.language for design in designs()} == {"ko", "en"}
    assert [design.name for design in designs() if design.tables]
    assert not all(design.says_language for design in designs())


def test_the_article_of_the_news_has_two_titled_sections() -> None:
    news = next(design for design in designs() if design.name == "news")
    main = next(part for part in news.sections if part.type == "main")
    (article,) = main.children
    assert (article.heading, article.level) == ("Harbour bells are rung by hand again", 1)
    assert [(part.type, part.heading) for part in article.children] == [
        ("section", "A long silence"),
        ("section", "Bells by the numbers"),
    ]
    assert (main.heading, main.level) == ("", 0)


def test_every_page_of_a_list_has_its_own_number() -> None:
    lists = [design for design in all_pages() if design.numbers]
    assert len(lists) == 7 + 4 + 12 + 14
    for design in lists:
        numbers = design.numbers
        assert numbers is not None
        number = numbers.start + (numbers.current - 1) * numbers.step
        if numbers.current > 1 or numbers.kind != "path":
            assert design.path == numbers.pattern.replace("{page}", str(number))
    shown = page_numbers("shop")
    assert shown["/board/page/3"].total == 9
    assert shown["/category/cup?page=2"].pattern == "/category/cup?page={page}"
    assert set(shown) <= set(shop().pages)
