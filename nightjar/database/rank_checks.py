"""Rank checks: one per distinct search and run, for all trackings that share it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from nightjar.database.rank_history import StoredRank
from nightjar.domain.rank import Outcome
from nightjar.domain.tracking import Device, Location, RankType, Search

# All active trackings become checks, one per search, in one statement: no row travels through Python.
# `seq` deals the rank types out in turn, since each type has hosts of its own: all hosts have work from the start.
PLAN_BATCH = text("""
    WITH due AS MATERIALIZED (
        SELECT search_id, array_agg(id ORDER BY id) AS tracking_ids
        FROM trackings
        WHERE status = 'active' AND (CAST(:owner AS text) IS NULL OR owner = :owner)
        GROUP BY search_id
    ), dealt AS MATERIALIZED (
        SELECT gen_random_uuid() AS task_id, due.search_id, due.tracking_ids, s.rank_type,
               row_number() OVER (PARTITION BY s.rank_type, s.device ORDER BY due.search_id) AS turn
        FROM due JOIN searches AS s ON s.id = due.search_id
    ), numbered AS MATERIALIZED (
        SELECT task_id, search_id, tracking_ids, row_number() OVER (ORDER BY turn, rank_type, search_id) AS seq
        FROM dealt
    ), new_tasks AS (
        INSERT INTO tasks (id, kind, queue, owner, batch_id, seq, correlation_id)
        SELECT task_id, 'rank_check', :queue, :owner, :batch_id, seq, :correlation_id FROM numbered
    ), new_checks AS (
        INSERT INTO rank_checks (task_id, batch_id, search_id, checked_on, tracking_ids)
        SELECT task_id, :batch_id, search_id, :checked_on, tracking_ids FROM numbered
    )
    SELECT count(*) AS checks, coalesce(sum(cardinality(tracking_ids)), 0) AS trackings FROM numbered
""")

SEARCHES_OF_BATCH = text("""
    SELECT s.rank_type, s.device, count(*) AS checks
    FROM rank_checks AS c JOIN searches AS s ON s.id = c.search_id
    WHERE c.batch_id = :batch_id GROUP BY s.rank_type, s.device
""")

INSERT = text("""
    INSERT INTO rank_checks (task_id, batch_id, search_id, checked_on, tracking_ids)
    SELECT :task_id, NULL, t.search_id, :checked_on, ARRAY[t.id] FROM trackings AS t WHERE t.id = :tracking_id
""")

INSERT_SEARCH = text("""
    INSERT INTO rank_checks (task_id, batch_id, search_id, checked_on, tracking_ids)
    VALUES (:task_id, NULL, :search_id, :checked_on, CAST(:tracking_ids AS bigint[]))
""")

# Trackings that came in together (an import): one check per search, in one statement. Nothing is published here.
ADD_DUE = text("""
    WITH due AS MATERIALIZED (
        SELECT gen_random_uuid() AS task_id, search_id, array_agg(id ORDER BY id) AS tracking_ids
        FROM trackings WHERE id = ANY(CAST(:tracking_ids AS bigint[])) GROUP BY search_id
    ), new_tasks AS (
        INSERT INTO tasks (id, kind, queue, owner, correlation_id)
        SELECT task_id, 'rank_check', :queue, :owner, :correlation_id FROM due
    ), new_checks AS (
        INSERT INTO rank_checks (task_id, batch_id, search_id, checked_on, tracking_ids)
        SELECT task_id, NULL, search_id, :checked_on, tracking_ids FROM due
    )
    SELECT count(*) AS checks FROM due
""")

# The trackings of an earlier check that are still active.
INSERT_AGAIN = text("""
    INSERT INTO rank_checks (task_id, batch_id, search_id, checked_on, tracking_ids)
    SELECT :task_id, NULL, c.search_id, :checked_on,
           ARRAY(SELECT t.id FROM trackings AS t WHERE t.id = ANY(c.tracking_ids) AND t.status = 'active' ORDER BY t.id)
    FROM rank_checks AS c WHERE c.task_id = :again
    RETURNING cardinality(tracking_ids) AS trackings
""")

GET = text("""
    SELECT c.task_id, c.batch_id, c.checked_on, c.tracking_ids, c.blocks_met, c.seen_end,
           s.rank_type, s.keyword, s.device, s.vertical, s.x, s.y
    FROM rank_checks AS c JOIN searches AS s ON s.id = c.search_id
    WHERE c.task_id = :task_id
""")

TARGETS = text("""
    SELECT id, target_key FROM trackings WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY id
""")

MET_BLOCK = text("""
    UPDATE rank_checks SET blocks_met = blocks_met + 1 WHERE task_id = :task_id
""")

SAW_END = text("""
    UPDATE rank_checks SET seen_end = :rows WHERE task_id = :task_id
""")

SETTLE = text("""
    UPDATE rank_checks SET succeeded = :succeeded, failed = :failed, reason = :reason WHERE task_id = :task_id
