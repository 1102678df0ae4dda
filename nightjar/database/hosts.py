"""Politeness: one request at a time to a host, a pause after it, a cool-down after a block. Postgres' clock counts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, text

# Take the host for one request. While it is held nobody else can: next_at lies behind the time that the request may
# take at most, so a holder that dies blocks the host for that long and no longer.
TAKE = text("""
    INSERT INTO hosts AS h (host, next_at, holder)
    VALUES (:host, clock_timestamp() + CAST(:budget AS interval), :holder)
    ON CONFLICT (host) DO UPDATE
        SET next_at = clock_timestamp() + CAST(:budget AS interval), holder = excluded.holder
        WHERE h.next_at <= clock_timestamp()
          AND (h.cooldown_until IS NULL OR h.cooldown_until <= clock_timestamp())
    RETURNING host
""")

STANDING = text("""
    SELECT clock_timestamp() AS now, next_at, cooldown_until, holder IS NOT NULL AND next_at > clock_timestamp() AS held
    FROM hosts WHERE host = :host
""")

# The pause runs from the moment the answer was read, so two requests are never closer than the delay.
RELEASE = text("""
    UPDATE hosts SET next_at = clock_timestamp() + CAST(:delay AS interval), holder = NULL
    WHERE host = :host AND holder = :holder
""")

# Also a host that was never held: the script of a page that we hold may have asked it. Nothing shortens a cool-down.
BLOCK = text("""
    INSERT INTO hosts AS h (host, next_at, blocked_at, cooldown_until)
    VALUES (:host, clock_timestamp() + CAST(:delay AS interval), clock_timestamp(),
            clock_timestamp() + CAST(:cooldown AS interval))
    ON CONFLICT (host) DO UPDATE
        SET next_at = excluded.next_at, holder = NULL, blocked_at = excluded.blocked_at,
            cooldown_until = greatest(h.cooldown_until, excluded.cooldown_until)
""")

COOLING = text("""
    SELECT host, cooldown_until FROM hosts WHERE cooldown_until > clock_timestamp() ORDER BY host
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStanding:
    """When a host may be asked again, by the database's clock."""

    now: datetime
    next_at: datetime
    cooldown_until: datetime | None
    held: bool

    @property
    def cooling(self) -> bool:
        """Whether a block is being waited out."""
        return self.cooldown_until is not None and self.cooldown_until > self.now


class Hosts:
    """Rows of `hosts`, keyed by host:port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, host: str, *, holder: UUID, budget: timedelta) -> bool:
        """Whether the host is ours for one request of at most `budget`."""
        values = {"host": host, "holder": holder, "budget": budget}
        return self._connection.execute(TAKE, values).first() is not None

    def standing(self, host: str) -> HostStanding | None:
        """Why a host could not be taken; None for a host that was never asked."""
        row = self._connection.execute(STANDING, {"host": host}).first()
        return HostStanding(**row._asdict()) if row else None

    def release(self, host: str, *, holder: UUID, delay: timedelta) -> None:
        """Let the next one in after `delay`. Does nothing if the hold ran out and somebody else took the host."""
        self._connection.execute(RELEASE, {"host": host, "holder": holder, "delay": delay})

    def block(self, host: str, *, delay: timedelta, cooldown: timedelta) -> None:
        """The host refused us: nobody asks it before the cool-down ends."""
        self._connection.execute(BLOCK, {"host": host, "delay": delay, "cooldown": cooldown})

    def cooling(self) -> dict[str, datetime]:
        """The hosts that are being left alone, and until when."""
        return {row.host: row.cooldown_until for row in self._connection.execute(COOLING)}
