"""What a page is made of: parts with a role, in a tree."""

from dataclasses import dataclass
from enum import StrEnum


class SectionType(StrEnum):
    """The role of a part of a page. A `heading` holds what follows it, as far as it governs it."""

    HEADER = "header"
    NAV = "nav"
    MAIN = "main"
    ASIDE = "aside"
    FOOTER = "footer"
    ARTICLE = "article"
    SECTION = "section"
    HEADING = "heading"
    LIST = "list"
    TABLE = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a page. A text of the page stands in one section, the innermost one."""

    position: int
    """In document order, from 0; it names the section within its page."""

    parent: int | None
    """Position of the section around it; None at the top."""

    type: SectionType
    heading: str | None
    """Of a `heading` its words; of a landmark those of its first heading that is in no landmark within; of a table its
    caption."""

    level: int | None
    """Of the heading, 1 to 6."""

    text: str
    """A line for each block, item or row; cells are parted by tabs."""

    path: str
    """From the top: types with their number among the siblings of that type, such as `main[1]/article[2]`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionLink:
    """A link of a page, and the section that it stands in (None: in no section)."""

    url: str
    text: str
    rel: str
    section: int | None


def section_id(page_id: int, position: int) -> str:
    """The id of a section beyond its page: it stays as long as the page is not read anew."""
    return f"{page_id}-{position}"