""")

# How a batch fares with one rank type: a layout change shows as many pages that nobody understands and none that
# somebody does. Stops counting early: the alarm only needs to know whether the limit is passed.
LAYOUT_FIGURES = text("""
    SELECT (SELECT count(*) FROM (
                SELECT FROM rank_checks AS c JOIN searches AS s ON s.id = c.search_id
                WHERE c.batch_id = :batch_id AND s.rank_type = :rank_type AND c.reason LIKE 'layout_changed%'
                LIMIT :limit) AS misread) AS misread,
           EXISTS (SELECT FROM rank_checks AS c JOIN searches AS s ON s.id = c.search_id
                   WHERE c.batch_id = :batch_id AND s.rank_type = :rank_type AND c.succeeded > 0) AS understood
""")

# Before any row of their history is written, and in the order in which everybody locks trackings.
LOCK_SETTLED = text("""
    WITH locked AS (
        SELECT id FROM trackings
        WHERE id IN (SELECT unnest(tracking_ids) FROM rank_checks WHERE task_id = ANY(CAST(:task_ids AS uuid[])))
        ORDER BY id FOR UPDATE)
    SELECT count(*) FROM locked
""")

# Tasks that ended without their check knowing (lost workers, a batch at its deadline): their trackings become unknown.
# Two of the checks may be of the same tracking and day: it gets one row, which one statement can write only once.
SETTLE_UNKNOWN = text("""
    WITH settled AS (
        UPDATE rank_checks
        SET failed = cardinality(tracking_ids),
            reason = CASE WHEN blocks_met > 0 THEN 'blocked: the host refused and did not recover in time'
                          ELSE :reason END
        WHERE task_id = ANY(CAST(:task_ids AS uuid[]))
        RETURNING tracking_ids, checked_on, batch_id, reason
    )
    INSERT INTO rank_history AS h (tracking_id, checked_on, checked_at, outcome, session_number, source, reason,
                                   batch_id)
    SELECT DISTINCT ON (t.id, settled.checked_on)
           t.id, settled.checked_on, clock_timestamp(), 'unknown', t.current_session, 'none', settled.reason,
           settled.batch_id
    FROM settled CROSS JOIN unnest(settled.tracking_ids) AS member (id) JOIN trackings AS t ON t.id = member.id
    ORDER BY t.id, settled.checked_on, settled.batch_id NULLS LAST
    ON CONFLICT (tracking_id, checked_on) DO UPDATE
        SET checked_at = excluded.checked_at, source = excluded.source, reason = excluded.reason,
            batch_id = excluded.batch_id
        WHERE h.outcome = 'unknown'
""")

SETTLED = text("""
    SELECT c.task_id, c.batch_id, c.checked_on, c.tracking_ids, c.reason, s.rank_type, s.keyword, t.correlation_id
    FROM rank_checks AS c JOIN searches AS s ON s.id = c.search_id JOIN tasks AS t ON t.id = c.task_id
    WHERE c.task_id = ANY(CAST(:task_ids AS uuid[])) ORDER BY c.task_id
