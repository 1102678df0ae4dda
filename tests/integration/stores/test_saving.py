"""Stores are saved as a whole crawl; what changed is recorded; what was not read takes nothing back."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from sqlalchemy import text

from nightjar.database.engine import Database
from nightjar.domain.store import SavedStores, StoreChange
from tests.integration.stores.records import a_store, an_account, saved, stored


def counts(result: SavedStores) -> tuple[int, int, int, int]:
    return result.created, result.updated, result.unchanged, result.missing


def test_a_first_crawl_creates_and_the_same_again_changes_nothing(database: Database) -> None:
    account = an_account(database)
    stores = [a_store("10000001", phone="02-000-0000", lat=37.501, lng=127.025), a_store("10000002")]
    assert counts(saved(database, account, *stores)) == (2, 0, 0, 0)
    first = stored(database)
    assert counts(saved(database, account, *stores)) == (0, 0, 2, 0)
    again = stored(database)
    for number, before in first.items():
        assert again[number].changed_at == before.changed_at
        assert again[number].last_seen_at > before.last_seen_at
        assert again[number].last_changes == ()
    assert (again["10000001"].phone, again["10000001"].lat, again["10000002"].phone) == ("02-000-0000", 37.501, None)


def test_each_field_that_changed_is_recorded_with_both_values(database: Database) -> None:
    account = an_account(database)
    saved(database, account, a_store(store_name="가상분식", status="OPEN", lat=37.5))
    result = saved(database, account, a_store(store_name="가상분식 본점", status="CLOSED", lat=37.25, phone="02-1"))
    assert counts(result) == (0, 1, 0, 0)
    expected = [
        ("store_name", "가상분식", "가상분식 본점"),
        ("lat", "37.5", "37.25"),
        ("phone", None, "02-1"),
        ("status", "OPEN", "CLOSED"),
    ]
    assert [(change.field, change.old_value, change.new_value) for change in result.changes] == expected
    row = stored(database)["10000001"]
    assert row.last_changes == result.changes
    assert row.changed_at > row.first_seen_at


def test_only_the_changes_of_the_last_crawl_that_found_any_are_the_last_ones(database: Database) -> None:
    account = an_account(database)
    for name in ("하나", "둘", "셋", "셋"):
        saved(database, account, a_store(store_name=name))
    assert stored(database)["10000001"].last_changes == (
        StoreChange(platform_store_id="10000001", field="store_name", old_value="둘", new_value="셋"),
    )


def test_what_was_not_read_leaves_the_known_value_alone(database: Database) -> None:
    account = an_account(database)
    saved(database, account, a_store(phone="02-1", address="모형로 1", raw_label="가상분식 10000001"))
    assert counts(saved(database, account, a_store(source="select"))) == (0, 0, 1, 0)
    row = stored(database)["10000001"]
    assert (row.phone, row.address, row.raw_label, row.source) == ("02-1", "모형로 1", "가상분식 10000001", "select")


def test_what_the_site_shows_to_be_gone_is_taken_back(database: Database) -> None:
    account = an_account(database)
    saved(database, account, a_store(phone="02-1", address="모형로 1"))
    result = saved(database, account, a_store(gone=frozenset({"phone"})))
    assert [(change.field, change.old_value, change.new_value) for change in result.changes] == [
        ("phone", "02-1", None)
    ]
    assert (stored(database)["10000001"].phone, stored(database)["10000001"].address) == (None, "모형로 1")


def test_a_store_that_a_complete_list_lacks_is_missing_once_and_may_come_back(database: Database) -> None:
    account = an_account(database)
    saved(database, account, a_store("1"), a_store("2"))
    assert counts(saved(database, account, a_store("1"), complete=False)) == (0, 0, 1, 0)
    gone = saved(database, account, a_store("1"))
    assert counts(gone) == (0, 0, 1, 1)
    assert [change.field for change in gone.changes] == ["missing_since"]
    assert counts(saved(database, account, a_store("1"))) == (0, 0, 1, 0)
    assert stored(database)["2"].missing_since is not None
    assert counts(saved(database, account, a_store("1"), a_store("2"))) == (0, 1, 1, 0)
    assert stored(database)["2"].missing_since is None


def test_another_accounts_crawl_makes_nothing_of_this_account_missing(database: Database) -> None:
    one, other = an_account(database), an_account(database)
    saved(database, one, a_store("1"))
    assert counts(saved(database, other, a_store("2"))) == (1, 0, 0, 0)
    assert stored(database)["1"].missing_since is None


def test_owners_have_stores_of_their_own_even_of_the_same_number(database: Database) -> None:
    saved(database, an_account(database, owner="shop"), a_store("1", store_name="하나"))
    saved(database, an_account(database, owner="rival"), a_store("1", store_name="둘"))
    assert stored(database, "shop")["1"].store_name == "하나"
    assert stored(database, "rival")["1"].store_name == "둘"


def test_a_store_given_twice_is_kept_once(database: Database) -> None:
    assert counts(saved(database, an_account(database), a_store("1"), a_store("1"), a_store("2"))) == (2, 0, 0, 0)


def test_a_crawl_that_is_taken_back_leaves_nothing(database: Database) -> None:
    account = an_account(database)
    try:
        with database.transaction() as uow:
            uow.stores.save(owner="shop", platform="baemin", account_id=account.id, stores=[a_store()], task_id=uuid4())
            raise KeyError  # noqa: TRY301  # what happens on the way to the commit
    except KeyError:
        pass
    assert stored(database) == {}


def test_crawls_of_two_accounts_with_the_same_stores_save_at_once_without_a_deadlock(database: Database) -> None:
    accounts = [an_account(database) for _ in range(4)]
    numbers = [str(number) for number in range(60)]

    def save(turn: int) -> SavedStores:
        order = numbers if turn % 2 else numbers[::-1]
        return saved(database, accounts[turn % 4], *(a_store(number, phone=f"02-{turn}") for number in order))

    with ThreadPoolExecutor(max_workers=4) as pool:
        results = list(pool.map(save, range(8)))
    assert sum(result.created for result in results) == 60
    assert {result.created + result.updated + result.unchanged for result in results} == {60}
    with database.transaction() as uow:
        changes = uow.connection.execute(text("SELECT count(*) FROM store_changes WHERE field = 'phone'")).scalar_one()
    assert changes == sum(result.updated for result in results)


def test_saves_of_one_owner_follow_each_other_and_other_owners_do_not_wait(database: Database) -> None:
    first, second, other = an_account(database), an_account(database), an_account(database, owner="rival")
    with ThreadPoolExecutor(max_workers=2) as pool:
        with database.transaction() as uow:
            uow.stores.save(
                owner="shop", platform="baemin", account_id=first.id, stores=[a_store("1")], task_id=uuid4()
            )
            waiting = pool.submit(saved, database, second, a_store("2"))
            assert pool.submit(saved, database, other, a_store("3")).result(timeout=10).created == 1
            assert not waiting.done()
        assert waiting.result(timeout=10).created == 1
