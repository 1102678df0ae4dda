"""What the tests of accounts and stores share: stored accounts and stores with full defaults."""

from itertools import count
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from nightjar.database.engine import Database
from nightjar.database.stores import StoreRow
from nightjar.domain.account import Account, Platform
from nightjar.domain.store import SavedStores, Store

_numbers = count(1)


def an_account(database: Database, *, owner: str = "shop", login_id: str | None = None) -> Account:
    """A stored account whose credentials nobody keeps."""
    with database.transaction() as uow:
        return uow.accounts.give_credentials(
            uuid4(), owner=owner, platform=Platform.BAEMIN, login_id=login_id or f"lantern{next(_numbers):03}"
        )


def account_now(database: Database, account_id: UUID) -> Account:
    with database.transaction() as uow:
        account = uow.accounts.get(account_id, owner=None)
    assert account is not None
    return account


def a_store(number: str = "10000001", **fields: Any) -> Store:
    return Store(**({"platform_store_id": number, "store_name": f"가상분식 {number}", "source": "detail"} | fields))


def saved(database: Database, account: Account, *stores: Store, complete: bool = True) -> SavedStores:
    """What saving the stores of one crawl says."""
    with database.transaction() as uow:
        return uow.stores.save(
            owner=account.owner,
            platform=account.platform,
            account_id=account.id,
            stores=stores,
            task_id=uuid4(),
            complete=complete,
        )


def stored(database: Database, owner: str = "shop") -> dict[str, StoreRow]:
    """The stored stores of an owner by their number."""
    with database.transaction() as uow:
        rows = uow.stores.page(owner=owner, before=None, limit=1_000, filters={})
    return {row.platform_store_id: row for row in rows}


def pass_time(database: Database, account_id: UUID) -> None:
    """The back-off of an account is over."""
    with database.transaction() as uow:
        past = "UPDATE accounts SET blocked_until = clock_timestamp() - interval '1 s' WHERE id = :id"
        uow.connection.execute(text(past), {"id": account_id})
