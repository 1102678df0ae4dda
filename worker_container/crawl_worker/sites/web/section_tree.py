"""From a parsed document to its tree of sections and to its links, in one walk that does not recurse.

Landmarks (header, nav, main, article ...) are nested as they are in the document. A heading governs what follows it,
up to the next heading of its rank or above, or to the end of the landmark, list item or cell that it stands in.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import ada_url
from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawl_worker.sites.web.roles import LANDMARKS, Roles
from crawl_worker.sites.web.section_text import SectionText, one_line
from nightjar.domain.section import Section, SectionLink, SectionType

MAX_SECTIONS = 5_000
MAX_LINKS = 5_000
MAX_OPEN_SECTIONS = 50
MAX_HEADING = 500
MAX_LINK_TEXT = 200
"""All that goes beyond belongs to the section around it, or is cut off. Characters, where texts are meant."""

_UNREAD = frozenset(
    (
        *("script", "style", "noscript", "template", "svg", "math", "iframe", "object", "canvas", "head", "select"),
        *("textarea", "datalist", "video", "audio", "-comment", "!doctype"),
    )
)
_INLINE = frozenset(
    (
        *("a", "abbr", "b", "bdi", "bdo", "big", "button", "cite", "code", "data", "del", "dfn", "em", "font", "i"),
        *("img", "input", "ins", "kbd", "label", "mark", "picture", "q", "ruby", "rp", "rt", "s", "samp", "small"),
        *("span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr"),
    )
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_ITEMS = frozenset(("li", "dt", "dd", "td", "th"))
_NOT_IN_DATA = "table, h1, h2, h3, h4, h5, h6, ul, ol, form, article, section, nav, main"
"""A table that holds one of these arranges a page; it says nothing itself."""

_NOTHING: frozenset[SectionType] = frozenset()
_CELLS_OF_DATA = 2
_TAKES_HEADING_OF_ITS_HEADER = frozenset(
    (SectionType.ARTICLE, SectionType.SECTION, SectionType.MAIN, SectionType.ASIDE, SectionType.NAV)
)


@dataclass(frozen=True, slots=True)
class SectionTree:
    """The sections of a document in its order, and its links."""

    sections: tuple[Section, ...]
    links: tuple[SectionLink, ...]


def section_tree(document: LexborHTMLParser, base_url: str) -> SectionTree:
    """The tree of a document; its addresses are resolved against `base_url`. Takes time linear in its size."""
    walk = _Walk(Roles(document), base_url)
    if document.body is not None:
        _visit(document.body, walk)
    return SectionTree(tuple(part.section() for part in walk.parts), tuple(walk.links))


def _visit(top: LexborNode, walk: "_Walk") -> None:
    """Enter and leave every node below `top`, in document order."""
    node = top.child
    entered: list[LexborNode] = []
    while node is not None:
        child = node.child if walk.enter(node) else None
        if child is not None:
            entered.append(node)
            node = child
            continue
        walk.leave()
        following = node.next
        while following is None and entered:
            following = entered.pop().next
            walk.leave()
        node = following


@dataclass(slots=True, kw_only=True)
class _Part:
    """A section while it is open."""

    position: int
    parent: "_Part | None"
    type: SectionType
    path: str
    heading: str | None = None
    level: int | None = None
    implied: bool = False
    text: SectionText
    children: dict[SectionType, int]

    def section(self) -> Section:
        return Section(
            position=self.position,
            parent=self.parent.position if self.parent else None,
            type=self.type,
            heading=self.heading,
            level=self.level,
            text=self.text.plain(),
            path=self.path,
        )


@dataclass(slots=True)
class _Entered:
    """What leaving an element has to undo: how many parts stay open, and whether a block, item or heading ends."""

    open_parts: int
    block: bool = False
    floor: int | None = None
    heading: bool = False


class _Walk:
    """The state of a walk: open parts from the outside in, and the least number of them that a heading must keep."""

    def __init__(self, roles: Roles, base_url: str) -> None:
        self.parts: list[_Part] = []
        self.links: list[SectionLink] = []
        self._roles = roles
        self._base_url = base_url
        self._open: list[_Part] = []
        self._entered: list[_Entered] = []
        self._floor = 0
        self._in_heading = False
        self._roots: dict[SectionType, int] = {}

    def enter(self, node: LexborNode) -> bool:
        """Take a node in; whether what is below it is to be visited. `leave` must follow either way."""
        tag = node.tag or ""
        entered = _Entered(len(self._open))
        self._entered.append(entered)
        if tag == "-text":
            self._say(node.text_content or "")
            return False
        if tag in _UNREAD:
            return False
        if tag == "br":
            self._break()
            return False
        if tag in _INLINE:
            return self._enter_inline(tag, node)
        return self._enter_block(tag, node, entered)

    def leave(self) -> None:
        """The node entered last, and not left yet, ends."""
        entered = self._entered.pop()
        if entered.heading:
            self._in_heading = False
            return
        if entered.floor is not None:
            del self._open[entered.open_parts :]
            self._floor = entered.floor
        if entered.block:
            self._break()

    def _enter_inline(self, tag: str, node: LexborNode) -> bool:
        if tag == "a":
            self._take_link(node)
        return True

    def _enter_block(self, tag: str, node: LexborNode, entered: _Entered) -> bool:
        attributes = node.attributes
        if "hidden" in attributes:
            return False
        if tag == "caption" and self._open and self._open[-1].type is SectionType.TABLE:
            self._open[-1].heading = _words_of(node) or None
            return False
        level = _heading_level(tag, attributes)
        if level is not None and not self._in_heading and (words := _words_of(node)):
            self._open_heading(level, words)
            entered.heading = True
            return True
        self._break()
        entered.block = True
        if self._in_heading:
            return True
        role = self._roles.of(tag, attributes, within=self._within())
        if role is not None and self._may_open(role, node):
            self._enter_part(role, entered)
        elif tag in _ITEMS:
            self._enter_item(node, entered)
        return True

    def _enter_part(self, role: SectionType, entered: _Entered) -> None:
        """Landmarks belong to the landmark, item or cell around them, all else to the heading that governs it."""
        self._close_implied()
        entered.open_parts, entered.floor = len(self._open), self._floor
        kept = self._open[: self._floor] if role in LANDMARKS else self._open
        self._add(role, kept[-1] if kept else None)
        self._floor = len(self._open)

    def _enter_item(self, node: LexborNode, entered: _Entered) -> None:
        self._close_implied()
        entered.open_parts, entered.floor = len(self._open), self._floor
        self._floor = len(self._open)
        if self._open and self._open[-1].type is SectionType.TABLE and _follows_a_cell(node):
            self._open[-1].text.next_cell()

    def _within(self) -> frozenset[SectionType]:
        if not self._roles.guesses:
            return _NOTHING
        return frozenset(part.type for part in self._open if part.type in LANDMARKS and not part.implied)

    def _may_open(self, role: SectionType, node: LexborNode) -> bool:
        if len(self.parts) >= MAX_SECTIONS or len(self._open) >= MAX_OPEN_SECTIONS:
            return False
        return role is not SectionType.TABLE or (_is_data(node) and not self._roles.arranges(node))

    def _add(self, role: SectionType, parent: "_Part | None") -> _Part:
        siblings = parent.children if parent else self._roots
        siblings[role] = siblings.get(role, 0) + 1
        step = f"{role}[{siblings[role]}]"
        part = _Part(
            position=len(self.parts),
            parent=parent,
            type=role,
            path=f"{parent.path}/{step}" if parent else step,
            text=SectionText(),
            children={},
        )
        self.parts.append(part)
        self._open.append(part)
        return part

    def _open_heading(self, level: int, words: str) -> None:
        self._in_heading = True
        if len(self.parts) >= MAX_SECTIONS or len(self._open) >= MAX_OPEN_SECTIONS:
            self._say(words)
            return
        self._close_implied()
        while len(self._open) > self._floor and (self._open[-1].level or 0) >= level:
            self._open.pop()
        self._give_heading(level, words)
        part = self._add(SectionType.HEADING, self._open[-1] if self._open else None)
        part.heading, part.level = words, level

    def _give_heading(self, level: int, words: str) -> None:
        """A landmark without a heading takes its first; that of an article's header is the article's too."""
        around = [part for part in self._open[: self._floor] if part.type in LANDMARKS]
        taker = around.pop() if around else None
        while taker is not None and taker.heading is None:
            taker.heading, taker.level = words, level
            is_header = taker.type is SectionType.HEADER
            taker = around.pop() if is_header and around else None
            if taker is not None and taker.type not in _TAKES_HEADING_OF_ITS_HEADER:
                taker = None

    def _close_implied(self) -> None:
        if self._open and self._open[-1].implied:
            self._open.pop()

    def _say(self, words: str) -> None:
        if self._in_heading:
            return
        if not self._open:
            if not words.strip() or len(self.parts) >= MAX_SECTIONS:
                return
            self._add(SectionType.SECTION, None).implied = True
        self._open[-1].text.say(words)

    def _break(self) -> None:
        if self._open and not self._in_heading:
            self._open[-1].text.next_line()

    def _take_link(self, node: LexborNode) -> None:
        attributes = node.attributes
        href = (attributes.get("href") or "").strip()
        if not href or href.startswith("#") or len(self.links) >= MAX_LINKS:
            return
        url = resolved(href, self._base_url)
        if url is not None:
            position = self._open[-1].position if self._open else None
            rel = (attributes.get("rel") or "").lower()
            self.links.append(SectionLink(url=url, text=_words_of(node)[:MAX_LINK_TEXT], rel=rel, section=position))


def resolved(href: str, base_url: str) -> str | None:
    """The address that a link leads to, without its fragment; None unless it is one of the web."""
    try:
        url = str(ada_url.join_url(base_url, href))
    except ValueError:
        return None
    return url.partition("#")[0] if url.startswith(("http://", "https://")) else None


def _heading_level(tag: str, attributes: Mapping[str, str | None]) -> int | None:
    if tag in _HEADINGS:
        return _HEADINGS[tag]
    if attributes.get("role") != "heading":
        return None
    said = attributes.get("aria-level") or ""
    return int(said) if said in {"1", "2", "3", "4", "5", "6"} else 2


def _words_of(node: LexborNode) -> str:
    """The text of a heading or link; of one that is a picture, what the picture stands for."""
    words = one_line(node.text(deep=True, separator=" "))
    if not words:
        picture = node.css_first("img[alt]")
        words = one_line(picture.attributes.get("alt") or "") if picture is not None else ""
    return words[:MAX_HEADING]


def _follows_a_cell(cell: LexborNode) -> bool:
    before = cell.prev
    while before is not None and not before.is_element_node:
        before = before.prev
    return before is not None


def _is_data(table: LexborNode) -> bool:
    if len(table.css("td, th")) < _CELLS_OF_DATA:
        return False
    group = table.child
    while group is not None:
        if group.is_element_node and group.css_first(_NOT_IN_DATA) is not None:
            return False
        group = group.next
    return True
