"""The graph of a site as JSON and GraphML: right, and written without holding it."""

import io
import json
import tracemalloc
from collections.abc import Callable, Iterable, Iterator

import networkx as nx
import pytest

from nightjar.application.graph_export import cypher_pieces, cypher_string, graphml_pieces, json_pieces
from nightjar.domain.site_graph import EdgeKind, GraphEdge, GraphNode, NodeKind
from tests.integration.graph.conftest import site_edges, site_nodes

Writer = Callable[[Iterable[GraphNode], Iterable[GraphEdge]], Iterator[str]]
PAGES = 250


def test_json_has_the_fields_that_clients_know() -> None:
    graph = json.loads("".join(json_pieces(site_nodes(PAGES), site_edges(PAGES))))
    assert len(graph["nodes"]) == 4 * PAGES
    assert len(graph["edges"]) == 5 * PAGES
    assert graph["nodes"][0] == {
        "id": "0",
        "kind": "page",
        "url": "http://site.example/0?q='\\",
        "title": "달빛 상점 — 찻잔",
    }
    assert graph["edges"][2] == {"source": "0", "target": "0-0", "kind": "contains"}


def test_an_empty_graph_is_a_graph_too() -> None:
    assert json.loads("".join(json_pieces((), ()))) == {"nodes": [], "edges": []}
    assert nx.read_graphml(io.BytesIO("".join(graphml_pieces((), ())).encode())).number_of_nodes() == 0


def test_networkx_loads_the_graphml_with_all_nodes_edges_and_words() -> None:
    text = "".join(graphml_pieces(site_nodes(PAGES), site_edges(PAGES)))
    graph = nx.read_graphml(io.BytesIO(text.encode()))
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (4 * PAGES, 5 * PAGES)
    for node in site_nodes(PAGES):
        assert graph.nodes[node.id].get("title", "") == node.title
        assert graph.nodes[node.id]["url"] == node.url
    kinds = sorted(data["kind"] for _, _, data in graph.edges(data=True))
    assert kinds == sorted(edge.kind for edge in site_edges(PAGES))


def test_characters_that_xml_cannot_hold_are_left_out() -> None:
    node = GraphNode(id="1", kind=NodeKind.PAGE, url="http://e.example/", title="a\x00b\x0bc\ufffed\x1b")
    graph = nx.read_graphml(io.BytesIO("".join(graphml_pieces([node], ())).encode()))
    assert graph.nodes["1"]["title"] == "abcd"


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("it's", r"'it\'s'"),
        ("a\\b", r"'a\\b'"),
        ("a\\u0027", r"'a\\' + 'u0027'"),
        ("a\nb", r"'a\nb'"),
        ("a\x00b", "'ab'"),
        ("", "''"),
    ],
)
def test_cypher_literals(text: str, literal: str) -> None:
    assert cypher_string(text) == literal


@pytest.mark.parametrize("writer", [json_pieces, graphml_pieces, cypher_pieces])
def test_memory_does_not_grow_with_the_graph(writer: Writer) -> None:
    edges = (GraphEdge(source=f"{n}", target=f"{n + 1}", kind=EdgeKind.LINK) for n in range(30_000))
    tracemalloc.start()
    written = sum(len(piece) for piece in writer(site_nodes(2_000), edges))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert written > 1_500_000
    assert peak < 1_000_000
