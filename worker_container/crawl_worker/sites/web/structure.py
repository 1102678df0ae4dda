"""From the text of an HTML document to what is understood of it."""

from collections.abc import Iterator
from dataclasses import dataclass

import ada_url
from selectolax.lexbor import LexborHTMLParser

from crawl_worker.sites.web.main_text import MainText, main_text
from crawl_worker.sites.web.nesting import flattened
from crawl_worker.sites.web.page_metadata import PageMetadata, metadata_of
from crawl_worker.sites.web.pagination import pagination_of
from crawl_worker.sites.web.roles import unsaid_roles
from crawl_worker.sites.web.section_tree import resolved, section_tree
from nightjar.domain.pagination_plan import Pagination
from nightjar.domain.section import Section, SectionLink, SectionType

MAX_LENGTH = 2_000_000
"""Characters of a document that are read; what follows is left out. A parser holds Python's lock for 30 ms for it."""

_NOT_MAIN = frozenset((SectionType.HEADER, SectionType.NAV, SectionType.ASIDE, SectionType.FOOTER))
_LETTERS = {"ko": ("가", "힣"), "ja": ("ぁ", "ヿ")}
_SHARE_OF_LETTERS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """A page as it was understood."""

    sections: tuple[Section, ...]
    links: tuple[SectionLink, ...]
    main_text: str
    markdown: str
    metadata: PageMetadata
    language: str | None
    """Declared; where it is not, told by its letters (Korean and Japanese only)."""

    pagination: Pagination | None
    """The list of pages that this page is one of."""


def structure_of(html: str, url: str) -> Structure:
    """What is understood of the document at `url`. Never fails: of a broken document, what could be read."""
    shallow = flattened(html[:MAX_LENGTH].replace("\0", ""))
    document = LexborHTMLParser(shallow)
    base_url = _base_of(document, url)
    tree = section_tree(document, base_url)
    metadata = metadata_of(document, url)
    main = main_text(shallow, unsaid_roles(document))
    if not main.text:
        main = _from_sections(tree.sections)
    return Structure(
        sections=tree.sections,
        links=tree.links,
        main_text=main.text,
        markdown=main.markdown,
        metadata=metadata,
        language=metadata.language or _language_by_letters(main.text),
        pagination=pagination_of(url, (*_links_of_head(document, base_url), *tree.links), tree.sections),
    )


def _links_of_head(document: LexborHTMLParser, base_url: str) -> Iterator[SectionLink]:
    """`rel=next` and `rel=prev`: the only links outside of the text that lead to pages of the same list."""
    for element in document.css("link[rel~=next][href], link[rel~=prev][href]"):
        url = resolved(element.attributes.get("href") or "", base_url)
        if url is not None:
            rel = (element.attributes.get("rel") or "").lower()
            yield SectionLink(url=url, text="", rel=rel, section=None)


def _base_of(document: LexborHTMLParser, url: str) -> str:
    base = document.css_first("base[href]")
    if base is None:
        return url
    try:
        return str(ada_url.join_url(url, base.attributes.get("href") or ""))
    except ValueError:
        return url


def _from_sections(sections: tuple[Section, ...]) -> MainText:
    """All that stands outside of headers, menus, side columns and footers."""
    left_out: set[int] = set()
    text: list[str] = []
    markdown: list[str] = []
    for section in sections:
        if section.type in _NOT_MAIN or section.parent in left_out:
            left_out.add(section.position)
            continue
        heading = section.heading if section.type is SectionType.HEADING else None
        text += [said for said in (heading, section.text) if said]
        markdown += [f"{'#' * (section.level or 1)} {heading}"] if heading else []
        markdown += [section.text] if section.text else []
    return MainText("\n".join(text), "\n\n".join(markdown))


def _language_by_letters(text: str) -> str | None:
    sample = [letter for letter in text[:2000] if letter.isalpha()]
    for language, (first, last) in _LETTERS.items():
        if sample and sum(first <= letter <= last for letter in sample) > _SHARE_OF_LETTERS * len(sample):
            return language
    return None
