"""Pushes the graph of a crawl into Neo4j.

    python -m infra.local.push_graph TASK_ID

DATABASE_URL says where the crawl is; NEO4J_URL, NEO4J_USERNAME and NEO4J_PASSWORD where the graph goes. Doing it twice
changes nothing.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from uuid import UUID

from nightjar.adapters.graph.neo4j_push import Neo4jGraph
from nightjar.application.site_graphs import graph_edges, graph_nodes
from nightjar.database.engine import Database
from nightjar.errors import NightjarError, NotFound
from nightjar.settings import graph_settings


def push(crawl_id: UUID, environment: Mapping[str, str]) -> tuple[int, int]:
    """Push all nodes and edges of a crawl; how many. Raises BadSettings, NotFound, GiveUp, RetryLater."""
    settings = graph_settings(environment)
    database = Database(settings.database_url, name="push-graph")
    graph = Neo4jGraph(settings.neo4j_url, settings.username, settings.password)
    try:
        with database.transaction() as uow:
            if uow.crawls.get(crawl_id, owner=None) is None:
                raise NotFound(f"there is no crawl {crawl_id}")
        transactions = database.transaction
        return graph.push(graph_nodes(transactions, crawl_id), graph_edges(transactions, crawl_id))
    finally:
        graph.close()
        database.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(prog="push_graph", description="Push the graph of a crawl into Neo4j.")
    parser.add_argument("crawl", type=UUID, help="the task id of the crawl")
    try:
        nodes, edges = push(parser.parse_args(arguments).crawl, os.environ)
    except NightjarError as error:
        print(f"push_graph: {error.message}", file=sys.stderr)
        return 1
    print(f"push_graph: {nodes} nodes and {edges} edges")
    return 0


if __name__ == "__main__":
    sys.exit(main())
