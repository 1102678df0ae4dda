"""A page design and its truth."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from tests.doubles.web.markup import Element, Part, html, links, lists, outline, parts, sentences, tables
from tests.doubles.web.page import Link, Page, PageNumbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """One page of a design. Everything that is true of it follows from `body` as its author means it."""

    name: str
    path: str
    title: str
    language: str
    body: Element
    says_language: bool = True
    charset: str = "utf-8"
    head: str = ""
    numbers: PageNumbers | None = None
    description: str = ""
    published: str = ""
    author: str = ""

    @property
    def html(self) -> str:
        """The whole document."""
        language = f' lang="{self.language}"' if self.says_language else ""
        meta = f'<meta name="description" content="{escape(self.description)}">' if self.description else ""
        return (
            f'<!doctype html>\n<html{language}>\n<head>\n<meta charset="{self.charset}">\n'
            f"<title>{escape(self.title)}</title>\n{meta}\n{self.head}\n</head>\n{html(self.body)}\n</html>\n"
        )

    @property
    def sections(self) -> tuple[Part, ...]:
        """The section tree: landmarks with their headings."""
        return parts(self.body)

    @property
    def outline(self) -> tuple[tuple[int, str], ...]:
        """Level and words of every heading, in order."""
        return outline(self.body)

    @property
    def lists(self) -> tuple[tuple[str, ...], ...]:
        """The entries of every list."""
        return lists(self.body)

    @property
    def tables(self) -> tuple[tuple[tuple[str, ...], ...], ...]:
        """The cells of every table of data."""
        return tables(self.body)

    @property
    def links(self) -> tuple[tuple[str, str], ...]:
        """Address and words of every link."""
        return links(self.body)

    @property
    def main_text(self) -> tuple[str, ...]:
        """The pieces that the main text must hold, in their order."""
        return tuple(sentences(self.body, "text"))

    @property
    def boilerplate(self) -> tuple[str, ...]:
        """The pieces that the main text must not hold."""
        return tuple(sentences(self.body, "noise"))

    @property
    def page(self) -> Page:
        """As a page of a site."""
        found = tuple(Link(href=href, text=words, to=href.partition("#")[0]) for href, words in self.links)
        return Page(
            title=self.title,
            html=self.html,
            links=found,
            language=self.language,
            charset=self.charset,
            charset_in="meta",
            numbers=self.numbers,
        )
