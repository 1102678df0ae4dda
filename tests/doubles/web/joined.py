"""Several hosts of the replica as one site, for crawls whose scope is the whole site: the hosts share an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from tests.doubles.web.page import Link, Page, Robots, Site, Sitemap


def joined(start: str, sites: Mapping[str, Site]) -> Site:
    """All these sites with whole addresses, `http://NAME.replica/...`. Of sitemaps those of the start host count."""
    pages = {
        whole(name, target): _whole_page(name, page)
        for name, site in sites.items()
        for target, page in site.pages.items()
    }
    spellings = {
        whole(name, written): whole(name, meant)
        for name, site in sites.items()
        for written, meant in site.spellings.items()
    }
    sitemaps = {
        whole(start, target): Sitemap(pages=tuple(whole(start, page) for page in sitemap.pages))
        for target, sitemap in sites[start].sitemaps.items()
    }

    def made(target: str) -> Page | None:
        name, inside = _split(target)
        found = sites[name].made(inside) if name in sites else None
        return None if found is None else _whole_page(name, found)

    def disallows(target: str) -> bool:
        name, inside = _split(target)
        return sites[name].robots["default"].disallows(inside)

    text = sites[start].robots["default"].text
    return Site(
        name=start,
        language="",
        pages=pages,
        robots={"default": Robots(text=text, disallows=disallows)},
        sitemaps=sitemaps,
        made=made,
        spellings=spellings,
        origins=tuple(f"http://{name}.replica" for name in sites),
    )


def whole(name: str, target: str) -> str:
    """A target of a host as a whole address."""
    return f"http://{name}.replica{target}" if target.startswith("/") else target


def _split(target: str) -> tuple[str, str]:
    parts = urlsplit(target)
    return parts.netloc.removesuffix(".replica"), target.removeprefix(f"http://{parts.netloc}")


def _whole_page(name: str, page: Page) -> Page:
    def link(one: Link) -> Link:
        return replace(one, to=whole(name, one.target))

    return replace(
        page,
        links=tuple(link(one) for one in page.links),
        location=link(page.location) if page.location else None,
        canonical=link(page.canonical) if page.canonical else None,
    )
