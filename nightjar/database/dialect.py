"""The part of SQLAlchemy's PostgreSQL dialect that SQL as text needs.

The whole one makes every process that talks to Postgres load the dialects of all other drivers, type compilers and the
catalogue, and ask three questions on the first connection, for types and reflection that are never used here: 25 ms of
a cold start.
"""

from types import ModuleType
from typing import Any

from sqlalchemy import URL
from sqlalchemy.dialects import registry
from sqlalchemy.engine import Connection
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql.compiler import IdentifierPreparer

DRIVER_NAME = "nightjar+pg8000"
"""What stands before :// in the URL of an engine that is to use this dialect."""


class _Preparer(IdentifierPreparer):
    """The driver takes a percent sign for what it is: it is not to be doubled."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._double_percents = False


class TextDialect(DefaultDialect):
    """SQL as text over pg8000, nothing else."""

    name = "postgresql"
    driver = "pg8000"
    default_paramstyle = "format"
    preparer = _Preparer
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        """The driver."""
        import pg8000  # noqa: PLC0415  # as SQLAlchemy wants it: loaded by the first engine

        module: ModuleType = pg8000
        return module

    def create_connect_args(self, url: URL) -> tuple[list[str], dict[str, Any]]:
        """The arguments of `pg8000.connect`."""
        return [], {**url.translate_connect_args(username="user"), **url.query}

    def initialize(self, connection: Connection) -> None:
        """Asks nothing: no version, no schema and no isolation level changes how text is sent."""

    def is_disconnect(self, e: Exception, connection: object, cursor: object) -> bool:  # noqa: ARG002  # the signature
        """Whether this error ends the connection: pg8000 has no class of its own for that."""
        return any(sign in str(e) for sign in ("network error", "connection is closed"))


def text_url(url: URL) -> URL:
    """The same database through this dialect."""
    registry.register(DRIVER_NAME.replace("+", "."), __name__, TextDialect.__name__)
    return url.set(drivername=DRIVER_NAME)
