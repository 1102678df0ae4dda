"""Requests that carried an Idempotency-Key, and what was answered: the same request is never carried out twice."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, text

# Of requests at the same moment one inserts the row; the others wait here until it commits or rolls back.
BEGIN = text("""
    INSERT INTO idempotent_requests (owner, key, request_hash) VALUES (:owner, :key, :request_hash)
    ON CONFLICT (owner, key) DO NOTHING
    RETURNING key
""")

FIND = text("SELECT request_hash, status, answer FROM idempotent_requests WHERE owner = :owner AND key = :key")

FINISH = text("""
    UPDATE idempotent_requests SET status = :status, answer = CAST(:answer AS jsonb)
    WHERE owner = :owner AND key = :key
""")

DELETE_EXPIRED = text("""
    DELETE FROM idempotent_requests WHERE (owner, key) IN (
        SELECT owner, key FROM idempotent_requests WHERE created_at < clock_timestamp() - CAST(:age AS interval)
        ORDER BY created_at LIMIT :page FOR UPDATE SKIP LOCKED)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """What an earlier request with this key was answered, and the hash of that request."""

    request_hash: bytes
    status: int
    answer: dict[str, object]


class IdempotentRequests:
    """Rows of `idempotent_requests`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self, owner: str, key: str, request_hash: bytes) -> StoredAnswer | None:
        """None if the key is new: the work is ours to do in this transaction. Else the answer that was given."""
        mine = {"owner": owner, "key": key, "request_hash": request_hash}
        while self._connection.execute(BEGIN, mine).first() is None:
            row = self._connection.execute(FIND, {"owner": owner, "key": key}).first()
            if row is not None:  # else it was deleted in between: try to take the key again
                return StoredAnswer(**row._asdict())
        return None

    def finish(self, owner: str, key: str, *, status: int, answer: Mapping[str, object]) -> None:
        """Keep what is answered."""
        values = {"owner": owner, "key": key, "status": status, "answer": json.dumps(answer)}
        self._connection.execute(FINISH, values)

    def delete_expired(self, *, age: timedelta, page: int = 5000) -> int:
        """Forget up to `page` keys older than `age`; how many were forgotten."""
        return self._connection.execute(DELETE_EXPIRED, {"age": age, "page": page}).rowcount
