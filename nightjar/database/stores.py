"""Stores of shop owners: saved as a whole crawl, with a record of each field that changed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from nightjar.domain.store import SavedStores, Store, StoreChange

TYPES = {
    "store_name": "text",
    "business_type": "text",
    "sub_type": "text",
    "brand": "text",
    "address": "text",
    "road_address": "text",
    "lat": "double precision",
    "lng": "double precision",
    "phone": "text",
    "status": "text",
    "business_no": "text",
}
"""The fields whose changes are recorded, with their column types."""

FIELDS = tuple(TYPES)

# All rows travel as one JSON value. Two crawls of one owner may hold the same store: the lock makes one save follow the
# other, so that rows taken in different orders never lead to a deadlock.
ONE_SAVE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('stores of ' || :platform || :owner, 0))")

WANTED = f"""
    SELECT DISTINCT ON (platform_store_id) *
    FROM jsonb_to_recordset(CAST(:stores AS jsonb))
         AS w (platform_store_id text, raw_label text, source text, gone text[], {", ".join(f"{name} {kind}" for name, kind in TYPES.items())})
    ORDER BY platform_store_id
"""  # noqa: E501, S608  # a constant

ADD_NEW = text(f"""
    INSERT INTO stores (owner, platform, account_id, platform_store_id, raw_label, source, {", ".join(FIELDS)})
    SELECT :owner, :platform, CAST(:account_id AS uuid), platform_store_id, raw_label, source, {", ".join(FIELDS)}
    FROM ({WANTED}) AS w ORDER BY platform_store_id
    ON CONFLICT (owner, platform, platform_store_id) DO NOTHING
    RETURNING id
""")  # noqa: S608  # a constant

KEPT = ", ".join(
    f"CASE WHEN w.{name} IS NULL AND NOT coalesce('{name}' = ANY(w.gone), false) THEN o.{name} ELSE w.{name} END AS {name}"  # noqa: E501
    for name in FIELDS
    if name != "store_name"
)
"""What a field is after this crawl: unknown takes nothing back, unless the site showed that there is nothing."""

COMPARED = ", ".join(
    f"('{name}', {position}, CAST(o.{name} AS text), CAST(m.{name} AS text))" for position, name in enumerate(FIELDS)
)

UPDATE_KNOWN = text(f"""
    WITH w AS ({WANTED}),
    o AS (
        SELECT s.* FROM stores AS s JOIN w USING (platform_store_id)
        WHERE s.owner = :owner AND s.platform = :platform AND s.id <> ALL(CAST(:created AS bigint[]))
        ORDER BY s.platform_store_id FOR UPDATE OF s
    ),
    m AS (
        SELECT o.id, o.platform_store_id, w.store_name, {KEPT}, coalesce(w.raw_label, o.raw_label) AS raw_label,
               w.source
        FROM o JOIN w USING (platform_store_id)
    ),
    changed AS (
        SELECT o.id, o.platform_store_id, c.field, c.position, c.old_value, c.new_value
        FROM o JOIN m USING (id)
        CROSS JOIN LATERAL (VALUES {COMPARED}, (
            'missing_since', {len(FIELDS)}, CAST(o.missing_since AS text), NULL)) AS c (field, position, old_value, new_value)
        WHERE c.old_value IS DISTINCT FROM c.new_value
    ),
    recorded AS (
        INSERT INTO store_changes (store_id, task_id, field, old_value, new_value)
        SELECT id, CAST(:task_id AS uuid), field, old_value, new_value FROM changed ORDER BY id, position
    ),
    written AS (
        UPDATE stores AS s
        SET ({", ".join(FIELDS)}, raw_label, source) = ({", ".join(f"m.{name}" for name in FIELDS)}, m.raw_label, m.source),
            account_id = CAST(:account_id AS uuid), last_seen_at = clock_timestamp(), missing_since = NULL,
            changed_at = CASE WHEN EXISTS (SELECT FROM changed WHERE changed.id = m.id) THEN clock_timestamp()
                              ELSE s.changed_at END
        FROM m WHERE s.id = m.id
        RETURNING s.id
    )
    SELECT written.id, changed.platform_store_id, changed.field, changed.old_value, changed.new_value
    FROM written LEFT JOIN changed USING (id)
    ORDER BY written.id, changed.position
""")  # noqa: E501, S608  # a constant

MARK_MISSING = text("""
    WITH gone AS (
        SELECT id FROM stores
        WHERE account_id = CAST(:account_id AS uuid) AND missing_since IS NULL
          AND platform_store_id <> ALL(CAST(:present AS text[]))
        ORDER BY platform_store_id FOR UPDATE
    ),
    marked AS (
        UPDATE stores AS s SET missing_since = clock_timestamp(), changed_at = clock_timestamp()
        FROM gone WHERE s.id = gone.id
        RETURNING s.id, s.platform_store_id, CAST(s.missing_since AS text) AS new_value
    ),
    recorded AS (
        INSERT INTO store_changes (store_id, task_id, field, old_value, new_value)
        SELECT id, CAST(:task_id AS uuid), 'missing_since', NULL, new_value FROM marked ORDER BY id
    )
    SELECT platform_store_id, 'missing_since' AS field, CAST(NULL AS text) AS old_value, new_value
    FROM marked ORDER BY id
