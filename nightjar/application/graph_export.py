"""A site's graph as JSON, GraphML and Cypher, written as it is read: memory does not grow with the graph.

Each writer takes the nodes first and then the edges, each once, and gives pieces of text to send one after the other.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from html import escape
from itertools import groupby, islice
from typing import TypeVar

from nightjar.domain.site_graph import EdgeKind, GraphEdge, GraphNode, NodeKind

T = TypeVar("T")

ROWS_IN_A_PIECE = 200
"""Nodes or edges in a piece of text; in Cypher also those of one statement."""

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_IN_CYPHER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")

_GRAPHML_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns"
         xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
         xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
<key id="kind" for="node" attr.name="kind" attr.type="string"/>
<key id="url" for="node" attr.name="url" attr.type="string"/>
<key id="title" for="node" attr.name="title" attr.type="string"/>
<key id="type" for="node" attr.name="type" attr.type="string"/>
<key id="relation" for="edge" attr.name="kind" attr.type="string"/>
<graph id="site" edgedefault="directed">
"""
_GRAPHML_END = "</graph>\n</graphml>\n"

# Without the two indexes every edge would look through all nodes. Statements end at a semicolon with a line break, and
# no text holds a raw line break.
_CYPHER_HEAD = """// Loading twice changes nothing; where the two indexes exist already, leave their statements out.
CREATE INDEX FOR (n:PAGE) ON (n.id);
CREATE INDEX FOR (n:SECTION) ON (n.id);
"""


def json_pieces(nodes: Iterable[GraphNode], edges: Iterable[GraphEdge]) -> Iterator[str]:
    """`{"nodes": [{id, kind, url, title}], "edges": [{source, target, kind}]}`."""
    yield '{"nodes": ['
    yield from _joined(nodes, _json_node)
    yield '],\n"edges": ['
    yield from _joined(edges, _json_edge)
    yield "]}\n"


def graphml_pieces(nodes: Iterable[GraphNode], edges: Iterable[GraphEdge]) -> Iterator[str]:
    """GraphML 1.0. Characters that XML cannot hold are left out."""
    yield _GRAPHML_HEAD
    for batch in _batches(nodes):
        yield "".join(map(_graphml_node, batch))
    for some in _batches(edges):
        yield "".join(map(_graphml_edge, some))
    yield _GRAPHML_END


def cypher_pieces(nodes: Iterable[GraphNode], edges: Iterable[GraphEdge]) -> Iterator[str]:
    """Statements in openCypher, one a piece: PAGE and SECTION nodes; LINK, CANONICAL and CONTAINS between them."""
    yield _CYPHER_HEAD
    for batch in _batches(nodes):
        for kind, of_kind in groupby(sorted(batch, key=lambda node: node.kind), key=lambda node: node.kind):
            yield f"UNWIND [{', '.join(map(_cypher_node, of_kind))}] AS row {merge_nodes(kind)};\n"
    for some in _batches(edges):
        for ends, between in groupby(sorted(some, key=_ends), key=_ends):
            yield f"UNWIND [{', '.join(map(_cypher_edge, between))}] AS row {merge_edges(*ends)};\n"


def merge_nodes(kind: NodeKind) -> str:
    """What makes or updates the node of a `row` with id, url, title and type."""
    return (
        f"MERGE (n:{kind.upper()} {{id: row.id}}) SET n.kind = '{kind}', n.url = row.url, n.title = row.title, "
        "n.type = row.type"
    )


def merge_edges(source: NodeKind, target: NodeKind, kind: EdgeKind) -> str:
    """What makes the edge of a `row` with source and target, unless it is there."""
    return (
        f"MATCH (a:{source.upper()} {{id: row.source}}), (b:{target.upper()} {{id: row.target}}) "
        f"MERGE (a)-[:{kind.upper()}]->(b)"
    )


def _ends(edge: GraphEdge) -> tuple[NodeKind, NodeKind, EdgeKind]:
    return edge.source_kind, edge.target_kind, edge.kind


def _batches(rows: Iterable[T]) -> Iterator[list[T]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, ROWS_IN_A_PIECE)):
        yield batch


def _joined(rows: Iterable[T], written: Callable[[T], str]) -> Iterator[str]:
    separator = "\n"
    for batch in _batches(rows):
        yield separator + ",\n".join(map(written, batch))
        separator = ",\n"


def _json_node(node: GraphNode) -> str:
    return json.dumps({"id": node.id, "kind": node.kind, "url": node.url, "title": node.title}, ensure_ascii=False)


def _json_edge(edge: GraphEdge) -> str:
    return json.dumps({"source": edge.source, "target": edge.target, "kind": edge.kind}, ensure_ascii=False)


def _xml(text: str) -> str:
    return escape(_NOT_IN_XML.sub("", text)).replace("\r", "&#13;")


def _graphml_node(node: GraphNode) -> str:
    data = {"kind": node.kind, "url": node.url, "title": node.title, "type": node.type}
    inner = "".join(f'<data key="{key}">{_xml(value)}</data>' for key, value in data.items() if value)
    return f'<node id="{_xml(node.id)}">{inner}</node>\n'


def _graphml_edge(edge: GraphEdge) -> str:
    ends = f'source="{_xml(edge.source)}" target="{_xml(edge.target)}"'
    return f'<edge {ends}><data key="relation">{edge.kind}</data></edge>\n'


def _cypher_node(node: GraphNode) -> str:
    said = {"id": node.id, "url": node.url, "title": node.title, "type": node.type}
    return "{" + ", ".join(f"{name}: {cypher_string(value)}" for name, value in said.items()) + "}"


def _cypher_edge(edge: GraphEdge) -> str:
    return f"{{source: {cypher_string(edge.source)}, target: {cypher_string(edge.target)}}}"


def cypher_string(text: str) -> str:
    r"""The text as a Cypher literal.

    Some engines resolve `\u0027` before they read strings, some never: no backslash is ever followed by a `u`.
    """
    plain = _NOT_IN_CYPHER.sub("", text).replace("\\", "\\\\").replace("'", "\\'")
    plain = plain.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return "'" + re.sub(r"\\(?=[uU])", r"\\' + '", plain) + "'"
