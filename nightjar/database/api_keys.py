"""API keys. Only their hashes are kept; a key that was shown once cannot be shown again."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Row, text

INSERT = text("""
    INSERT INTO api_keys (name, role, owner, key_hash, prefix) VALUES (:name, :role, :owner, :key_hash, :prefix)
    ON CONFLICT (key_hash) DO NOTHING
    RETURNING id, name, role, owner, prefix, created_at, revoked_at
""")

FIND = text("""
    SELECT id, name, role, owner, prefix, created_at, revoked_at
    FROM api_keys WHERE key_hash = :key_hash AND revoked_at IS NULL
""")

PAGE = text("""
    SELECT id, name, role, owner, prefix, created_at, revoked_at
    FROM api_keys
    WHERE (CAST(:before_at AS timestamptz) IS NULL
           OR (created_at, id) < (CAST(:before_at AS timestamptz), CAST(:before_id AS uuid)))
    ORDER BY created_at DESC, id DESC
    LIMIT :limit
""")

REVOKE = text("""
    UPDATE api_keys SET revoked_at = coalesce(revoked_at, clock_timestamp()) WHERE id = :id RETURNING id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as an operator sees it: never the key itself."""

    id: UUID
    name: str
    role: str
    owner: str
    prefix: str
    created_at: datetime
    revoked_at: datetime | None


class ApiKeys:
    """Rows of `api_keys`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, *, name: str, role: str, owner: str, key_hash: bytes, prefix: str) -> ApiKey | None:
        """Store a new key; None if this very key is stored already."""
        values = {"name": name, "role": role, "owner": owner, "key_hash": key_hash, "prefix": prefix}
        row = self._connection.execute(INSERT, values).first()
        return _api_key(row) if row else None

    def find(self, key_hash: bytes) -> ApiKey | None:
        """The key with this hash, unless it was revoked."""
        row = self._connection.execute(FIND, {"key_hash": key_hash}).first()
        return _api_key(row) if row else None

    def page(self, *, before: tuple[datetime, UUID] | None, limit: int) -> list[ApiKey]:
        """Up to `limit` keys, newest first, after the one that `before` names."""
        before_at, before_id = before or (None, None)
        values = {"before_at": before_at, "before_id": before_id, "limit": limit}
        return [_api_key(row) for row in self._connection.execute(PAGE, values)]

    def revoke(self, key_id: UUID) -> bool:
        """Whether there is such a key; it is refused from now on."""
        return self._connection.execute(REVOKE, {"id": key_id}).first() is not None


def _api_key(row: Row[tuple[object, ...]]) -> ApiKey:
    return ApiKey(**row._asdict())
