"""The graph of a crawled site: pages and their sections, what contains what, and which page leads to which."""

from dataclasses import dataclass
from enum import StrEnum


class NodeKind(StrEnum):
    """What a node is."""

    PAGE = "page"
    SECTION = "section"


class EdgeKind(StrEnum):
    """What an edge says: a link, a canonical address, or that a page or section contains a section."""

    LINK = "link"
    CANONICAL = "canonical"
    CONTAINS = "contains"


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphNode:
    """A page, or a section of one. Its id stays the same as long as the page is not read anew."""

    id: str
    kind: NodeKind
    url: str
    """Of the page."""

    title: str
    """Of a section its heading; empty if it has none."""

    type: str = ""
    """Of a section its role on the page, such as `nav`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphEdge:
    """An edge between two nodes, by their ids. The kinds of its ends follow from its own for all but `contains`."""

    source: str
    target: str
    kind: EdgeKind
    source_kind: NodeKind = NodeKind.PAGE

    @property
    def target_kind(self) -> NodeKind:
        """Only sections are contained, only pages are linked to."""
        return NodeKind.SECTION if self.kind is EdgeKind.CONTAINS else NodeKind.PAGE
