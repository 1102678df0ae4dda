"""Forms of URLs whose pages say the same again and again but for numbers: endless calendars and the like."""

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Connection, text

PAGES_OF_A_TRAP = 20
"""So many pages in a row of one form of URL that say the same but for numbers are a trap."""

# For each form of URL how many of its last pages were alike but for numbers. The batch comes as runs of equal shapes.
NOTE_SHAPES = text("""
    INSERT INTO url_templates AS t (crawl_id, template, shape, alike)
    SELECT :crawl_id, n.template, n.last, n.alike
    FROM json_to_recordset(CAST(:shapes AS json)) AS n (template text, last uuid, alike integer)
    ORDER BY n.template
    ON CONFLICT (crawl_id, template) DO UPDATE
        SET alike = CASE WHEN t.shape = excluded.shape THEN t.alike + excluded.alike ELSE excluded.alike END,
            shape = excluded.shape
    RETURNING t.template, t.alike
""")

TRAPS = text("SELECT template FROM url_templates WHERE crawl_id = :crawl_id AND alike >= :alike")


class UrlTraps:
    """Rows of `url_templates`, written while the row of their crawl is locked."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def note_shapes(self, crawl_id: UUID, shapes: Mapping[str, Sequence[UUID]]) -> frozenset[str]:
        """Note the shapes of new pages by the template of their URLs; the templates that turned out to be traps."""
        runs = [
            {"template": template, "last": str(found[-1]), "alike": _run_length(found)}
            for template, found in shapes.items()
        ]
        rows = self._connection.execute(NOTE_SHAPES, {"crawl_id": crawl_id, "shapes": json.dumps(runs)})
        return frozenset(row.template for row in rows if row.alike >= PAGES_OF_A_TRAP)

    def traps(self, crawl_id: UUID) -> frozenset[str]:
        """The templates of URLs that turned out to be traps."""
        rows = self._connection.execute(TRAPS, {"crawl_id": crawl_id, "alike": PAGES_OF_A_TRAP})
        return frozenset(row.template for row in rows)


def _run_length(shapes: Sequence[UUID]) -> int:
    """How many at the end are equal."""
    last = shapes[-1]
    return next((length for length, shape in enumerate(reversed(shapes)) if shape != last), len(shapes))
