"""Accounts of shop owners: their credentials and sessions are in the secret store, all else about them in rows.

The two are not one transaction. So credentials are put before the row says that there are new ones, and deleted after
it says that there is no such account: a process that dies in between leaves nothing that a crawl could use wrongly, and
the same request again puts it right.
"""

import json
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from nightjar.database.engine import Transactions
from nightjar.domain.account import Account, Platform, exclusive_key
from nightjar.errors import Conflict, NotFound
from nightjar.ports import SecretStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What an owner logs in with. Never in a repr, and so never in a log line or a trace."""

    login_id: str = field(repr=False)
    password: str = field(repr=False)


def give_credentials(
    transactions: Transactions, secrets: SecretStore, credentials: Credentials, *, owner: str, platform: Platform
) -> Account:
    """A new account, or the one of this login with other credentials: ready to be crawled again.

    The saved session goes: the next crawl shows whether these credentials are right.

    Raises:
        SecretsUnavailable: nothing has changed, or the same request again completes it.
        Conflict: the account was deleted at this moment.
    """
    with transactions() as uow:
        known = uow.accounts.id_of(owner=owner, platform=platform, login_id=credentials.login_id)
    account_id = known or uuid4()
    _keep(secrets, account_id, credentials)
    try:
        with transactions() as uow:
            account = uow.accounts.give_credentials(
                account_id, owner=owner, platform=platform, login_id=credentials.login_id
            )
    except Conflict:  # the account was deleted in between: its credentials must not come back
        secrets.delete(credentials_name(account_id))
        raise
    if account.id != account_id:  # somebody else gave the same login for the first time at this moment
        _keep(secrets, account.id, credentials)
        secrets.delete(credentials_name(account_id))
    secrets.delete(session_name(account.id))
    return account


def account_of(transactions: Transactions, account_id: UUID, *, owner: str | None) -> Account:
    """The account, for its owner or (None) for an operator. Raises NotFound."""
    with transactions() as uow:
        account = uow.accounts.get(account_id, owner=owner)
    if account is None:
        raise NotFound(f"there is no account {account_id}")
    return account


def delete_account(
    transactions: Transactions, secrets: SecretStore, account_id: UUID, *, owner: str | None
) -> UUID | None:
    """Forget login, credentials and session; the stores stay. The id of its crawl that was asked to stop, if one ran.

    Safe to repeat: an account that was deleted before is deleted again, secrets included.

    Raises:
        NotFound: there is and was no such account.
        SecretsUnavailable: the account is gone but its secrets are not; the same request again completes it.
    """
    with transactions() as uow:
        if not uow.accounts.delete(account_id, owner=owner):
            raise NotFound(f"there is no account {account_id}")
        running = uow.tasks.holder_of(exclusive_key(account_id))
        if running is not None:
            uow.tasks.request_cancel(running)
    secrets.delete(credentials_name(account_id))
    secrets.delete(session_name(account_id))
    return running


def credentials_of(secrets: SecretStore, account_id: UUID) -> Credentials | None:
    """What to log in with; None if the account was deleted. Raises SecretsUnavailable."""
    kept = secrets.get(credentials_name(account_id))
    return None if kept is None else Credentials(**json.loads(kept))


def session_of(secrets: SecretStore, account_id: UUID) -> str | None:
    """The browser's storage state after the last login, as JSON. Raises SecretsUnavailable."""
    return secrets.get(session_name(account_id))


def save_session(transactions: Transactions, secrets: SecretStore, account_id: UUID, state: str) -> None:
    """Keep a browser's storage state for the next crawl, unless the account was deleted. Raises SecretsUnavailable.

    Looking after the fact is enough: whoever deletes the account later deletes this too.
    """
    secrets.put(session_name(account_id), state)
    with transactions() as uow:
        is_there = uow.accounts.get(account_id, owner=None) is not None
    if not is_there:
        secrets.delete(session_name(account_id))


def forget_session(secrets: SecretStore, account_id: UUID) -> None:
    """The session is of no use any more. Raises SecretsUnavailable."""
    secrets.delete(session_name(account_id))


def credentials_name(account_id: UUID) -> str:
    """The name of an account's credentials in the secret store."""
    return f"accounts/{account_id}/credentials"


def session_name(account_id: UUID) -> str:
    """The name of an account's session in the secret store."""
    return f"accounts/{account_id}/session"


def _keep(secrets: SecretStore, account_id: UUID, credentials: Credentials) -> None:
    value = {"login_id": credentials.login_id, "password": credentials.password}
    secrets.put(credentials_name(account_id), json.dumps(value))
