"""Trackings, and the distinct searches behind them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from nightjar.database.rank_checks import search_from
from nightjar.domain.rank import Outcome
from nightjar.domain.tracking import Search, Tracking, TrackingStatus

FIND_OR_ADD_SEARCH = text("""
    WITH added AS (
        INSERT INTO searches (rank_type, keyword, device, vertical, x, y)
        VALUES (:rank_type, :keyword, :device, :vertical, :x, :y)
        ON CONFLICT (keyword, rank_type, device, vertical, x, y) DO NOTHING
        RETURNING id
    )
    SELECT id FROM added
    UNION ALL
    SELECT id FROM searches
    WHERE keyword = :keyword AND rank_type = :rank_type AND device = :device
      AND vertical IS NOT DISTINCT FROM CAST(:vertical AS text)
      AND x IS NOT DISTINCT FROM CAST(:x AS double precision) AND y IS NOT DISTINCT FROM CAST(:y AS double precision)
    LIMIT 1
""")

ADD = text("""
    INSERT INTO trackings (owner, search_id, target_key, target_url)
    VALUES (:owner, :search_id, :target_key, :target_url)
    ON CONFLICT (owner, search_id, target_key) WHERE status = 'active' DO NOTHING
    RETURNING id
""")

SAME = text("""
    SELECT id FROM trackings
    WHERE owner = :owner AND search_id = :search_id AND target_key = :target_key AND status = 'active'
""")

# The three statements of an import. All rows travel as one JSON value; the orders keep two imports from a deadlock.
WANTED = """
    SELECT line, rank_type, keyword, device, vertical, x, y, target_key, target_url
    FROM jsonb_to_recordset(CAST(:wanted AS jsonb))
         AS w (line integer, rank_type text, keyword text, device text, vertical text, x double precision,
               y double precision, target_key text, target_url text)
"""

ADD_SEARCHES = text(f"""
    INSERT INTO searches (rank_type, keyword, device, vertical, x, y)
    SELECT DISTINCT rank_type, keyword, device, vertical, x, y FROM ({WANTED}) AS w
    ORDER BY keyword, rank_type, device, vertical, x, y
    ON CONFLICT (keyword, rank_type, device, vertical, x, y) DO NOTHING
""")  # noqa: S608  # a constant

WANTED_SEARCHES = f"""
    SELECT w.line, s.id AS search_id, w.target_key, w.target_url
    FROM ({WANTED}) AS w
    JOIN searches AS s ON s.keyword = w.keyword AND s.rank_type = w.rank_type AND s.device = w.device
        AND s.vertical IS NOT DISTINCT FROM w.vertical AND s.x IS NOT DISTINCT FROM w.x
        AND s.y IS NOT DISTINCT FROM w.y
"""  # noqa: S608  # a constant

ADD_MANY = text(f"""
    INSERT INTO trackings (owner, search_id, target_key, target_url)
    SELECT DISTINCT ON (search_id, target_key) :owner, search_id, target_key, target_url
    FROM ({WANTED_SEARCHES}) AS found
    ORDER BY search_id, target_key, line
    ON CONFLICT (owner, search_id, target_key) WHERE status = 'active' DO NOTHING
    RETURNING id
""")  # noqa: S608  # a constant

FIND_MANY = text(f"""
    SELECT found.line, t.id
    FROM ({WANTED_SEARCHES}) AS found
    JOIN trackings AS t ON t.owner = :owner AND t.search_id = found.search_id AND t.target_key = found.target_key
        AND t.status = 'active'
    ORDER BY found.line
""")  # noqa: S608  # a constant

VIEW = """
    SELECT t.id, t.owner, t.target_key, t.target_url, t.status, t.current_session, t.created_at, t.stopped_at,
           s.rank_type, s.keyword, s.device, s.vertical, s.x, s.y,
           last.checked_on AS last_checked_on, last.checked_at AS last_checked_at, last.outcome AS last_outcome,
           last.reason AS last_reason, last.session_number AS last_session, last.source AS last_source,
           known.rank AS known_rank, known.outcome AS known_outcome, known.checked_on AS known_on,
           known.checked_count AS known_count
    FROM trackings AS t
    JOIN searches AS s ON s.id = t.search_id
    LEFT JOIN LATERAL (
        SELECT * FROM rank_history AS h WHERE h.tracking_id = t.id ORDER BY h.checked_on DESC LIMIT 1) AS last ON true
    LEFT JOIN LATERAL (
        SELECT * FROM rank_history AS h WHERE h.tracking_id = t.id AND h.outcome <> 'unknown'
        ORDER BY h.checked_on DESC LIMIT 1) AS known ON true
"""

GET = text(VIEW + " WHERE t.id = :id AND (CAST(:owner AS text) IS NULL OR t.owner = :owner)")

PAGE = text(
    VIEW
    + """
    WHERE (CAST(:owner AS text) IS NULL OR t.owner = :owner)
      AND (CAST(:status AS text) IS NULL OR t.status = :status)
      AND (CAST(:rank_type AS text) IS NULL OR s.rank_type = :rank_type)
      AND (CAST(:keyword AS text) IS NULL OR s.keyword = :keyword)
      AND (CAST(:before AS bigint) IS NULL OR t.id < :before)
    ORDER BY t.id DESC LIMIT :limit
"""
)

STOP = text("""
    UPDATE trackings SET status = 'stopped', stopped_at = coalesce(stopped_at, clock_timestamp())
    WHERE id = :id AND (CAST(:owner AS text) IS NULL OR owner = :owner)
    RETURNING id
