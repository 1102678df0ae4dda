"""The robots.txt variants of the shop, its sitemaps, and the pages that only those name."""

from __future__ import annotations

from typing import Final

from tests.doubles.web.page import Link, Page, Robots, Sitemap
from tests.doubles.web.words import korean

ORPHANS: Final = 8

_TEXT: Final = """# 바람개비 상점
User-agent: otherbot
Disallow: /

User-agent: *
Disallow: /admin/
Allow: /admin/help
Disallow: /cart
Disallow: /*?sort=
Disallow: /*&sort=
Disallow: /secret$
Disallow: /비공개/
Disallow: /deep/*/draft

Sitemap: http://shop.replica/sitemap-index.xml
"""
_NAMED: Final = """User-agent: *
Disallow: /

User-agent: Nightjar
Disallow: /board/
Crawl-delay: 1
"""


def _usual(target: str) -> bool:
    """What the usual text keeps out, told by hand."""
    path = target.partition("?")[0]
    if path.startswith("/admin/"):
        return not path.startswith("/admin/help")
    return (
        path.startswith(("/cart", "/%EB%B9%84%EA%B3%B5%EA%B0%9C/"))
        or target == "/secret"
        or "?sort=" in target
        or "&sort=" in target
        or (path.startswith("/deep/") and "/draft" in path)
    )


ROBOTS: Final = {
    "default": Robots(text=_TEXT, disallows=_usual),
    "crawl-delay": Robots(text=_TEXT.replace("User-agent: *", "User-agent: *\nCrawl-delay: 1"),
                          disallows=_usual, crawl_delay=1.0),
    "fraction": Robots(text="User-agent: *\nCrawl-delay: 0.3\n", crawl_delay=0.3),
    "endless-delay": Robots(text="User-agent: *\nCrawl-delay: 86400\n", crawl_delay=86_400.0),
    "named": Robots(text=_NAMED, disallows=lambda target: target.startswith("/board/"), crawl_delay=1.0),
    "all": Robots(text="User-agent: *\nDisallow: /\n", disallows=lambda _: True),
    "empty": Robots(text=""),
    "missing": Robots(status=404),
    "gone": Robots(status=410),
    "forbidden": Robots(status=403),
    "broken": Robots(status=500, unavailable=True, disallows=lambda _: True),
    "busy": Robots(status=503, unavailable=True, disallows=lambda _: True),
    "moved": Robots(status=301, location="/robots-moved.txt", text=_TEXT, disallows=_usual),
    "circle": Robots(status=302, location="/robots.txt"),
    "slow": Robots(text=_TEXT, disallows=_usual, delay=1.5),
    "byte-order-mark": Robots(text="\ufeffUser-agent: *\nDisallow: /board/\n",
                              disallows=lambda target: target.startswith("/board/")),
    "carriage-returns": Robots(text="User-agent: *\rDisallow: /board/\r",
                               disallows=lambda target: target.startswith("/board/")),
    "huge": Robots(text="User-agent: *\nDisallow: /board/\n" + "# filling\n" * 200_000,
                   disallows=lambda target: target.startswith("/board/")),
    "page": Robots(text="<!doctype html><title>상점</title><p>여기에는 규칙이 없습니다."),
}  # fmt: skip
"""Selected by the control port. `circle` redirects to itself: RFC 9309 calls that unavailable and allows all."""

SITEMAPS: Final = {
    "/sitemap-index.xml": Sitemap(
        children=("/sitemap-pages.xml", "/sitemap-items.xml.gz", "/sitemap-more.txt", "/sitemap-lost.xml")
    ),
    "/sitemap-pages.xml": Sitemap(pages=("/", "/board", "/guide", *(f"/orphan/{one}" for one in range(1, 5)))),
    "/sitemap-items.xml.gz": Sitemap(
        pages=(*(f"/item/{item}" for item in range(1, 31)), "/orphan/5", "/admin/orphan", "/orphan/6?a=1&b=2"),
        packed=True,
    ),
    "/sitemap-more.txt": Sitemap(pages=("/orphan/7", "/orphan/8", "/orphan/lost"), plain=True),
}
"""`/sitemap-lost.xml` answers 404."""


def orphans() -> dict[str, Page]:
    """Pages that no link leads to but those of each other: the sitemap alone names them."""
    pages = {
        target: Page(
            title=f"외딴 글 {target[8]}",
            sentences=korean(4, target),
            links=(Link(href=f"/hidden/{target[8]}", text="더 깊은 곳"),),
        )
        for target in (*(f"/orphan/{one}" for one in (1, 2, 3, 4, 5, 7, 8)), "/orphan/6?a=1&b=2")
    }
    hidden = {f"/hidden/{one}": Page(title=f"숨은 글 {one}", sentences=korean(2, "hidden", one)) for one in range(1, 9)}
    return pages | hidden | {"/admin/orphan": Page(title="관리", sentences=korean(2, "admin"))}
