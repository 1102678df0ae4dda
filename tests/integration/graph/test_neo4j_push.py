"""The official driver pushes a graph, over Bolt, into a database that is really there."""

import socket
from collections.abc import Iterator

import pytest

from nightjar.adapters.graph.neo4j_push import Neo4jGraph
from nightjar.domain.site_graph import GraphNode
from nightjar.errors import RetryLater
from tests.doubles.graph_server import PASSWORD, USERNAME, GraphServer
from tests.integration.graph.conftest import PLAIN_WORDS, site_edges, site_nodes

PAGES = 60


def _nodes() -> Iterator[GraphNode]:
    """With plain words: the engine's Bolt does not quote the values that it is given."""
    return site_nodes(PAGES, words=PLAIN_WORDS, query="q=1")


def test_a_pushed_graph_is_all_there_and_pushing_it_again_changes_nothing(graph_server: GraphServer) -> None:
    graph = Neo4jGraph(graph_server.bolt_url, USERNAME, PASSWORD, rows_in_a_statement=10, retry_seconds=2)
    try:
        for _ in range(2):
            assert graph.push(_nodes(), site_edges(PAGES)) == (4 * PAGES, 5 * PAGES)
        # Before the connection is closed: the engine answers nobody for half a minute after that.
        assert graph_server.rows("MATCH (n:SECTION) RETURN count(n)") == [[3 * PAGES]]
        assert graph_server.rows("MATCH ()-[e:CONTAINS]->() RETURN count(e)") == [[3 * PAGES]]
        found = graph_server.rows("MATCH (n) RETURN DISTINCT n.title")
    finally:
        graph.close()
    assert {row[0] for row in found} == {node.title for node in _nodes()}


def test_a_database_that_is_not_there_is_a_passing_fault() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        graph = Neo4jGraph(f"bolt://127.0.0.1:{bound.getsockname()[1]}", "neo4j", "secret", retry_seconds=1)
        try:
            with pytest.raises(RetryLater, match="not to be reached") as raised:
                graph.push(site_nodes(1), ())
        finally:
            graph.close()
    assert "secret" not in str(raised.value)