""")

STORED_OF = text("""
    SELECT c.task_id, h.tracking_id, h.outcome, h.rank, h.session_number, h.checked_count, h.reason
    FROM rank_checks AS c CROSS JOIN unnest(c.tracking_ids) AS member (id)
    JOIN rank_history AS h ON h.tracking_id = member.id AND h.checked_on = c.checked_on
    WHERE c.task_id = ANY(CAST(:task_ids AS uuid[])) ORDER BY h.tracking_id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPlan:
    """What a batch has before it: `searches` counts checks by rank type and device."""

    checks: int
    trackings: int
    searches: Mapping[tuple[RankType, Device], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RankCheck:
    """One search to be read, and who waits for it: tracking id and target key.

    `seen_end` is the number of rows after which an earlier attempt saw its list end.
    """

    task_id: UUID
    batch_id: int | None
    checked_on: date
    blocks_met: int
    seen_end: int | None
    search: Search
    trackings: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledCheck:
    """A check whose trackings stayed unknown, and what the history now says of them."""

    task_id: UUID
    batch_id: int | None
    checked_on: date
    tracking_ids: tuple[int, ...]
    reason: str
    rank_type: RankType
    keyword: str
    correlation_id: str
    stored: tuple[StoredRank, ...]


class RankChecks:
    """Rows of `rank_checks`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def plan_batch(
        self, batch_id: int, *, checked_on: date, queue: str, owner: str | None, correlation_id: str
    ) -> BatchPlan:
        """Turn all active trackings (of `owner`, if given) into pending checks of this batch."""
        values = {
            "batch_id": batch_id,
            "checked_on": checked_on,
            "queue": queue,
            "owner": owner,
            "correlation_id": correlation_id,
        }
        row = self._connection.execute(PLAN_BATCH, values).one()
        searches = {
            (RankType(of.rank_type), Device(of.device)): int(of.checks)
            for of in self._connection.execute(SEARCHES_OF_BATCH, {"batch_id": batch_id})
        }
        return BatchPlan(checks=int(row.checks), trackings=int(row.trackings), searches=searches)

    def add(self, task_id: UUID, *, tracking_id: int, checked_on: date) -> None:
        """The side row of a check of one tracking."""
        values = {"task_id": task_id, "tracking_id": tracking_id, "checked_on": checked_on}
        self._connection.execute(INSERT, values)

    def add_search(self, task_id: UUID, *, search_id: int, tracking_ids: Sequence[int], checked_on: date) -> None:
        """The side row of a check of several trackings that share a search."""
        values = {
            "task_id": task_id,
            "search_id": search_id,
            "checked_on": checked_on,
            "tracking_ids": sorted(tracking_ids),
        }
        self._connection.execute(INSERT_SEARCH, values)

    def add_due(
        self, tracking_ids: Sequence[int], *, checked_on: date, queue: str, owner: str, correlation_id: str
    ) -> int:
        """Pending checks for these trackings, one per distinct search; how many."""
        values = {
            "tracking_ids": list(tracking_ids),
            "checked_on": checked_on,
            "queue": queue,
            "owner": owner,
            "correlation_id": correlation_id,
        }
        return int(self._connection.execute(ADD_DUE, values).scalar_one())

    def add_again(self, task_id: UUID, *, again: UUID, checked_on: date) -> int:
        """The side row of a task that repeats the check of the task `again`; how many trackings it still has."""
        values = {"task_id": task_id, "again": again, "checked_on": checked_on}
        row = self._connection.execute(INSERT_AGAIN, values).first()
        return int(row.trackings) if row else 0

    def get(self, task_id: UUID) -> RankCheck | None:
        """The check of this task."""
        row = self._connection.execute(GET, {"task_id": task_id}).first()
        if row is None:
            return None
        targets = self._connection.execute(TARGETS, {"ids": list(row.tracking_ids)})
        return RankCheck(
            task_id=row.task_id,
            batch_id=row.batch_id,
            checked_on=row.checked_on,
            blocks_met=row.blocks_met,
            seen_end=row.seen_end,
            search=search_from(row),
            trackings=tuple((target.id, target.target_key) for target in targets),
        )

    def met_block(self, task_id: UUID) -> None:
        """Count a block that this check ran into."""
        self._connection.execute(MET_BLOCK, {"task_id": task_id})

    def saw_end(self, task_id: UUID, *, rows: int) -> None:
        """Keep after how many rows the list ended: the next attempt believes the end if it is there again."""
        self._connection.execute(SAW_END, {"task_id": task_id, "rows": rows})

    def settle(self, task_id: UUID, *, succeeded: int, failed: int, reason: str | None) -> None:
        """Keep how many trackings of the check got an answer, and why the others did not."""
        values = {"task_id": task_id, "succeeded": succeeded, "failed": failed, "reason": reason}
        self._connection.execute(SETTLE, values)

    def settle_unknown(self, task_ids: Sequence[UUID], *, reason: str) -> list[SettledCheck]:
        """Store `unknown` for all trackings of these checks."""
        values = {"task_ids": list(task_ids), "reason": reason}
        self._connection.execute(LOCK_SETTLED, values)
        self._connection.execute(SETTLE_UNKNOWN, values)
        stored = self._stored_of(task_ids)
        return [
            SettledCheck(
                task_id=row.task_id,
                batch_id=row.batch_id,
                checked_on=row.checked_on,
                tracking_ids=tuple(row.tracking_ids),
                reason=row.reason,
                rank_type=RankType(row.rank_type),
                keyword=row.keyword,
                correlation_id=row.correlation_id,
                stored=tuple(stored.get(row.task_id, ())),
            )
            for row in self._connection.execute(SETTLED, values)
        ]

    def _stored_of(self, task_ids: Sequence[UUID]) -> dict[UUID, list[StoredRank]]:
        stored: dict[UUID, list[StoredRank]] = {}
        for row in self._connection.execute(STORED_OF, {"task_ids": list(task_ids)}):
            values = row._asdict() | {"outcome": Outcome(row.outcome)}
            stored.setdefault(values.pop("task_id"), []).append(StoredRank(**values))
        return stored

    def layout_figures(self, batch_id: int, rank_type: RankType, *, limit: int) -> tuple[int, bool]:
        """How many checks were not understood (counted up to `limit`), and whether any was."""
        values = {"batch_id": batch_id, "rank_type": rank_type, "limit": limit}
        row = self._connection.execute(LAYOUT_FIGURES, values).one()
        return int(row.misread), bool(row.understood)


def search_from(row: Row[Any]) -> Search:
    """The search that a row's columns describe."""
    return Search(
        rank_type=RankType(row.rank_type),
        keyword=row.keyword,
        device=Device(row.device),
        vertical=row.vertical,
        location=None if row.x is None else Location(x=row.x, y=row.y),
    )
