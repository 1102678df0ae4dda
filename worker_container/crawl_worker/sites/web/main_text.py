"""The main text of a page and the same as Markdown, by trafilatura: one extraction for both.

Its fast mode is meant: the slow one tries two more libraries, takes three times as long, and found the same.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from lxml import etree
from lxml.html import HtmlElement
from trafilatura import bare_extraction, load_html
from trafilatura.settings import Document
from trafilatura.xml import xmltotxt

from crawl_worker.sites.web.roles import role_of_name
from nightjar.domain.section import SectionType

MAX_TEXT = 500_000
"""Characters of a text that is kept."""

_BOILERPLATE = etree.XPath(
    "//nav | //*[@role='navigation' or @role='banner' or @role='contentinfo'] | //aside[not(ancestor::article)]"
    " | //header[not(ancestor::main or ancestor::article)] | //footer[not(ancestor::main or ancestor::article)]"
)
"""What calls itself so is none of the text; on short pages the library keeps it (precision 0.4 instead of 1.0)."""

_NAMED = etree.XPath("//div[@id or @class] | //td[@id or @class] | //ul[@id or @class] | //tr[@id or @class]")
_ARTICLES = etree.XPath("//article | //*[@role='article']")
_NOT_TEXT = frozenset((SectionType.HEADER, SectionType.NAV, SectionType.ASIDE, SectionType.FOOTER))
_TEXT = frozenset((SectionType.MAIN, SectionType.ARTICLE))
_ADVERTS = frozenset(("ad", "ads", "adbox", "advert", "advertisement", "sponsor", "sponsored"))


@dataclass(frozen=True, slots=True)
class MainText:
    """Without menus, footers and the like. Both are empty if nothing was found."""

    text: str
    markdown: str


def main_text(html: str, unsaid: frozenset[SectionType] = frozenset()) -> MainText:
    """What a reader comes to the page for. For the roles that are `unsaid` in it, names of ids and classes count."""
    _keep_library_quiet()
    tree = load_html(html)
    if tree is None:
        return MainText("", "")
    _drop(_BOILERPLATE(tree))
    _drop([element for element in _NAMED(tree) if _is_named_so(element, unsaid)])
    _keep_all_articles(tree)
    try:
        found = bare_extraction(tree, fast=True, include_formatting=True, include_comments=True, include_tables=True)
    except ValueError:  # a control character that its own tree does not take
        return MainText("", "")
    if not isinstance(found, Document) or found.body is None:
        return MainText("", "")
    lines = (line.strip() for line in found.body.itertext())
    text = "\n".join(line for line in lines if line)
    return MainText(text[:MAX_TEXT], xmltotxt(found.body, include_formatting=True).strip()[:MAX_TEXT])


def _drop(elements: Iterable[HtmlElement]) -> None:
    for element in elements:
        if element.getparent() is not None:
            element.drop_tree()


def _is_named_so(element: HtmlElement, unsaid: frozenset[SectionType]) -> bool:
    """Whether an element is called as adverts are, or as menus and footers are, and is no part of the text."""
    names = _names_of(element)
    if not _ADVERTS.isdisjoint(name.lower() for name in names):
        return True
    if not unsaid or not any(role_of_name(name) in _NOT_TEXT & unsaid for name in names):
        return False
    around = (role_of_name(name) for outer in element.iterancestors() for name in _names_of(outer))
    return _TEXT.isdisjoint(role for role in around if role)


def _names_of(element: HtmlElement) -> list[str]:
    return f"{element.get('id', '')} {element.get('class', '')}".split()


def _keep_all_articles(tree: HtmlElement) -> None:
    """The library takes the first article for the text: where there are several, none is to be seen as one."""
    articles = _ARTICLES(tree)
    if len(articles) > 1:
        for article in articles:
            article.tag = "div"
            article.attrib.pop("role", None)


@cache
def _keep_library_quiet() -> None:
    """It warns of each page in which it finds little; that is no news, and the page's rows say it."""
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
