"""One engine a process, made after a fork, with a small pool and time limits on everything."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from nightjar.database.unit_of_work import UnitOfWork
from nightjar.errors import NightjarError

Transactions = Callable[[], AbstractContextManager[UnitOfWork]]
"""Opens a unit of work that commits when it is left and rolls back on an error."""

CONNECT_SECONDS = 10
"""Socket time-out while connecting and for an answer that is overdue by this much."""


class DatabaseUnavailable(NightjarError):
    """Postgres does not answer."""


class Database:
    """Transactions on one Postgres.

    `statement_seconds` bounds each statement in the server; the socket gives up a little later, so a dead peer cannot
    hold a thread for ever.
    """

    def __init__(self, url: str, *, name: str, pool_size: int = 1, statement_seconds: int = 30) -> None:
        self._engine = _engine(make_url(url), name=name, pool_size=pool_size, statement_seconds=statement_seconds)

    @contextmanager
    def transaction(self) -> Iterator[UnitOfWork]:
        """A unit of work in a transaction of its own. Raises DatabaseUnavailable when the connection fails."""
        try:
            with self._engine.begin() as connection:
                yield UnitOfWork(connection)
        except DBAPIError as error:
            if is_connection_fault(error):
                raise DatabaseUnavailable(f"Postgres at {self.address} does not answer; is it running?") from error
            raise

    @property
    def address(self) -> str:
        """host:port/database, for messages: never the password."""
        url = self._engine.url
        return f"{url.host}:{url.port}/{url.database}"

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()


def is_connection_fault(error: DBAPIError) -> bool:
    """Whether the fault is the connection's (restart, failover, time-out) and not the statement's."""
    if error.connection_invalidated or isinstance(error, InterfaceError):
        return True
    if isinstance(error.orig, (OSError, TimeoutError)):
        return True
    return _sqlstate(error)[:2] in {"57", "08", "53"} or isinstance(error, OperationalError)


def _sqlstate(error: DBAPIError) -> str:
    """The five characters of SQLSTATE, which pg8000 keeps under C in its first argument."""
    arguments = getattr(error.orig, "args", ())
    return str(arguments[0].get("C", "")) if arguments and isinstance(arguments[0], dict) else ""


def _engine(url: URL, *, name: str, pool_size: int, statement_seconds: int) -> Engine:
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=CONNECT_SECONDS,
        pool_pre_ping=True,
        pool_recycle=300,
        connect_args={
            "application_name": name,
            "timeout": statement_seconds + CONNECT_SECONDS,
            "tcp_keepalive": True,
            "startup_params": {"statement_timeout": str(statement_seconds * 1000)},
        },
    )
