"""A page with 5,000 links, each to a small page of its own."""

from __future__ import annotations

from typing import Final

from tests.doubles.web.page import Link, Page, Site
from tests.doubles.web.words import english

LINKS: Final = 5000


def crowd() -> Site:
    """`/` leads to `/many`, that to `/p/0` up to `/p/4999`, these back to `/many`."""
    pages = {
        "/": Page(title="Directory", links=(Link(href="/many", text="All entries"),)),
        "/many": Page(
            title="All entries",
            links=tuple(Link(href=f"/p/{entry}", text=f"Entry {entry}") for entry in range(LINKS)),
        ),
    }
    pages |= {
        f"/p/{entry}": Page(
            title=f"Entry {entry}",
            sentences=english(3, "crowd", entry),
            links=(Link(href="/many", text="Back"),),
        )
        for entry in range(LINKS)
    }
    return Site(name="crowd", language="en", pages=pages)
