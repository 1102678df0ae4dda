"""What hosts ask of crawlers (robots.txt), kept for all workers until it is to be asked for again."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, text

GET = text("SELECT status, body FROM robots WHERE origin = :origin AND expires_at > clock_timestamp()")

KEEP = text("""
    INSERT INTO robots (origin, status, body, fetched_at, expires_at)
    VALUES (:origin, :status, :body, clock_timestamp(), clock_timestamp() + CAST(:ttl AS interval))
    ON CONFLICT (origin) DO UPDATE
        SET status = excluded.status, body = excluded.body, fetched_at = excluded.fetched_at,
            expires_at = excluded.expires_at
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsAnswer:
    """How a host answered the request for its robots.txt; 503 also stands for no answer at all."""

    status: int
    body: str


class Robots:
    """Rows of `robots`, keyed by origin (scheme://host:port)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, origin: str) -> RobotsAnswer | None:
        """What is known and still fresh."""
        row = self._connection.execute(GET, {"origin": origin}).first()
        return RobotsAnswer(status=row.status, body=row.body) if row else None

    def keep(self, origin: str, answer: RobotsAnswer, *, ttl: timedelta) -> None:
        """Keep an answer for `ttl`."""
        values = {"origin": origin, "status": answer.status, "body": answer.body, "ttl": ttl}
        self._connection.execute(KEEP, values)
