"""Who watches a task through API Gateway. A row lives two hours at most, as a connection does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, text

LIFETIME = timedelta(hours=2)
"""API Gateway ends a WebSocket connection after two hours, whatever is said on it."""

OPEN = text("""
    INSERT INTO live_connections (connection_id, owner, role, expires_at)
    VALUES (:connection_id, :owner, :role, clock_timestamp() + CAST(:lifetime AS interval))
    ON CONFLICT (connection_id) DO UPDATE SET owner = excluded.owner, role = excluded.role
""")

FIND = text("""
    SELECT connection_id, owner, role, task_id FROM live_connections
    WHERE connection_id = :connection_id AND expires_at > clock_timestamp()
""")

IDENTIFY = text("UPDATE live_connections SET owner = :owner, role = :role WHERE connection_id = :connection_id")

WATCH = text("UPDATE live_connections SET task_id = :task_id WHERE connection_id = :connection_id")

WATCHERS = text("""
    SELECT connection_id FROM live_connections
    WHERE task_id = :task_id AND expires_at > clock_timestamp() ORDER BY connected_at, connection_id LIMIT :limit
""")

CLOSE = text("DELETE FROM live_connections WHERE connection_id = ANY(CAST(:ids AS text[]))")

DELETE_EXPIRED = text("""
    DELETE FROM live_connections WHERE connection_id IN (
        SELECT connection_id FROM live_connections WHERE expires_at < clock_timestamp()
        ORDER BY expires_at LIMIT :page FOR UPDATE SKIP LOCKED)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveConnection:
    """A connection; without a role its key has not been shown yet."""

    connection_id: str
    owner: str | None
    role: str | None
    task_id: UUID | None


class LiveConnections:
    """Rows of `live_connections`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(self, connection_id: str, *, owner: str | None, role: str | None) -> None:
        """A new connection; it is forgotten after LIFETIME."""
        values = {"connection_id": connection_id, "owner": owner, "role": role, "lifetime": LIFETIME}
        self._connection.execute(OPEN, values)

    def find(self, connection_id: str) -> LiveConnection | None:
        """The connection, unless it has expired."""
        row = self._connection.execute(FIND, {"connection_id": connection_id}).first()
        return LiveConnection(**row._asdict()) if row else None

    def identify(self, connection_id: str, *, owner: str, role: str) -> None:
        """Remember whose key was shown."""
        self._connection.execute(IDENTIFY, {"connection_id": connection_id, "owner": owner, "role": role})

    def watch(self, connection_id: str, task_id: UUID) -> bool:
        """Let the connection watch this task, instead of the one before; whether there is such a connection."""
        return self._connection.execute(WATCH, {"connection_id": connection_id, "task_id": task_id}).rowcount == 1

    def watchers(self, task_id: UUID, *, limit: int) -> list[str]:
        """The ids of up to `limit` connections that watch this task, the oldest first."""
        rows = self._connection.execute(WATCHERS, {"task_id": task_id, "limit": limit})
        return [row.connection_id for row in rows]

    def close(self, connection_ids: Sequence[str]) -> None:
        """Forget connections."""
        self._connection.execute(CLOSE, {"ids": list(connection_ids)})

    def delete_expired(self, *, page: int = 5000) -> int:
        """Delete up to `page` expired rows; how many were deleted."""
        return self._connection.execute(DELETE_EXPIRED, {"page": page}).rowcount
