"""Alarms: each kind is raised once for what it is about."""

from sqlalchemy import Connection, text

RAISE_ONCE = text("""
    INSERT INTO alarms (kind, scope) VALUES (:kind, :scope) ON CONFLICT DO NOTHING RETURNING kind
""")


class Alarms:
    """Rows of `alarms`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def raise_once(self, kind: str, scope: str) -> bool:
        """Whether this call was the first to raise this alarm."""
        return self._connection.execute(RAISE_ONCE, {"kind": kind, "scope": scope}).first() is not None
