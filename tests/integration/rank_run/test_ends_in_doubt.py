"""A list that ended where it may have been cut: the check keeps where, and comes back for a second look."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from nightjar.application.rank_checking import CheckRules, Postponed, SettledReading, begin, store_fault
from nightjar.database.engine import Database
from nightjar.domain.rank import Outcome
from nightjar.errors import Blocked, EndInDoubt, ErrorCode, HostBusy, RetryLater, TaskFailure
from tests.factories import NIGHT, a_task, a_tracking

RULES = CheckRules(retry_delay=timedelta(0), cooldown=timedelta(0))


@pytest.fixture
def check(database: Database) -> UUID:
    """A check of one tracking that nobody has begun."""
    tracking_id, task_id = a_tracking(database), a_task(database)
    with database.transaction() as uow:
        uow.rank_checks.add(task_id, tracking_id=tracking_id, checked_on=NIGHT)
    return task_id


def attempt(
    database: Database, check: UUID, fault: TaskFailure | HostBusy
) -> tuple[int | None, Postponed | SettledReading]:
    """One attempt that ends with a fault: the end that it was told of, and what becomes of the check."""
    with database.transaction() as uow:
        claim = uow.tasks.claim(check, lease=timedelta(seconds=60))
        assert claim is not None
        wanted = begin(uow, claim)
    with database.transaction() as uow:
        ended = store_fault(uow, claim, wanted, fault, rules=RULES, source="page", jitter=0)
    return wanted.check.seen_end, ended


def test_the_next_attempt_is_told_where_the_list_ended(database: Database, check: UUID) -> None:
    told = [attempt(database, check, EndInDoubt("it ended", rows=rows))[0] for rows in (33, 62, 62)]
    assert told == [None, 33, 62]


@pytest.mark.parametrize(
    "fault",
    [
        RetryLater(ErrorCode.TIMEOUT, "too slow"),
        Blocked("refused"),
        HostBusy("search.example:443", not_before=datetime(2026, 3, 2, tzinfo=UTC)),
    ],
)
def test_what_came_in_between_does_not_make_an_end_forgotten(
    database: Database, check: UUID, fault: TaskFailure | HostBusy
) -> None:
    attempt(database, check, EndInDoubt("it ended", rows=33))
    attempt(database, check, fault)
    assert attempt(database, check, EndInDoubt("it ended", rows=33))[0] == 33


def test_a_second_look_costs_an_attempt_and_three_different_ends_stay_unknown(database: Database, check: UUID) -> None:
    ends = [attempt(database, check, EndInDoubt(f"it ended after {rows}", rows=rows))[1] for rows in (33, 62, 90)]
    assert [getattr(end, "costs_an_attempt", None) for end in ends] == [True, True, None]
    last = ends[-1]
    assert isinstance(last, SettledReading)
    assert [(row.outcome, row.reason) for row in last.stored] == [
        (Outcome.UNKNOWN, "upstream_error: it ended after 90")
    ]
