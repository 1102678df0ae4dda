"""Secrets, encrypted. The key is not in this database: a dump of it tells nothing."""

from sqlalchemy import Connection, text

PUT = text("""
    INSERT INTO secrets (name, ciphertext) VALUES (:name, :ciphertext)
    ON CONFLICT (name) DO UPDATE SET ciphertext = excluded.ciphertext, updated_at = clock_timestamp()
""")

GET = text("SELECT ciphertext FROM secrets WHERE name = :name")

DELETE = text("DELETE FROM secrets WHERE name = :name")


class Secrets:
    """Rows of `secrets`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, name: str, ciphertext: bytes) -> None:
        """Keep it under this name, in place of what was there."""
        self._connection.execute(PUT, {"name": name, "ciphertext": ciphertext})

    def get(self, name: str) -> bytes | None:
        """What is kept under this name."""
        found = self._connection.execute(GET, {"name": name}).scalar_one_or_none()
        return None if found is None else bytes(found)

    def delete(self, name: str) -> None:
        """Forget it, if there is such a secret."""
        self._connection.execute(DELETE, {"name": name})
