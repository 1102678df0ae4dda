"""The history of ranks: one row per tracking and Korean day, and the sessions that are counted from it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from nightjar.domain.rank import Outcome, RankResult
from nightjar.domain.tracking import EXPOSED_DAYS_IN_SESSION

# In a fixed order, so that two checks which share trackings cannot deadlock.
LOCK_TRACKINGS = text("""
    SELECT id FROM trackings WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY id FOR UPDATE
""")

# A re-run on the same day replaces the row and keeps its session; `unknown` never replaces what is known.
SAVE = text("""
    INSERT INTO rank_history AS h (tracking_id, checked_on, checked_at, outcome, rank, session_number,
                                   checked_count, source, reason, batch_id)
    SELECT t.id, :checked_on, clock_timestamp(), r.outcome, r.rank, t.current_session,
           r.checked_count, :source, r.reason, :batch_id
    FROM unnest(CAST(:ids AS bigint[]), CAST(:outcomes AS text[]), CAST(:ranks AS integer[]),
                CAST(:counts AS integer[]), CAST(:reasons AS text[]))
         AS r (tracking_id, outcome, rank, checked_count, reason)
    JOIN trackings AS t ON t.id = r.tracking_id
    ORDER BY t.id
    ON CONFLICT (tracking_id, checked_on) DO UPDATE
        SET checked_at = excluded.checked_at, outcome = excluded.outcome, rank = excluded.rank,
            checked_count = excluded.checked_count, source = excluded.source, reason = excluded.reason,
            batch_id = excluded.batch_id
        WHERE excluded.outcome <> 'unknown' OR h.outcome = 'unknown'
""")

# The session is full: the next exposed day opens the next one. Sessions never go back.
ADVANCE_SESSIONS = text("""
    UPDATE trackings AS t SET current_session = current_session + 1
    WHERE t.id = ANY(CAST(:ids AS bigint[]))
      AND (SELECT count(*) FROM rank_history AS h
           WHERE h.tracking_id = t.id AND h.session_number = t.current_session AND h.rank IS NOT NULL) >= :full
""")

STORED = text("""
    SELECT h.tracking_id, h.outcome, h.rank, h.session_number, h.checked_count, h.reason
    FROM rank_history AS h
    WHERE h.tracking_id = ANY(CAST(:ids AS bigint[])) AND h.checked_on = :checked_on
    ORDER BY h.tracking_id
""")

PAGE = text("""
    SELECT checked_on, checked_at, outcome, rank, session_number, checked_count, source, reason
    FROM rank_history
    WHERE tracking_id = :tracking_id AND (CAST(:before AS date) IS NULL OR checked_on < CAST(:before AS date))
    ORDER BY checked_on DESC LIMIT :limit
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRank:
    """What the history says of one tracking for the day, after a save."""

    tracking_id: int
    outcome: Outcome
    rank: int | None
    session_number: int
    checked_count: int | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One day of a tracking."""

    checked_on: date
    checked_at: datetime
    outcome: Outcome
    rank: int | None
    session_number: int
    checked_count: int | None
    source: str
    reason: str | None


class RankHistory:
    """Rows of `rank_history`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(
        self, results: Sequence[RankResult], *, checked_on: date, source: str, batch_id: int | None
    ) -> list[StoredRank]:
        """Store the results of one check for one day; what the history says afterwards, ascending by tracking."""
        ordered = sorted(results, key=lambda result: result.tracking_id)
        ids = [result.tracking_id for result in ordered]
        self._connection.execute(LOCK_TRACKINGS, {"ids": ids})
        values = {
            "checked_on": checked_on,
            "source": source,
            "batch_id": batch_id,
            "ids": ids,
            "outcomes": [str(result.outcome) for result in ordered],
            "ranks": [result.rank for result in ordered],
            "counts": [result.checked_count for result in ordered],
            "reasons": [result.reason for result in ordered],
        }
        self._connection.execute(SAVE, values)
        self._connection.execute(ADVANCE_SESSIONS, {"ids": ids, "full": EXPOSED_DAYS_IN_SESSION})
        return self.stored(ids, checked_on=checked_on)

    def stored(self, tracking_ids: Collection[int], *, checked_on: date) -> list[StoredRank]:
        """What the history says of these trackings for a day, ascending by tracking."""
        rows = self._connection.execute(STORED, {"ids": list(tracking_ids), "checked_on": checked_on})
        return [StoredRank(**_with_outcome(row)) for row in rows]

    def page(self, tracking_id: int, *, before: date | None, limit: int) -> list[HistoryRow]:
        """Up to `limit` days of a tracking, newest first, older than `before`."""
        rows = self._connection.execute(PAGE, {"tracking_id": tracking_id, "before": before, "limit": limit})
        return [HistoryRow(**_with_outcome(row)) for row in rows]


def _with_outcome(row: Row[Any]) -> dict[str, Any]:
    return row._asdict() | {"outcome": Outcome(row.outcome)}
