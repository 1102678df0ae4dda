"""The exported Cypher is carried out by an openCypher engine, and the graph is all there."""

from nightjar.application.graph_export import cypher_pieces
from tests.doubles.graph_server import GraphServer
from tests.integration.graph.conftest import HARD_WORDS, site_edges, site_nodes

PAGES = 250


def test_nodes_edges_and_words_arrive_as_they_are(graph_server: GraphServer) -> None:
    graph_server.load("".join(cypher_pieces(site_nodes(PAGES), site_edges(PAGES))))
    nodes = {f"{node.id}": (node.kind.upper(), node.url, node.title, node.type) for node in site_nodes(PAGES)}
    found = graph_server.rows("MATCH (n) RETURN n.id, labels(n)[0], n.url, n.title, n.type")
    assert {row[0]: tuple(row[1:]) for row in found} == nodes
    edges = {(edge.source, edge.target, edge.kind.upper()) for edge in site_edges(PAGES)}
    found = graph_server.rows("MATCH (a)-[e]->(b) RETURN a.id, b.id, type(e)")
    assert len(found) == 5 * PAGES
    assert {tuple(row) for row in found} == edges


def test_loading_twice_changes_nothing(graph_server: GraphServer) -> None:
    pieces = list(cypher_pieces(site_nodes(30), site_edges(30)))
    graph_server.load("".join(pieces))
    graph_server.load("".join(pieces[1:]))
    assert graph_server.rows("MATCH (n) RETURN count(n)") == [[120]]
    assert graph_server.rows("MATCH ()-[e]->() RETURN count(e)") == [[150]]


def test_no_text_can_end_its_literal(graph_server: GraphServer) -> None:
    script = "".join(cypher_pieces(site_nodes(len(HARD_WORDS)), ()))
    assert "\\u" not in script
    assert "\\U" not in script
    graph_server.load(script)
    found = graph_server.rows("MATCH (n:PAGE) RETURN n.title")
    assert sorted(str(row[0]) for row in found) == sorted(HARD_WORDS)
