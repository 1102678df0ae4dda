"""The host of the designs: each on its own address, and plain pages where their links lead."""

from __future__ import annotations

from functools import cache

from tests.doubles.web.hosts.designs import english, korean
from tests.doubles.web.hosts.designs.design import Design
from tests.doubles.web.page import Link, Page, Site
from tests.doubles.web.words import english as english_words


@cache
def designs() -> tuple[Design, ...]:
    """Every design once, by the page that its tests read."""
    return (
        english.news(),
        english.blog(),
        english.forum(),
        english.manual(),
        english.cards(),
        english.press(),
        korean.soup(),
        korean.goods(),
        korean.office_list(),
        korean.office_view(),
        korean.paper(),
    )


@cache
def all_pages() -> tuple[Design, ...]:
    """Every page of every design, also the further pages of those that come in pages."""
    lists = (
        *(english.blog(page) for page in range(1, 8)),
        *(english.forum(page) for page in range(1, 5)),
        *(english.cards(page) for page in range(1, 13)),
        *(korean.office_list(page) for page in range(1, 15)),
    )
    found = {design.path: design for design in (*designs(), *lists)}
    return tuple(found.values())


def designs_site() -> Site:
    """`/` leads to each design; what their links name beyond is a plain page."""
    pages = {design.path: design.page for design in all_pages()}
    pages["/"] = Page(
        title="Designs",
        language="en",
        links=tuple(Link(href=design.path, text=design.name) for design in designs()),
    )
    named = {link.target for page in pages.values() for link in page.links}
    for target in sorted(named - set(pages)):
        pages[target] = Page(
            title=f"Plain {target}",
            language="en",
            sentences=english_words(4, "plain", target),
            links=(Link(href="/", text="Designs"),),
        )
    return Site(name="designs", language="en", pages=pages)
