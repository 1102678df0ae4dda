"""Markup with its meaning: elements as written, and what their author means by them.

The HTML and the truth of a design come from the same elements, and neither is guessed from the other: an element has a
role because its author says so, however it is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Final

_VOID: Final = frozenset({"br", "hr", "img", "input", "meta", "link"})
_BOILERPLATE: Final = frozenset({"header", "nav", "aside", "footer"})
_TITLED_BY_HEADER: Final = frozenset({"article", "section", "main"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """An element. `role` is one of header, nav, main, aside, footer, article, section; "" if it plays none."""

    tag: str
    attributes: str = ""
    children: tuple[Element | str, ...] = ()
    role: str = ""
    said: str = ""
    """`text` of an element whose words are the page's main text, `noise` of one whose words must not be in it."""

    kind: str = ""
    """`list` or `table` of data; a table that only lays out has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a page as its author means it, with the heading that titles it (level 0: none)."""

    type: str
    heading: str = ""
    level: int = 0
    children: tuple[Part, ...] = ()


def el(tag: str, *children: Element | str, role: str = "", said: str = "", **attributes: str) -> Element:
    """An element; `class_` and `aria_label` become `class` and `aria-label`."""
    written = "".join(f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"' for name, value in attributes.items())
    return Element(tag=tag, attributes=written, children=children, role=role, said=said)


def text(words: str, tag: str = "p", **attributes: str) -> Element:
    """A piece of the main text."""
    return el(tag, words, said="text", **attributes)


def noise(words: str, tag: str = "p", **attributes: str) -> Element:
    """Words that are no part of the main text."""
    return el(tag, words, said="noise", **attributes)


def heading(level: int, words: str, **attributes: str) -> Element:
    """A heading."""
    return el(f"h{level}", words, **attributes)


def a(href: str, words: str, **attributes: str) -> Element:
    """A link."""
    return el("a", words, **({"href": href} | attributes))


def items(*entries: Element | str, tag: str = "ul", role: str = "", **attributes: str) -> Element:
    """A list."""
    children = tuple(
        entry if isinstance(entry, Element) and entry.tag == "li" else el("li", entry) for entry in entries
    )
    made = el(tag, *children, role=role, **attributes)
    return Element(tag=tag, attributes=made.attributes, children=children, role=role, kind="list")


def rows(*given: tuple[Element | str, ...], head: bool = True, caption: str = "", **attributes: str) -> Element:
    """A table of data; with `head` the first row is of th cells."""
    made = []
    for number, cells in enumerate(given):
        tag = "th" if head and number == 0 else "td"
        made.append(el("tr", *(el(tag, cell) for cell in cells)))
    above = (el("caption", caption),) if caption else ()
    plain = el("table", *above, el("tbody", *made), **attributes)
    return Element(tag="table", attributes=plain.attributes, children=plain.children, kind="table")


def html(element: Element | str) -> str:
    """The markup."""
    if isinstance(element, str):
        return escape(element, quote=False)
    opened = f"<{element.tag}{element.attributes}>"
    if element.tag in _VOID:
        return opened
    inner = "".join(html(child) for child in element.children)
    blocks = any(isinstance(child, Element) and child.tag not in {"a", "b", "span", "em"} for child in element.children)
    gap = "\n" if blocks else ""
    return f"{opened}{gap}{inner}</{element.tag}>{gap}"


def words_of(element: Element | str, *, without_lists: bool = False) -> str:
    """The words in an element, blanks made one."""
    if isinstance(element, str):
        return element
    inner = [child for child in element.children if not (without_lists and _is_list(child))]
    return " ".join(" ".join(words_of(child, without_lists=without_lists) for child in inner).split())


def parts(element: Element) -> tuple[Part, ...]:
    """The parts in an element, itself included if it plays a role."""
    inner = tuple(part for child in element.children if isinstance(child, Element) for part in parts(child))
    if not element.role:
        return inner
    title = _title(element)
    level = int(title.tag[1]) if title else 0
    return (Part(type=element.role, heading=words_of(title) if title else "", level=level, children=inner),)


def outline(element: Element) -> tuple[tuple[int, str], ...]:
    """Level and words of all headings in their order."""
    return tuple((int(one.tag[1]), words_of(one)) for one in walk(element) if _is_heading(one))


def links(element: Element) -> tuple[tuple[str, str], ...]:
    """Address as written and words of all links in their order."""
    return tuple((href_of(one), words_of(one)) for one in walk(element) if one.tag == "a")


def lists(element: Element) -> tuple[tuple[str, ...], ...]:
    """The entries of all lists in their order; those of a list within are not repeated outside."""
    return tuple(
        tuple(words_of(entry, without_lists=True) for entry in one.children) for one in walk(element) if _is_list(one)
    )


def tables(element: Element) -> tuple[tuple[tuple[str, ...], ...], ...]:
    """The cells of all tables of data, row by row."""
    return tuple(
        tuple(tuple(words_of(cell) for cell in row.children) for row in walk(one) if row.tag == "tr")
        for one in walk(element)
        if one.kind == "table"
    )


def sentences(element: Element, said: str, *, around: str = "") -> Iterator[str]:
    """The pieces that are main text (`text`) or must not be in it (`noise`), in their order.

    Words within a header, nav, aside or footer are noise whatever they are, unless that stands in an article.
    """
    if element.role == "article":
        around = "article"
    elif element.role in _BOILERPLATE and around != "article":
        around = "noise"
    meant = "noise" if element.said and around == "noise" else element.said
    if meant == said:
        yield words_of(element)
        return
    for child in element.children:
        if isinstance(child, Element):
            yield from sentences(child, said, around=around)


def walk(element: Element) -> Iterator[Element]:
    """The element and all within, in document order."""
    yield element
    for child in element.children:
        if isinstance(child, Element):
            yield from walk(child)


def href_of(link: Element) -> str:
    """The address of a link as it is written."""
    return link.attributes.partition('href="')[2].partition('"')[0].replace("&amp;", "&")


def _title(element: Element) -> Element | None:
    """The first heading in an element that is in no part within; that of an article's header is the article's too."""
    for child in element.children:
        if not isinstance(child, Element):
            continue
        if _is_heading(child):
            return child
        through_header = child.role == "header" and element.role in _TITLED_BY_HEADER
        if child.role and not through_header:
            continue
        found = _title(child)
        if found is not None:
            return found
    return None


def _is_heading(element: Element) -> bool:
    return element.tag in {"h1", "h2", "h3", "h4", "h5", "h6"}


def _is_list(element: Element | str) -> bool:
    return isinstance(element, Element) and element.kind == "list"
