import threading
from datetime import timedelta

from sqlalchemy import text

from nightjar.application.rank_run import OpenedBatch
from nightjar.database.engine import Database
from nightjar.domain.tracking import Device, Location, RankType, Source
from tests.factories import NIGHT, a_night, a_search, a_tracking, some_rules


def checks(database: Database, batch_id: int) -> list[list[int]]:
    with database.transaction() as uow:
        rows = uow.connection.execute(
            text("SELECT tracking_ids FROM rank_checks WHERE batch_id = :id ORDER BY tracking_ids"), {"id": batch_id}
        )
        return [list(row.tracking_ids) for row in rows]


def test_trackings_that_share_all_that_a_search_depends_on_share_one_check(database: Database) -> None:
    mine, yours = a_tracking(database, owner="mine"), a_tracking(database, owner="yours")
    night = a_night(database)
    assert checks(database, night.batch_id) == [[mine, yours]]
    assert (night.total, night.checks) == (2, 1)


def test_trackings_that_differ_in_vertical_location_or_device_do_not_share(database: Database) -> None:
    searches = [
        a_search(RankType.PLACE),
        a_search(RankType.PLACE, vertical="hairshop"),
        a_search(RankType.PLACE, location=Location(x=127.1, y=37.5)),
        a_search(RankType.PLACE, location=Location(x=127.1, y=37.6)),
        a_search(RankType.PLACE, device=Device.PC),
        a_search(RankType.BLOG),
        a_search(RankType.CAFE),
    ]
    for number, search in enumerate(searches):
        a_tracking(database, search, key=f"place:{number}")
    assert a_night(database).checks == len(searches)


def test_a_stopped_tracking_is_not_checked(database: Database) -> None:
    kept, stopped = a_tracking(database), a_tracking(database)
    with database.transaction() as uow:
        uow.trackings.stop(stopped, owner=None)
    assert checks(database, a_night(database).batch_id) == [[kept]]


def test_a_second_delivery_of_the_same_night_changes_nothing(database: Database) -> None:
    a_tracking(database)
    first, second = a_night(database), a_night(database)
    assert (first.is_new, second.is_new) == (True, False)
    assert first.batch_id == second.batch_id
    assert len(checks(database, first.batch_id)) == 1


def test_two_deliveries_at_the_same_moment_make_one_batch(database: Database) -> None:
    for number in range(50):
        a_tracking(database, a_search(keyword=f"단어 {number}"))
    start = threading.Barrier(4)
    opened: list[OpenedBatch] = []

    def deliver() -> None:
        start.wait()
        opened.append(a_night(database))

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(batch.is_new for batch in opened) == [False, False, False, True]
    assert len(checks(database, opened[0].batch_id)) == 50


def test_rank_types_take_turns_so_that_all_hosts_have_work_from_the_start(database: Database) -> None:
    for number in range(3):
        a_tracking(database, a_search(RankType.BLOG, f"단어 {number}"))
    for number in range(3):
        a_tracking(database, a_search(RankType.PLACE, f"단어 {number}"), key=f"place:{number}")
    night = a_night(database)
    with database.transaction() as uow:
        rows = uow.connection.execute(
            text("""SELECT s.rank_type FROM tasks t JOIN rank_checks c ON c.task_id = t.id
                    JOIN searches s ON s.id = c.search_id WHERE t.batch_id = :id ORDER BY t.seq"""),
            {"id": night.batch_id},
        )
        assert [row.rank_type for row in rows] == ["blog", "place"] * 3


def test_the_batch_gets_the_time_that_its_busiest_host_needs(database: Database) -> None:
    for number in range(10):
        a_tracking(database, a_search(RankType.BLOG, f"단어 {number}"))
    night = a_night(database, rules=some_rules(delay=100, timeout=60))
    # Of each list of 100 rows the first load comes from one host and three more from another.
    assert night.estimate == timedelta(seconds=10 * 3 * 100)
    assert night.timeout == 1.5 * night.estimate


def test_the_official_api_needs_one_request_a_check(database: Database) -> None:
    a_tracking(database)
    rules = some_rules(
        delay=100, timeout=60, sources={**dict.fromkeys(RankType, Source.OFF), RankType.BLOG: Source.API}
    )
    assert a_night(database, NIGHT, rules=rules).estimate == timedelta(seconds=100)
