"""One engine a process, made after a fork, with a small pool and time limits on everything."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from nightjar.database.dialect import text_url
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.errors import Conflict, NightjarError

CONNECTION_FAULTS = ("Can't create a connection", "network error", "connection is closed")
"""How pg8000 words a fault of the connection: it has no class of its own for that."""

Transactions = Callable[[], AbstractContextManager[UnitOfWork]]
"""Opens a unit of work that commits when it is left and rolls back on an error."""

CONNECT_SECONDS = 10
"""Socket time-out while connecting and for an answer that is overdue by this much."""

NOT_THE_STATEMENTS_FAULT = frozenset({"08", "28", "3D", "40", "53", "57"})
"""SQLSTATE classes: connection, login, missing database, deadlock, resources, shut-down or time-out."""

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

UNIQUE_VIOLATION = "23505"


class DatabaseUnavailable(NightjarError):
    """Postgres does not answer."""


class Database:
    """Transactions on one Postgres.

    `statement_seconds` bounds each statement in the server; the socket gives up a little later, so a dead peer cannot
    hold a thread for ever. `asks_first`: a connection is tried before it is used again; who repeats a transaction that
    met a dead one saves that round trip.
    """

    def __init__(
        self, url: str, *, name: str, pool_size: int = 1, statement_seconds: int = 30, asks_first: bool = True
    ) -> None:
        self.name = name
        self._asks_first = asks_first
        self._engine = _engine(
            make_url(url), name=name, pool_size=pool_size, statement_seconds=statement_seconds, asks_first=asks_first
        )

    @contextmanager
    def transaction(self) -> Iterator[UnitOfWork]:
        """A unit of work in a transaction of its own.

        Raises:
            DatabaseUnavailable: the connection fails, or all connections of this process are busy.
            Conflict: somebody else stored the same thing at the same moment.
        """
        try:
            with self._engine.begin() as connection:
                yield UnitOfWork(connection)
        except NoFreeConnection as error:
            raise DatabaseUnavailable(f"all connections to Postgres at {self.address} are busy; try again") from error
        except DBAPIError as error:
            if is_connection_fault(error):
                if not self._asks_first:
                    self._engine.dispose()  # what is in the pool may be as dead
                said = _server_said(error)
                raise DatabaseUnavailable(
                    f"Postgres at {self.address} does not answer ({said}); is it running?"
                ) from error
            if sqlstate_of(error) == UNIQUE_VIOLATION:
                raise Conflict("the same thing was stored by somebody else at this moment; try again") from error
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
    """Whether the same transaction may succeed later: restart, failover, time-out, deadlock."""
    if error.connection_invalidated or any(sign in str(error.orig) for sign in CONNECTION_FAULTS):
        return True
    if isinstance(error.orig, (OSError, TimeoutError)):
        return True
    return sqlstate_of(error)[:2] in NOT_THE_STATEMENTS_FAULT or isinstance(error, OperationalError)


def sqlstate_of(error: DBAPIError) -> str:
    """The five characters of SQLSTATE, which pg8000 keeps under C in its first argument."""
    arguments = getattr(error.orig, "args", ())
    return str(arguments[0].get("C", "")) if arguments and isinstance(arguments[0], dict) else ""


def _server_said(error: DBAPIError) -> str:
    """The server's own sentence, or the driver's."""
    arguments = getattr(error.orig, "args", ())
    if arguments and isinstance(arguments[0], dict):
        return str(arguments[0].get("M", "no reason given"))
    return str(error.orig)


def _engine(url: URL, *, name: str, pool_size: int, statement_seconds: int, asks_first: bool) -> Engine:
    return create_engine(
        text_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=CONNECT_SECONDS,
        pool_pre_ping=asks_first,
        pool_recycle=300,
        hide_parameters=True,  # errors are logged, and a parameter may be somebody's login
        connect_args={
            "application_name": name,
            "timeout": statement_seconds + CONNECT_SECONDS,
            "tcp_keepalive": True,
            "startup_params": {"statement_timeout": str(statement_seconds * 1000)},
            # The driver would load all certificates of the machine before it asks whether the server speaks TLS: 20 ms
            # of every connection. To ourselves nothing needs to be hidden.
            "ssl_context": False if url.host in LOOPBACK else None,
        },
    )
