"""An English journal: posts by date in pages, tags, an archive by month, a feed, and links to the shop."""

from __future__ import annotations

from typing import Final

from tests.doubles.web.page import Link, Page, PageNumbers, Robots, Site, Sitemap
from tests.doubles.web.words import english

POSTS: Final = 60
POSTS_PER_PAGE: Final = 10
MONTHS: Final = 24
"""Of the archive: alike in their addresses, different in their words, and so no trap."""

TAGS: Final = ("rope", "salt", "bells", "maps", "apples", "lanterns")
_TEXT: Final = "User-agent: *\nDisallow: /search\nDisallow: /print/\n\nSitemap: http://journal.replica/sitemap.xml\n"


def journal() -> Site:
    """The whole journal."""
    pages = _lists() | _posts() | _tags() | _archive() | _rest()
    robots = Robots(text=_TEXT, disallows=lambda target: target.startswith(("/search", "/print/")))
    sitemap = Sitemap(pages=(*(post_path(post) for post in range(1, POSTS + 1)), "/drafts/left-over"))
    return Site(
        name="journal",
        language="en",
        pages=pages,
        robots={"default": robots, "missing": Robots(status=404)},
        sitemaps={"/sitemap.xml": sitemap},
    )


def post_path(post: int) -> str:
    """The address of a post."""
    return f"/{2024 + post // 40}/{post % 12 + 1:02}/post-{post}"


def list_path(page: int) -> str:
    """The address of a page of posts."""
    return "/" if page == 1 else f"/page/{page}"


def _title(post: int) -> str:
    return english(1, "journal title", post)[0].rstrip(".")


def _lists() -> dict[str, Page]:
    last = POSTS // POSTS_PER_PAGE
    pages = {}
    for page in range(1, last + 1):
        shown = range((page - 1) * POSTS_PER_PAGE + 1, page * POSTS_PER_PAGE + 1)
        links = [Link(href=post_path(post), text=_title(post)) for post in shown]
        if page > 1:
            links.append(Link(href=list_path(page - 1), text="Newer posts", rel="prev"))
        if page < last:
            links.append(Link(href=list_path(page + 1), text="Older posts", rel="next"))
        rest = ("/about", "/archive", "/tags", "/search?q=rope") if page == 1 else ("/",)
        links += [Link(href=target, text=target) for target in rest]
        pages[list_path(page)] = Page(
            title=f"The Ferry Journal, page {page}",
            sentences=english(2, "journal list", page),
            links=tuple(links),
            language="en",
            numbers=PageNumbers(pattern="/page/{page}", kind="path", current=page, total=None if page < last else last),
        )
    return pages


def _posts() -> dict[str, Page]:
    pages = {}
    for post in range(1, POSTS + 1):
        tag = TAGS[post % len(TAGS)]
        links = [
            Link(href=f"/tag/{tag}", text=tag, rel="tag"),
            Link(href=f"/print{post_path(post)}", text="Print"),
            Link(href=f"{post_path(post)}?utm_source=share", to=post_path(post), text="Share"),
            Link(href=f"http://shop.replica/item/{post}", text="In the shop"),
        ]
        pages[post_path(post)] = Page(
            title=_title(post), sentences=english(9, "journal", post), links=tuple(links), language="en"
        )
    return pages


def _tags() -> dict[str, Page]:
    pages = {
        f"/tag/{tag}": Page(
            title=f"Posts about {tag}",
            sentences=english(2, "tag", tag),
            links=tuple(
                Link(href=post_path(post), text=_title(post)) for post in range(number or 6, POSTS + 1, len(TAGS))
            ),
            language="en",
        )
        for number, tag in enumerate(TAGS)
    }
    entries = tuple(Link(href=target, text=target[5:]) for target in pages)
    return pages | {"/tags": Page(title="Tags", links=entries, language="en")}


def _archive() -> dict[str, Page]:
    months = {
        f"/archive/{2023 + month // 12}/{month % 12 + 1:02}": Page(
            title=f"Archive of month {month + 1}",
            sentences=english(4, "archive", month),
            links=(Link(href="/archive", text="All months"),),
            language="en",
        )
        for month in range(MONTHS)
    }
    entries = tuple(Link(href=target, text=target[9:]) for target in months)
    return months | {"/archive": Page(title="Archive", links=entries, language="en")}


def _rest() -> dict[str, Page]:
    """About, with and without a slash at its end; the shop's neighbour; a draft that only the sitemap names."""
    about = Page(
        title="About",
        sentences=english(5, "about"),
        links=(Link(href="/about/", text="This page"), Link(href="http://shop.replica/", text="The shop")),
        language="en",
    )
    slash = Page(title="About", canonical=Link(href="/about"), sentences=about.sentences, language="en")
    draft = Page(title="A draft", sentences=english(3, "draft"), language="en")
    search = Page(title="Search", sentences=english(1, "search"), language="en")
    return {"/about": about, "/about/": slash, "/drafts/left-over": draft, "/search?q=rope": search}
