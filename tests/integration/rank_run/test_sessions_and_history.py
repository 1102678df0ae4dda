from datetime import date, timedelta

from nightjar.database.engine import Database
from nightjar.domain.rank import Outcome, RankResult
from tests.factories import NIGHT, a_tracking, exposed, not_exposed, unknown


def save(database: Database, result: RankResult, day: date) -> None:
    with database.transaction() as uow:
        uow.rank_history.save([result], checked_on=day, source="page", batch_id=None)


def sessions(database: Database, tracking_id: int) -> list[int]:
    with database.transaction() as uow:
        rows = uow.rank_history.page(tracking_id, before=None, limit=200)
    return [row.session_number for row in reversed(rows)]


def current_session(database: Database, tracking_id: int) -> int:
    with database.transaction() as uow:
        view = uow.trackings.get(tracking_id, owner=None)
    assert view is not None
    return view.tracking.current_session


def test_the_twenty_sixth_exposed_day_is_in_the_second_session(database: Database) -> None:
    tracking_id = a_tracking(database)
    for day in range(26):
        save(database, exposed(tracking_id), NIGHT + timedelta(days=day))
    assert sessions(database, tracking_id) == [1] * 25 + [2]


def test_days_without_a_rank_do_not_fill_a_session(database: Database) -> None:
    tracking_id = a_tracking(database)
    for day in range(24):
        save(database, exposed(tracking_id), NIGHT + timedelta(days=day))
    save(database, not_exposed(tracking_id), NIGHT + timedelta(days=24))
    save(database, unknown(tracking_id), NIGHT + timedelta(days=25))
    assert current_session(database, tracking_id) == 1
    save(database, exposed(tracking_id), NIGHT + timedelta(days=26))
    assert current_session(database, tracking_id) == 2


def test_a_rerun_of_the_day_that_filled_a_session_stays_in_that_session(database: Database) -> None:
    tracking_id = a_tracking(database)
    for day in range(25):
        save(database, exposed(tracking_id), NIGHT + timedelta(days=day))
    save(database, exposed(tracking_id, rank=9), NIGHT + timedelta(days=24))
    assert sessions(database, tracking_id) == [1] * 25
    assert current_session(database, tracking_id) == 2


def test_sessions_never_go_back(database: Database) -> None:
    tracking_id = a_tracking(database)
    for day in range(25):
        save(database, exposed(tracking_id), NIGHT + timedelta(days=day))
    save(database, not_exposed(tracking_id), NIGHT + timedelta(days=24))
    assert current_session(database, tracking_id) == 2


def test_a_rerun_replaces_the_row_of_the_day(database: Database) -> None:
    tracking_id = a_tracking(database)
    save(database, exposed(tracking_id, rank=3), NIGHT)
    save(database, not_exposed(tracking_id), NIGHT)
    with database.transaction() as uow:
        rows = uow.rank_history.page(tracking_id, before=None, limit=9)
    assert [(row.outcome, row.rank) for row in rows] == [(Outcome.NOT_EXPOSED, None)]


def test_unknown_never_replaces_what_is_known(database: Database) -> None:
    tracking_id = a_tracking(database)
    save(database, exposed(tracking_id, rank=3), NIGHT)
    save(database, unknown(tracking_id), NIGHT)
    with database.transaction() as uow:
        view = uow.trackings.get(tracking_id, owner=None)
    assert view is not None
    assert view.last is not None
    assert (view.last.outcome, view.last.rank) == (Outcome.EXPOSED, 3)


def test_what_is_known_replaces_an_unknown_of_the_same_day(database: Database) -> None:
    tracking_id = a_tracking(database)
    save(database, unknown(tracking_id), NIGHT)
    save(database, exposed(tracking_id, rank=8), NIGHT)
    with database.transaction() as uow:
        rows = uow.rank_history.page(tracking_id, before=None, limit=9)
    assert [(row.outcome, row.rank, row.reason) for row in rows] == [(Outcome.EXPOSED, 8, None)]


def test_an_unknown_day_leaves_the_last_known_rank_alone(database: Database) -> None:
    tracking_id = a_tracking(database)
    save(database, exposed(tracking_id, rank=3), NIGHT)
    save(database, unknown(tracking_id), NIGHT + timedelta(days=1))
    with database.transaction() as uow:
        view = uow.trackings.get(tracking_id, owner=None)
    assert view is not None
    assert view.last is not None
    assert (view.last.outcome, view.last.rank, view.last.known_rank) == (Outcome.UNKNOWN, None, 3)
