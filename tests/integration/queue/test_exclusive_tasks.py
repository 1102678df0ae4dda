"""Of all open tasks with one exclusive key there is one, whoever adds them and when."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pytest

from nightjar.database.engine import Database
from nightjar.database.tasks import ExclusiveKeyTaken, NewTask
from nightjar.tasks import Queue, TaskKind


def add(database: Database, key: str | None) -> UUID:
    with database.transaction() as uow:
        return uow.tasks.add(
            NewTask(kind=TaskKind.RANK_CHECK, queue=Queue.STORES, owner="shop", correlation_id="c-1", exclusive_key=key)
        )


def test_the_second_is_told_which_task_has_the_key(database: Database) -> None:
    first = add(database, "account:1")
    with pytest.raises(ExclusiveKeyTaken) as caught:
        add(database, "account:1")
    assert caught.value.holder == first
    assert caught.value.details == {"task_id": str(first)}


def test_other_keys_and_tasks_without_one_are_not_in_the_way(database: Database) -> None:
    added = [add(database, key) for key in ("account:1", "account:2", None, None)]
    assert len(set(added)) == 4


@pytest.mark.parametrize("claimed", [False, True])
def test_the_key_is_free_again_once_its_task_has_ended(database: Database, claimed: bool) -> None:
    first = add(database, "account:1")
    with database.transaction() as uow:
        if claimed:
            claim = uow.tasks.claim(first, lease=timedelta(seconds=60))
            assert claim is not None
            uow.tasks.complete(claim, {})
        else:
            uow.tasks.request_cancel(first)
    assert add(database, "account:1") != first


def test_a_running_task_that_was_asked_to_stop_keeps_its_key_until_it_has(database: Database) -> None:
    first = add(database, "account:1")
    with database.transaction() as uow:
        assert uow.tasks.claim(first, lease=timedelta(seconds=60))
        assert uow.tasks.request_cancel(first)
    with pytest.raises(ExclusiveKeyTaken):
        add(database, "account:1")


def test_of_many_at_the_same_moment_one_gets_the_key_and_the_others_are_told_who(database: Database) -> None:
    start = Barrier(8)

    def try_to_add(_: int) -> UUID | ExclusiveKeyTaken:
        start.wait()
        try:
            return add(database, "account:1")
        except ExclusiveKeyTaken as taken:
            return taken

    with ThreadPoolExecutor(max_workers=8) as pool:
        results = list(pool.map(try_to_add, range(8)))
    (winner,) = (result for result in results if isinstance(result, UUID))
    assert [result.holder for result in results if isinstance(result, ExclusiveKeyTaken)] == [winner] * 7
