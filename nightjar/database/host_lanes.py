"""Politeness of site crawls, in rows that all workers share.

A host with a pause between requests is held by one slice at a time (`hosts.holder`, the same column as a rank check
uses): it sends one request after the other, each a pause after the one before. A host without a pause is shared by
slices; their connections together stay below the maximum (`host_shares`). Postgres' clock counts.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, text

MAKE = text("INSERT INTO hosts (host, next_at) VALUES (:host, clock_timestamp()) ON CONFLICT (host) DO NOTHING")

LOCK = text("""
    SELECT clock_timestamp() AS now, next_at, cooldown_until, holder, backoff FROM hosts WHERE host = :host
    FOR UPDATE SKIP LOCKED
""")

# The slots of a slice in one statement: until the last of them, and for the longest that its request may take, nobody
# else sends to this host. A slice that dies leaves it alone for that long.
HOLD = text("""
    UPDATE hosts SET holder = :slice_id, next_at = greatest(next_at, clock_timestamp() + CAST(:span AS interval))
    WHERE host = :host AND (holder = :slice_id OR holder IS NULL OR next_at <= clock_timestamp())
    RETURNING host
""")

RELEASE = text("""
    UPDATE hosts SET holder = NULL, next_at = clock_timestamp() + CAST(:pause AS interval)
    WHERE host = :host AND holder = :slice_id
""")

SHARES = text("""
    SELECT slice_id, connections FROM host_shares WHERE host = :host AND expires_at > clock_timestamp()
""")

TAKE_SHARE = text("""
    INSERT INTO host_shares (host, slice_id, connections, expires_at)
    VALUES (:host, :slice_id, :connections, clock_timestamp() + CAST(:lease AS interval))
    ON CONFLICT (host, slice_id) DO UPDATE SET connections = excluded.connections, expires_at = excluded.expires_at
""")

DROP_SHARES = text("DELETE FROM host_shares WHERE slice_id = :slice_id OR expires_at < clock_timestamp()")
DROP_SHARE = text("DELETE FROM host_shares WHERE host = :host AND slice_id = :slice_id")

RELEASE_ALL = text("""
    UPDATE hosts SET holder = NULL, next_at = clock_timestamp() + CAST(:pause AS interval) WHERE holder = :slice_id
""")

# A host that answers 429 or 503 is asked half as often each time; its own word (Retry-After) is a cool-down.
BACK_OFF = text("""
    UPDATE hosts
    SET backoff = least(greatest(backoff * 2, CAST(:first AS interval)), CAST(:longest AS interval)),
        cooldown_until = CASE WHEN CAST(:retry_after AS interval) IS NULL THEN cooldown_until
            ELSE greatest(cooldown_until, clock_timestamp() + CAST(:retry_after AS interval)) END
    WHERE host = :host
""")

COOL_DOWN = text("""
    UPDATE hosts SET cooldown_until = greatest(cooldown_until, clock_timestamp() + CAST(:wait AS interval))
    WHERE host = :host
""")

COOLING = text("SELECT host FROM hosts WHERE host = ANY(:hosts) AND cooldown_until > clock_timestamp() ORDER BY host")

EASE = text("""
    UPDATE hosts
    SET backoff = CASE WHEN backoff / power(2, :times) < interval '0.1 s' THEN interval '0 s'
                       ELSE backoff / power(2, :times) END
    WHERE host = :host AND backoff > interval '0 s'
""")


ANSWERS_TO_EASE = 3
"""Good answers in a row for which the pause of an overloaded host is halved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLane:
    """A host as it stands, by the database's clock."""

    now: datetime
    next_at: datetime
    cooldown_until: datetime | None
    holder: UUID | None
    backoff: timedelta

    @property
    def cooling(self) -> bool:
        """Whether a block, or a wait that the host asked for, is being waited out."""
        return self.cooldown_until is not None and self.cooldown_until > self.now

    def held_by_another(self, slice_id: UUID) -> bool:
        """Whether somebody else may send to it now."""
        return self.holder not in {None, slice_id} and self.next_at > self.now


class HostLanes:
    """Rows of `hosts` and `host_shares`, keyed by host:port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock_if_free(self, host: str) -> HostLane | None:
        """The host, locked until the transaction ends; None while somebody else has it locked."""
        self._connection.execute(MAKE, {"host": host})
        row = self._connection.execute(LOCK, {"host": host}).first()
        return HostLane(**row._asdict()) if row else None

    def hold(self, host: str, slice_id: UUID, *, span: timedelta) -> bool:
        """Keep the host for a slice, for `span` from now at least; False if somebody else holds it."""
        values = {"host": host, "slice_id": slice_id, "span": span}
        return self._connection.execute(HOLD, values).first() is not None

    def release(self, host: str, slice_id: UUID, *, pause: timedelta) -> None:
        """Let others in after `pause`, and give the connections back."""
        self._connection.execute(RELEASE, {"host": host, "slice_id": slice_id, "pause": pause})
        self._connection.execute(DROP_SHARE, {"host": host, "slice_id": slice_id})

    def release_all(self, slice_id: UUID, *, pause: timedelta) -> None:
        """Let others in everywhere after `pause`: the slice ended."""
        self._connection.execute(RELEASE_ALL, {"slice_id": slice_id, "pause": pause})
        self._connection.execute(DROP_SHARES, {"slice_id": slice_id})

    def share(self, host: str, slice_id: UUID, *, maximum: int, lease: timedelta) -> int:
        """How many connections to this locked host the slice may use: a fair share of what the others leave, or 0."""
        held = {row.slice_id: row.connections for row in self._connection.execute(SHARES, {"host": host})}
        others: int = sum(connections for holder, connections in held.items() if holder != slice_id)
        fair: int = -(-maximum // len({*held, slice_id}))
        mine = max(0, min(fair, maximum - others))
        values = {"host": host, "slice_id": slice_id, "connections": mine, "lease": lease}
        self._connection.execute(TAKE_SHARE, values)  # also a share of nothing: it makes the others' smaller
        return mine

    def back_off(self, host: str, *, first: timedelta, longest: timedelta, retry_after: timedelta | None) -> None:
        """The host asked for less: a longer pause from now on, and none at all for as long as it said."""
        values = {"host": host, "first": first, "longest": longest, "retry_after": retry_after}
        self._connection.execute(BACK_OFF, values)

    def cool_down(self, host: str, wait: timedelta) -> None:
        """Nobody sends to the host for `wait` from now."""
        self._connection.execute(COOL_DOWN, {"host": host, "wait": wait})

    def cooling(self, hosts: Collection[str]) -> tuple[str, ...]:
        """Those of the hosts that want to be left alone now."""
        return tuple([row.host for row in self._connection.execute(COOLING, {"hosts": sorted(hosts)})])

    def ease(self, host: str, *, answers: int) -> None:
        """The host answered well so often in a row: half the extra pause for each few of them."""
        self._connection.execute(EASE, {"host": host, "times": min(20, -(-answers // ANSWERS_TO_EASE))})