""")

RESUME = text("""
    UPDATE trackings AS t SET status = 'active', stopped_at = NULL
    WHERE t.id = :id AND (CAST(:owner AS text) IS NULL OR t.owner = :owner)
      AND NOT EXISTS (SELECT FROM trackings AS other
                      WHERE other.owner = t.owner AND other.search_id = t.search_id AND other.id <> t.id
                        AND other.target_key = t.target_key AND other.status = 'active')
    RETURNING t.id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRank:
    """The newest day of a tracking, and the last rank that is known (an `unknown` day leaves it alone)."""

    checked_on: date
    checked_at: datetime
    outcome: Outcome
    rank: int | None
    session_number: int
    source: str
    reason: str | None
    known_on: date | None
    known_rank: int | None
    known_outcome: Outcome | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTracking:
    """One line of many that are to be followed."""

    line: int
    search: Search
    target_key: str
    target_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedTracking:
    """The tracking that a line stands for; `is_new` is false if it existed, or if an earlier line made it."""

    line: int
    tracking_id: int
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingView:
    """A tracking with its newest result."""

    tracking: Tracking
    last: LastRank | None


class Trackings:
    """Rows of `trackings` and `searches`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def search_id(self, search: Search) -> int:
        """The id of this search; it is added if nobody asked it before."""
        values = _columns_of(search)
        row = self._connection.execute(FIND_OR_ADD_SEARCH, values).first()
        if row is None:  # somebody else added it at this moment and has not committed before our snapshot
            row = self._connection.execute(FIND_OR_ADD_SEARCH, values).one()
        return int(row.id)

    def add(self, *, owner: str, search_id: int, target_key: str, target_url: str) -> tuple[int, bool]:
        """The id of the tracking, and whether it is new: an owner follows a target in a search once."""
        values = {"owner": owner, "search_id": search_id, "target_key": target_key, "target_url": target_url}
        row = self._connection.execute(ADD, values).first()
        if row is not None:
            return int(row.id), True
        return int(self._connection.execute(SAME, values).scalar_one()), False

    def add_many(self, wanted: Sequence[NewTracking], *, owner: str) -> list[AddedTracking]:
        """The tracking of each line, ascending by line; those that are not followed yet are added."""
        rows = [
            {"line": new.line, "target_key": new.target_key, "target_url": new.target_url} | _columns_of(new.search)
            for new in wanted
        ]
        values = {"wanted": json.dumps(rows), "owner": owner}
        self._connection.execute(ADD_SEARCHES, values)
        not_reported = {row.id for row in self._connection.execute(ADD_MANY, values)}
        added = []
        for row in self._connection.execute(FIND_MANY, values):
            added.append(AddedTracking(line=row.line, tracking_id=row.id, is_new=row.id in not_reported))
            not_reported.discard(row.id)
        return added

    def get(self, tracking_id: int, *, owner: str | None) -> TrackingView | None:
        """The tracking, if it exists and (for an owner) is theirs."""
        row = self._connection.execute(GET, {"id": tracking_id, "owner": owner}).first()
        return _view(row) if row else None

    def page(
        self,
        *,
        owner: str | None,
        before: int | None,
        limit: int,
        filters: Mapping[str, str | None],
    ) -> list[TrackingView]:
        """Up to `limit` trackings, newest first, older than `before`; filters: status, rank_type, keyword."""
        values: dict[str, object] = {"status": None, "rank_type": None, "keyword": None}
        values |= dict(filters) | {"owner": owner, "before": before, "limit": limit}
        return [_view(row) for row in self._connection.execute(PAGE, values)]

    def stop(self, tracking_id: int, *, owner: str | None) -> bool:
        """Whether there is such a tracking; it is no longer checked, its history stays."""
        return self._connection.execute(STOP, {"id": tracking_id, "owner": owner}).first() is not None

    def resume(self, tracking_id: int, *, owner: str | None) -> bool:
        """Whether it is checked again; not if there is no such tracking or an equal active one."""
        return self._connection.execute(RESUME, {"id": tracking_id, "owner": owner}).first() is not None


def _columns_of(search: Search) -> dict[str, object]:
    return {
        "rank_type": search.rank_type,
        "keyword": search.keyword,
        "device": search.device,
        "vertical": search.vertical,
        "x": search.location.x if search.location else None,
        "y": search.location.y if search.location else None,
    }


def _view(row: Row[Any]) -> TrackingView:
    tracking = Tracking(
        id=row.id,
        owner=row.owner,
        search=search_from(row),
        target_key=row.target_key,
        target_url=row.target_url,
        status=TrackingStatus(row.status),
        current_session=row.current_session,
        created_at=row.created_at,
        stopped_at=row.stopped_at,
    )
    return TrackingView(tracking=tracking, last=_last(row) if row.last_outcome else None)


def _last(row: Row[Any]) -> LastRank:
    return LastRank(
        checked_on=row.last_checked_on,
        checked_at=row.last_checked_at,
        outcome=Outcome(row.last_outcome),
        rank=row.known_rank if row.last_outcome != Outcome.UNKNOWN else None,
        session_number=row.last_session,
        source=row.last_source,
        reason=row.last_reason,
        known_on=row.known_on,
        known_rank=row.known_rank,
        known_outcome=Outcome(row.known_outcome) if row.known_outcome else None,
    )
