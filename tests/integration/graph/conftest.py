"""One graph database for all tests of the folder, and a graph with words that are hard to write."""

from collections.abc import Iterator, Sequence

import pytest

from nightjar.domain.site_graph import EdgeKind, GraphEdge, GraphNode, NodeKind
from tests.doubles.graph_server import GraphServer

HARD_WORDS = (
    "달빛 상점 — 찻잔",
    'it\'s "quoted" `so`',
    "back\\slash \\u0027 \\U0001 \\' \\\\u0027",
    "two\nlines\rand\ttabs; -- // {a: 1}",
    "<b>&amp;</b> ]]> <!-- -->",
    "'}) DETACH DELETE n //",
    "emoji 🕯️ and \u2028 separators",
)


@pytest.fixture(scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphServer]:
    server = GraphServer(tmp_path_factory.mktemp("graph"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def graph_server(_server: GraphServer) -> GraphServer:
    """Empty."""
    _server.empty()
    return _server


PLAIN_WORDS = ("달빛 상점", "Lanterns")


def site_nodes(pages: int, *, words: Sequence[str] = HARD_WORDS, query: str = "q='\\") -> Iterator[GraphNode]:
    for page in range(pages):
        url = f"http://site.example/{page}?{query}"
        yield GraphNode(id=f"{page}", kind=NodeKind.PAGE, url=url, title=words[page % len(words)])
        for section in range(3):
            title = words[(page + section) % len(words)] if section else ""
            yield GraphNode(id=f"{page}-{section}", kind=NodeKind.SECTION, url=url, title=title, type="article")


def site_edges(pages: int) -> Iterator[GraphEdge]:
    for page in range(pages):
        yield GraphEdge(source=f"{page}", target=f"{(page + 1) % pages}", kind=EdgeKind.LINK)
        yield GraphEdge(source=f"{page}", target=f"{(page + 1) % pages}", kind=EdgeKind.CANONICAL)
        yield GraphEdge(source=f"{page}", target=f"{page}-0", kind=EdgeKind.CONTAINS)
        for section in (1, 2):
            yield GraphEdge(
                source=f"{page}-0", target=f"{page}-{section}", kind=EdgeKind.CONTAINS, source_kind=NodeKind.SECTION
            )
