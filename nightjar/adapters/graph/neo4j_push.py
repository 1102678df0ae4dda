"""Pushes a site's graph into Neo4j with its official driver."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import groupby, islice
from typing import TypeVar

import neo4j
from neo4j.exceptions import AuthError, ClientError, DatabaseError, DriverError, Neo4jError

from nightjar.application.graph_export import merge_edges, merge_nodes
from nightjar.domain.site_graph import EdgeKind, GraphEdge, GraphNode, NodeKind
from nightjar.errors import ErrorCode, GiveUp, RetryLater

T = TypeVar("T")

ROWS_IN_A_STATEMENT = 1_000
CONNECT_SECONDS = 10.0
STATEMENT_SECONDS = 60.0
RETRY_SECONDS = 30.0
"""How long the driver tries a statement again that failed for a passing reason; then the push fails."""

_INDEXES = tuple(f"CREATE INDEX nightjar_{kind}_id IF NOT EXISTS FOR (n:{kind.upper()}) ON (n.id)" for kind in NodeKind)
_INDEXES_WITHOUT_NAMES = tuple(f"CREATE INDEX FOR (n:{kind.upper()}) ON (n.id)" for kind in NodeKind)


class Neo4jGraph:
    """A graph database to push to. Pushing the same graph twice changes nothing. Closed by `close`."""

    def __init__(
        self,
        url: str,
        username: str,
        password: str,
        *,
        rows_in_a_statement: int = ROWS_IN_A_STATEMENT,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._rows = rows_in_a_statement
        self._driver = neo4j.GraphDatabase.driver(
            url,
            auth=(username, password),
            connection_timeout=CONNECT_SECONDS,
            connection_acquisition_timeout=CONNECT_SECONDS,
            max_transaction_retry_time=retry_seconds,
        )

    def close(self) -> None:
        """Give its connections back."""
        self._driver.close()

    def push(self, nodes: Iterable[GraphNode], edges: Iterable[GraphEdge]) -> tuple[int, int]:
        """Merge all nodes and then all edges; how many of each were sent.

        Raises:
            GiveUp: it does not know us, or does not understand what we say.
            RetryLater: it cannot be reached, or did not answer in time.
        """
        try:
            self._make_indexes()
            return self._push_nodes(nodes), self._push_edges(edges)
        except AuthError as error:
            raise GiveUp(
                ErrorCode.INVALID_CREDENTIALS,
                f"Neo4j refuses the login: {error}; check NEO4J_USERNAME and NEO4J_PASSWORD",
            ) from error
        except ClientError as error:
            raise GiveUp(ErrorCode.UPSTREAM_ERROR, f"Neo4j refuses a statement: {error}") from error
        except (DriverError, Neo4jError) as error:
            raise RetryLater(ErrorCode.UPSTREAM_ERROR, f"Neo4j is not to be reached: {error}") from error

    def _push_nodes(self, nodes: Iterable[GraphNode]) -> int:
        sent = 0
        for batch in _batches(nodes, self._rows):
            for kind, of_kind in groupby(sorted(batch, key=lambda node: node.kind), key=lambda node: node.kind):
                rows = [asdict(node) for node in of_kind]
                self._run(f"UNWIND $rows AS row {merge_nodes(kind)}", rows)
                sent += len(rows)
        return sent

    def _push_edges(self, edges: Iterable[GraphEdge]) -> int:
        sent = 0
        for batch in _batches(edges, self._rows):
            for ends, between in groupby(sorted(batch, key=_ends), key=_ends):
                rows = [{"source": edge.source, "target": edge.target} for edge in between]
                self._run(f"UNWIND $rows AS row {merge_edges(*ends)}", rows)
                sent += len(rows)
        return sent

    def _make_indexes(self) -> None:
        """In the dialect of Neo4j, else in that of others. Without an index a push is slow, not wrong."""
        for named, unnamed in zip(_INDEXES, _INDEXES_WITHOUT_NAMES, strict=True):
            if not self._understands(named):
                self._understands(unnamed)

    def _understands(self, statement: str) -> bool:
        try:
            with self._driver.session() as session:
                session.run(neo4j.Query(statement, timeout=STATEMENT_SECONDS)).consume()
        except AuthError:
            raise
        except (ClientError, DatabaseError):
            return False
        return True

    def _run(self, statement: str, rows: list[dict[str, str]]) -> None:
        with self._driver.session() as session:
            session.execute_write(_write, statement, rows)


@neo4j.unit_of_work(timeout=STATEMENT_SECONDS)
def _write(transaction: neo4j.ManagedTransaction, statement: str, rows: list[dict[str, str]]) -> None:
    transaction.run(statement, rows=rows).consume()


def _ends(edge: GraphEdge) -> tuple[NodeKind, NodeKind, EdgeKind]:
    return edge.source_kind, edge.target_kind, edge.kind


def _batches(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, size)):
        yield batch
