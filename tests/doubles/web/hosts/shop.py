"""A Korean shop: categories in pages, goods, a board, a guide that goes deep, and a corner with all that is odd."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tests.doubles.web.hosts.shop_oddities import endless, oddities
from tests.doubles.web.hosts.shop_robots import ROBOTS, SITEMAPS, orphans
from tests.doubles.web.page import Link, Page, PageNumbers, Site
from tests.doubles.web.words import korean, product

CATEGORIES: Final = {"light": "조명", "cup": "찻잔", "basket": "바구니", "paper": "종이", "cloth": "천", "wood": "나무",
                     "clay": "도자기", "iron": "쇠붙이", "garden": "정원", "desk": "책상"}  # fmt: skip
ITEMS_PER_CATEGORY: Final = 20
ITEMS_PER_PAGE: Final = 8
POSTS: Final = 45
POSTS_PER_PAGE: Final = 5
GUIDE_LEVELS: Final = 6
COLOURS: Final = ("red", "blue")
COMMON: Final = (
    Link(href="/", text="첫 화면"),
    Link(href="/board", text="소식"),
    Link(href="/member/logout", text="로그아웃", log_out=True),
)
"""The links that every page of the shop has in its head."""


def shop() -> Site:
    """The whole shop."""
    pages = {"/": _home()} | _categories() | _items() | _board() | _guide() | oddities() | orphans()
    return Site(
        name="shop",
        language="ko",
        pages={target: _with_common_links(page) for target, page in pages.items()},
        robots=ROBOTS,
        sitemaps=SITEMAPS,
        made=endless,
        spellings={"/%7Eseller": "/~seller"},
    )


def _with_common_links(page: Page) -> Page:
    if page.content_type != "text/html" or page.location or page.html or page.body is not None:
        return page
    return replace(page, links=(*COMMON, *page.links))


def _home() -> Page:
    links = [Link(href=f"/category/{slug}", text=name) for slug, name in CATEGORIES.items()]
    rest = (("/guide", "길잡이"), ("/odd", "별난 곳"), ("/admin/stock", "재고"), ("/cart", "장바구니"))
    return Page(
        title="바람개비 상점",
        sentences=korean(5, "home"),
        links=(*links, *(Link(href=href, text=text) for href, text in rest), Link(href="http://journal.replica/")),
    )


def _categories() -> dict[str, Page]:
    pages = {}
    for order, (slug, name) in enumerate(CATEGORIES.items()):
        items = [order * ITEMS_PER_CATEGORY + place + 1 for place in range(ITEMS_PER_CATEGORY)]
        last = -(-len(items) // ITEMS_PER_PAGE)
        for page in range(1, last + 1):
            shown = items[(page - 1) * ITEMS_PER_PAGE : page * ITEMS_PER_PAGE]
            pages[category_path(slug, page)] = Page(
                title=f"{name} 모음, {page}쪽",
                sentences=korean(3, "category", slug, page),
                links=(*(_item_link(item) for item in shown), *_numbers(slug, page, last)),
                numbers=PageNumbers(pattern=f"/category/{slug}?page={{page}}", kind="query", current=page, total=last),
            )
    return pages


def category_path(slug: str, page: int) -> str:
    """The first page of a category has no number in its address."""
    return f"/category/{slug}" if page == 1 else f"/category/{slug}?page={page}"


def _numbers(slug: str, page: int, last: int) -> list[Link]:
    links = [Link(href=category_path(slug, other), text=str(other)) for other in range(1, last + 1) if other != page]
    if page < last:
        links.append(Link(href=category_path(slug, page + 1), text="다음", rel="next"))
    links.append(Link(href=f"/category/{slug}?sort=price", text="값싼 것부터"))
    return links


def _item_link(item: int) -> Link:
    if item % 9 == 0:
        return Link(href=f"/item/{item}?utm_source=list&utm_medium=card", text=product(item), to=f"/item/{item}")
    return Link(href=f"/item/{item}", text=product(item))


def _items() -> dict[str, Page]:
    count = len(CATEGORIES) * ITEMS_PER_CATEGORY
    pages = {}
    for item in range(1, count + 1):
        colours = COLOURS if item % 7 == 0 else ()
        other = item % count + 1
        links = [Link(href=f"/item/{item}?color={colour}", text=colour) for colour in colours]
        links.append(Link(href=f"/item/{other}#review-{item}", text=product(other), to=f"/item/{other}"))
        if item % 10 == 0:
            links.append(Link(href=f"/item/{item}/reviews", text="후기"))
            pages[f"/item/{item}/reviews"] = Page(
                title=f"{product(item)} 후기",
                sentences=korean(6, "reviews", item),
                links=(Link(href=f"/item/{item}", text="물건으로"),),
            )
        page = Page(title=product(item), sentences=korean(6, "item", item), links=tuple(links))
        pages[f"/item/{item}"] = page
        for colour in colours:
            pages[f"/item/{item}?color={colour}"] = replace(page, canonical=Link(href=f"/item/{item}"))
    return pages


def _board() -> dict[str, Page]:
    last = -(-POSTS // POSTS_PER_PAGE)
    pages = {}
    for page in range(1, last + 1):
        posts = range((page - 1) * POSTS_PER_PAGE + 1, min(page * POSTS_PER_PAGE, POSTS) + 1)
        links = [Link(href=f"/board/post/{post}", text=korean(1, "post title", post)[0]) for post in posts]
        links += [Link(href=board_path(other), text=str(other)) for other in range(1, last + 1) if other != page]
        pages[board_path(page)] = Page(
            title=f"소식 {page}쪽",
            sentences=korean(2, "board", page),
            links=tuple(links),
            numbers=PageNumbers(pattern="/board/page/{page}", kind="path", current=page, total=last),
        )
    for post in range(1, POSTS + 1):
        pages[f"/board/post/{post}"] = Page(
            title=korean(1, "post title", post)[0],
            sentences=korean(8, "post", post),
            links=(Link(href="/board", text="목록"),),
        )
    return pages


def board_path(page: int) -> str:
    """The first page of the board is the board."""
    return "/board" if page == 1 else f"/board/page/{page}"


def _guide() -> dict[str, Page]:
    """A tree, two branches wide, whose leaves are six hops from the home page."""
    pages = {"/guide": Page(title="길잡이", sentences=korean(3, "guide"), links=_branches("/guide"))}
    level = ["/guide/a", "/guide/b"]
    for depth in range(2, GUIDE_LEVELS + 1):
        for path in level:
            links = _branches(path) if depth < GUIDE_LEVELS else (Link(href="/guide", text="처음으로"),)
            pages[path] = Page(title=f"길잡이 {path[7:]}", sentences=korean(4, path), links=links)
        level = [link.href for path in level for link in pages[path].links if link.href != "/guide"]
    return pages


def _branches(path: str) -> tuple[Link, ...]:
    return tuple(Link(href=f"{path}/{branch}", text=f"{branch} 갈래") for branch in "ab")
