"""What hosts ask of crawlers (robots.txt), kept for all workers until it is to be asked for again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

GET = text("""
    SELECT status, body, failures, expires_at, expires_at > clock_timestamp() AS fresh FROM robots
    WHERE origin = :origin
""")

KEEP = text("""
    INSERT INTO robots (origin, status, body, failures, fetched_at, expires_at)
    VALUES (:origin, :status, :body, :failures, clock_timestamp(), clock_timestamp() + CAST(:ttl AS interval))
    ON CONFLICT (origin) DO UPDATE
        SET status = excluded.status, body = excluded.body, failures = excluded.failures,
            fetched_at = excluded.fetched_at,
            expires_at = excluded.expires_at
""")

DELETE_EXPIRED = text("""
    DELETE FROM robots WHERE origin = ANY(ARRAY(
        SELECT origin FROM robots WHERE expires_at < clock_timestamp() - CAST(:age AS interval) LIMIT :page))
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsAnswer:
    """How a host answered the request for its robots.txt; 503 also stands for no answer at all."""

    status: int
    body: str
    failures: int
    """5xx or no answer, in a row."""

    expires_at: datetime
    fresh: bool


class Robots:
    """Rows of `robots`, keyed by origin (scheme://host:port)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, origin: str) -> RobotsAnswer | None:
        """The last answer, fresh or not."""
        row = self._connection.execute(GET, {"origin": origin}).first()
        return RobotsAnswer(**row._asdict()) if row else None

    def keep(self, origin: str, *, status: int, body: str, failures: int = 0, ttl: timedelta) -> None:
        """Keep an answer for `ttl`."""
        values = {"origin": origin, "status": status, "body": body, "failures": failures, "ttl": ttl}
        self._connection.execute(KEEP, values)

    def delete_expired(self, *, age: timedelta, page: int) -> int:
        """Delete up to `page` answers that nobody has renewed for `age` since they expired; how many."""
        return self._connection.execute(DELETE_EXPIRED, {"age": age, "page": page}).rowcount
