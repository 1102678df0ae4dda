"""The tasks that work at site crawls: each number is open once, whoever asks for it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

from nightjar.application.crawl_repair import open_missing_slices
from nightjar.database.engine import Database
from tests.integration.site_crawls.desk import a_crawl, a_slice


def open_slices(database: Database, number: int) -> list[UUID]:
    with database.transaction() as uow:
        return uow.crawl_slices.open(number, correlation_id="test")


def keys(database: Database) -> Sequence[str]:
    query = "SELECT exclusive_key FROM tasks WHERE state IN ('pending', 'in_progress') ORDER BY exclusive_key"
    with database.transaction() as uow:
        return list(uow.connection.exec_driver_sql(query).scalars())


def test_many_that_ask_at_once_open_each_number_once(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: open_slices(database, 3), range(24)))
    assert sum(map(len, opened)) == 3
    assert keys(database) == ["crawl_slice:1", "crawl_slice:2", "crawl_slice:3"]


def test_a_number_is_opened_again_when_its_slice_has_ended(database: Database) -> None:
    (first,) = open_slices(database, 1)
    assert open_slices(database, 1) == []
    with database.transaction() as uow:
        claim = uow.tasks.claim(first, lease=timedelta(minutes=1))
        assert claim is not None
        uow.tasks.complete(claim, {"pages": 0})
    assert len(open_slices(database, 2)) == 2
    with database.transaction() as uow:
        assert uow.crawl_slices.count() == (2, 2)


def test_the_janitor_opens_slices_where_there_is_work_and_nobody_at_it(database: Database) -> None:
    assert open_missing_slices(database.transaction) == 0
    desk = a_crawl(database)
    with database.transaction() as uow:
        uow.connection.exec_driver_sql("DELETE FROM tasks WHERE kind = 'crawl_slice'")
    assert open_missing_slices(database.transaction) == 1
    assert open_missing_slices(database.transaction) == 0
    a_slice(database)
    desk.run("UPDATE crawl_hosts SET due_at = now() + interval '1 h'")
    assert open_missing_slices(database.transaction) == 0


def test_the_janitor_opens_no_more_than_a_few_at_once(database: Database) -> None:
    for _ in range(9):
        a_crawl(database)
    opened = open_missing_slices(database.transaction) + 1  # the first was opened with the first crawl
    assert opened == 4


def test_slices_are_counted_apart_from_other_tasks(database: Database) -> None:
    a_crawl(database)
    with database.transaction() as uow:
        assert uow.crawl_slices.count() == (0, 1)  # it is in progress
        uow.crawl_slices.open(3, correlation_id="test")
        assert uow.crawl_slices.count() == (2, 3)
