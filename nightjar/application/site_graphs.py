"""The graph of a crawl, read from the database in pages: never more than one of them in memory."""

from collections.abc import Iterator
from uuid import UUID

from nightjar.database.engine import Transactions
from nightjar.database.page_links import START as FIRST_LINK
from nightjar.database.sections import START as FIRST_SECTION
from nightjar.database.sections import StoredSection
from nightjar.domain.section import section_id
from nightjar.domain.site_graph import EdgeKind, GraphEdge, GraphNode, NodeKind

ROWS = 1_000
"""Of one statement."""


def graph_nodes(transactions: Transactions, crawl_id: UUID) -> Iterator[GraphNode]:
    """All pages of a crawl, then all their sections."""
    after = 0
    while True:
        with transactions() as uow:
            pages = uow.page_links.pages(crawl_id, after=after, limit=ROWS)
        for page in pages:
            yield GraphNode(id=str(page.id), kind=NodeKind.PAGE, url=page.url, title=page.title)
        if len(pages) < ROWS:
            break
        after = pages[-1].id
    for section in _sections(transactions, crawl_id):
        yield GraphNode(
            id=section.id,
            kind=NodeKind.SECTION,
            url=section.page_url,
            title=section.heading or "",
            type=section.type,
        )


def graph_edges(transactions: Transactions, crawl_id: UUID) -> Iterator[GraphEdge]:
    """Which page leads to which, then what contains what."""
    after = FIRST_LINK
    while True:
        with transactions() as uow:
            links = uow.page_links.page(crawl_id, after=after, limit=ROWS)
        for link in links:
            yield GraphEdge(source=str(link.source_id), target=str(link.target_id), kind=EdgeKind(link.kind))
        if len(links) < ROWS:
            break
        after = links[-1].source_id, links[-1].target_id, links[-1].kind
    for section in _sections(transactions, crawl_id):
        is_top = section.parent is None
        yield GraphEdge(
            source=str(section.page_id) if section.parent is None else section_id(section.page_id, section.parent),
            target=section.id,
            kind=EdgeKind.CONTAINS,
            source_kind=NodeKind.PAGE if is_top else NodeKind.SECTION,
        )


def _sections(transactions: Transactions, crawl_id: UUID) -> Iterator[StoredSection]:
    after = FIRST_SECTION
    while True:
        with transactions() as uow:
            sections = uow.sections.page(crawl_id, after=after, limit=ROWS, texts=False)
        yield from sections
        if len(sections) < ROWS:
            return
        after = sections[-1].page_id, sections[-1].position
