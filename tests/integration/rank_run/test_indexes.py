"""Statements over millions of rows find their rows by an index, in its order."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import TextClause, text

from nightjar.database.cafes import LOCK
from nightjar.database.engine import Database
from nightjar.database.tasks import DELETE_EXPIRED, PAGE

OPERATOR: Mapping[str, object] = {"owner": None, "kind": None, "states": None, "before_at": None, "before_id": None}
LATER = {"before_at": datetime(2026, 3, 2, tzinfo=UTC), "before_id": uuid4()}


def plan_of(database: Database, statement: TextClause, values: Mapping[str, object]) -> str:
    """The plan if reading a whole table or sorting cost very much, as it does when the table is large."""
    with database.transaction() as uow:
        for way in ("seqscan", "sort"):
            uow.connection.execute(text(f"SET LOCAL enable_{way} = off"))
        lines = uow.connection.execute(text(f"EXPLAIN {statement.text}"), values).scalars()
        return "\n".join(str(line) for line in lines)


@pytest.mark.parametrize(
    ("values", "index"),
    [
        (OPERATOR, "tasks_by_age"),
        ({**OPERATOR, **LATER}, "tasks_by_age"),
        ({**OPERATOR, **LATER, "states": ["pending", "in_progress"]}, "tasks_by_age"),
        ({**OPERATOR, "owner": "shop"}, "tasks_of_owner"),
        ({**OPERATOR, **LATER, "owner": "shop"}, "tasks_of_owner"),
    ],
)
def test_a_page_of_tasks_is_read_in_the_order_of_an_index(
    database: Database, values: Mapping[str, object], index: str
) -> None:
    plan = plan_of(database, PAGE, {**values, "limit": 50})
    assert f"using {index}" in plan
    assert "Sort" not in plan


def test_a_page_after_another_begins_where_that_ended(database: Database) -> None:
    plan = plan_of(database, PAGE, {**OPERATOR, **LATER, "limit": 50})
    assert "Index Cond: (ROW(created_at, id) < ROW" in plan


def test_old_tasks_are_found_by_their_end(database: Database) -> None:
    plan = plan_of(database, DELETE_EXPIRED, {"age": timedelta(days=30), "page": 5_000})
    assert "using tasks_by_end" in plan
    assert "Sort" not in plan


def test_the_trackings_of_a_cafe_are_found_by_its_number(database: Database) -> None:
    assert "trackings_of_club" in plan_of(database, LOCK, {"ids": [1], "clubs": ["club:10008888"]})