""")

# What changed last: all that the last crawl which found any change found.
PAGE = text("""
    SELECT s.*, last.task_id AS changed_by, coalesce(changes.items, '[]') AS last_changes
    FROM stores AS s
    LEFT JOIN LATERAL (
        SELECT c.task_id FROM store_changes AS c WHERE c.store_id = s.id ORDER BY c.id DESC LIMIT 1) AS last ON true
    LEFT JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_object('field', c.field, 'old_value', c.old_value, 'new_value', c.new_value)
                         ORDER BY c.id) AS items
        FROM store_changes AS c WHERE c.store_id = s.id AND c.task_id = last.task_id) AS changes ON true
    WHERE (CAST(:owner AS text) IS NULL OR s.owner = :owner)
      AND (CAST(:platform AS text) IS NULL OR s.platform = :platform)
      AND (CAST(:account_id AS uuid) IS NULL OR s.account_id = CAST(:account_id AS uuid))
      AND (CAST(:platform_store_id AS text) IS NULL OR s.platform_store_id = :platform_store_id)
      AND (CAST(:status AS text) IS NULL OR s.status = :status)
      AND (CAST(:missing AS boolean) IS NULL OR (s.missing_since IS NOT NULL) = CAST(:missing AS boolean))
      AND (CAST(:changed_since AS timestamptz) IS NULL OR s.changed_at >= CAST(:changed_since AS timestamptz))
      AND (CAST(:before AS bigint) IS NULL OR s.id < :before)
    ORDER BY s.id DESC LIMIT :limit
""")

NO_FILTERS: Mapping[str, object] = dict.fromkeys(
    ("platform", "account_id", "platform_store_id", "status", "missing", "changed_since")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRow:
    """A stored store. `last_changes` are those that the crawl `changed_by` found; a new store has none yet."""

    id: int
    owner: str
    platform: str
    account_id: UUID
    platform_store_id: str
    store_name: str
    business_type: str | None
    sub_type: str | None
    brand: str | None
    address: str | None
    road_address: str | None
    lat: float | None
    lng: float | None
    phone: str | None
    status: str | None
    business_no: str | None
    raw_label: str | None
    source: str
    first_seen_at: datetime
    last_seen_at: datetime
    changed_at: datetime
    missing_since: datetime | None
    changed_by: UUID | None
    last_changes: tuple[StoreChange, ...]


class Stores:
    """Rows of `stores` and `store_changes`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(
        self,
        *,
        owner: str,
        platform: str,
        account_id: UUID,
        stores: Sequence[Store],
        task_id: UUID,
        complete: bool = True,
    ) -> SavedStores:
        """Keep what a crawl read, one row per store, and record what is not as it was.

        A field that was not read leaves the known value alone unless the store says that it is gone. If the list was
        complete, stores of the account that it lacks are marked missing; they and their history stay. Of one store
        given twice one is kept.
        """
        self._connection.execute(ONE_SAVE_AT_A_TIME, {"owner": owner, "platform": platform})
        given = {store.platform_store_id for store in stores}
        values = {
            "owner": owner,
            "platform": platform,
            "account_id": account_id,
            "task_id": task_id,
            "stores": json.dumps([asdict(store) | {"gone": sorted(store.gone)} for store in stores]),
            "present": sorted(given),
        }
        created = [row.id for row in self._connection.execute(ADD_NEW, values)]
        known = self._connection.execute(UPDATE_KNOWN, values | {"created": created}).all()
        updated = {row.id for row in known if row.field is not None}
        missing = self._connection.execute(MARK_MISSING, values).all() if complete else []
        return SavedStores(
            created=len(created),
            updated=len(updated),
            unchanged=len({row.id for row in known} - updated),
            missing=len(missing),
            changes=tuple(_change(row) for row in (*known, *missing) if row.field is not None),
        )

    def page(
        self, *, owner: str | None, before: int | None, limit: int, filters: Mapping[str, object]
    ) -> list[StoreRow]:
        """Up to `limit` stores, newest first, older than `before`.

        Filters: platform, account_id, platform_store_id, status, missing (a truth value), changed_since (a moment).
        """
        values = {**NO_FILTERS, **filters, "owner": owner, "before": before, "limit": limit}
        return [_store_row(row) for row in self._connection.execute(PAGE, values)]


def _change(row: Row[Any]) -> StoreChange:
    return StoreChange(
        platform_store_id=row.platform_store_id, field=row.field, old_value=row.old_value, new_value=row.new_value
    )


def _store_row(row: Row[Any]) -> StoreRow:
    changes = tuple(StoreChange(platform_store_id=row.platform_store_id, **change) for change in row.last_changes)
    return StoreRow(**(row._asdict() | {"last_changes": changes}))
