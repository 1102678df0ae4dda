"""What role an element plays: by its tag, its ARIA role, or by what its id and classes are usually called."""

import re
from collections.abc import Mapping
from functools import lru_cache

from selectolax.lexbor import LexborHTMLParser, LexborNode

from nightjar.domain.section import SectionType

Attributes = Mapping[str, str | None]

LANDMARKS = frozenset(
    (
        SectionType.HEADER,
        SectionType.NAV,
        SectionType.MAIN,
        SectionType.ASIDE,
        SectionType.FOOTER,
        SectionType.ARTICLE,
        SectionType.SECTION,
    )
)

BY_TAG = {
    **{str(landmark): landmark for landmark in LANDMARKS},
    "ul": SectionType.LIST,
    "ol": SectionType.LIST,
    "dl": SectionType.LIST,
    "menu": SectionType.LIST,
    "table": SectionType.TABLE,
}

_BY_ARIA_ROLE = {
    "banner": SectionType.HEADER,
    "navigation": SectionType.NAV,
    "main": SectionType.MAIN,
    "complementary": SectionType.ASIDE,
    "contentinfo": SectionType.FOOTER,
    "article": SectionType.ARTICLE,
    "region": SectionType.SECTION,
}

# Words by which authors call the parts of a page; `gnb`, `lnb`, `snb` and `fnb` are the usual names at Korean sites
# for the bars of links above, beside and below the content, `bbs` and `board` for their boards.
_NAMES = {
    SectionType.HEADER: ("header", "head", "masthead", "hd"),
    SectionType.NAV: (
        *("nav", "navi", "navigation", "navbar", "menu", "gnb", "lnb", "snb", "fnb", "tnb", "topmenu", "leftmenu"),
        *("breadcrumb", "breadcrumbs", "pagination", "paging", "paginate", "pager"),
    ),
    SectionType.MAIN: ("main", "content", "contents", "cont", "maincontent"),
    SectionType.ASIDE: ("aside", "side", "sidebar", "sidebanner", "rightside", "leftside"),
    SectionType.FOOTER: ("footer", "foot", "ft", "copyright"),
    SectionType.ARTICLE: ("article", "post", "entry", "hentry", "story", "boardview", "bbsview", "viewcontent"),
}
_BY_NAME = {name: role for role, names in _NAMES.items() for name in names}
_WRAPPERS = frozenset(("wrap", "wrapper", "wr", "area", "box", "inner", "outer", "layout", "page", "site", "global"))
_PARTS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")

_GUESSED_TAGS = frozenset(("div", "td", "ul", "ol", "form", "center"))
_EXPLICIT = {
    role: f"{role}, " + ", ".join(f"[role={aria}]" for aria, named in _BY_ARIA_ROLE.items() if named is role)
    for role in _NAMES
}


def unsaid_roles(document: LexborHTMLParser) -> frozenset[SectionType]:
    """The roles that no element of a document has by its tag or its ARIA role."""
    return frozenset(role for role, said in _EXPLICIT.items() if document.css_first(said) is None)


class Roles:
    """The roles in one document. Names are looked at only for the roles that it never says outright."""

    def __init__(self, document: LexborHTMLParser) -> None:
        self._unsaid = unsaid_roles(document)

    @property
    def guesses(self) -> bool:
        """Whether names are looked at."""
        return bool(self._unsaid)

    def arranges(self, table: LexborNode) -> bool:
        """Whether the cells of a table are parts of a page by their names."""
        cells = table.css("td[id], td[class]") if self._unsaid else []
        names = (name for cell in cells for name in _names(cell.attributes))
        return any(role_of_name(name) in self._unsaid for name in names)

    def of(self, tag: str, attributes: Attributes, *, within: frozenset[SectionType]) -> SectionType | None:
        """The role of an element that stands within sections of these types; None: it has none."""
        aria = (attributes.get("role") or "").strip().lower()
        if aria in {"presentation", "none"}:
            return None
        return _BY_ARIA_ROLE.get(aria) or self._guess(tag, attributes, within) or BY_TAG.get(tag)

    def _guess(self, tag: str, attributes: Attributes, within: frozenset[SectionType]) -> SectionType | None:
        if not self._unsaid or tag not in _GUESSED_TAGS:
            return None
        for name in _names(attributes):
            role = role_of_name(name)
            if role in self._unsaid and _fits(role, within):
                self._unsaid -= {SectionType.MAIN} if role is SectionType.MAIN else frozenset()
                return role
        return None


def _names(attributes: Attributes) -> list[str]:
    return f"{attributes.get('id') or ''} {attributes.get('class') or ''}".split()


@lru_cache(maxsize=4096)
def role_of_name(name: str) -> SectionType | None:
    """What an element of this id or class is usually.

    `siteHeader`, `header-wrap`, `page_header` and `header` say the same; `header-search` says something else.
    """
    parts = [part.lower() for part in _PARTS.findall(name)]
    while len(parts) > 1 and parts[-1] in _WRAPPERS:
        parts.pop()
    if not parts:
        return None
    return _BY_NAME.get("".join(parts)) or _BY_NAME.get(parts[-1])


def _fits(role: SectionType, within: frozenset[SectionType]) -> bool:
    """A guess is held back where it would be odd: a footer within an article, a menu within a menu."""
    if role in {SectionType.HEADER, SectionType.MAIN, SectionType.FOOTER}:
        return not within
    return role not in within
