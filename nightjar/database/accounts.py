"""Accounts of shop owners, and the ledger of logins: each is written down before a password is sent."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from nightjar.domain.account import BACK_OFF, Account, AccountStatus, LoginAttempt, LoginOutcome, Platform
from nightjar.errors import Blocked, ErrorCode, GiveUp

COLUMNS = """
    id, owner, platform, login_id, status, status_reason, blocked_until, credentials_version, created_at, updated_at
"""

ID_OF = text("""
    SELECT id FROM accounts
    WHERE owner = :owner AND platform = :platform AND login_id = :login_id AND deleted_at IS NULL
""")

# The same login again means other credentials: whatever was wrong with the old ones is forgotten.
GIVE_CREDENTIALS = text(f"""
    INSERT INTO accounts (id, owner, platform, login_id) VALUES (:id, :owner, :platform, :login_id)
    ON CONFLICT (owner, platform, login_id) WHERE deleted_at IS NULL DO UPDATE
    SET credentials_version = accounts.credentials_version + 1, status = 'ready', status_reason = NULL,
        blocked_until = CASE WHEN accounts.blocked_until > clock_timestamp() THEN accounts.blocked_until END,
        updated_at = clock_timestamp()
    RETURNING {COLUMNS}
""")  # noqa: S608  # a constant

MINE = "id = :id AND (CAST(:owner AS text) IS NULL OR owner = :owner)"

GET = text(f"SELECT {COLUMNS} FROM accounts WHERE {MINE} AND deleted_at IS NULL")  # noqa: S608  # a constant

# Nobody deletes the account or gives other credentials while a crawl of it is being started.
GET_STEADY = text(f"SELECT {COLUMNS} FROM accounts WHERE {MINE} AND deleted_at IS NULL FOR SHARE")  # noqa: S608  # a constant

PAGE = text(f"""
    SELECT {COLUMNS} FROM accounts
    WHERE deleted_at IS NULL AND (CAST(:owner AS text) IS NULL OR owner = :owner)
      AND (CAST(:before_at AS timestamptz) IS NULL
           OR (created_at, id) < (CAST(:before_at AS timestamptz), CAST(:before_id AS uuid)))
    ORDER BY created_at DESC, id DESC LIMIT :limit
""")  # noqa: S608  # a constant

# The row stays, for its stores and logins; who logged in is forgotten.
DELETE = text(f"""
    UPDATE accounts SET deleted_at = coalesce(deleted_at, clock_timestamp()), login_id = '', status_reason = NULL
    WHERE {MINE} RETURNING id
""")  # noqa: S608  # a constant

LOCK = text(f"SELECT {COLUMNS} FROM accounts WHERE id = :id AND deleted_at IS NULL FOR UPDATE")  # noqa: S608  # a constant

OPEN_ATTEMPT = text("SELECT id FROM login_attempts WHERE account_id = :id AND task_id = :task_id AND outcome IS NULL")

BEGIN_LOGIN = text("""
    INSERT INTO login_attempts (account_id, credentials_version, task_id) VALUES (:id, :version, :task_id) RETURNING id
""")

END_LOGIN = text("""
    UPDATE login_attempts SET ended_at = clock_timestamp(), outcome = :outcome
    WHERE id = :id AND outcome IS NULL
    RETURNING account_id, credentials_version
""")

# What happened with old credentials says nothing about new ones; a block is one of the account whichever was sent.
RECORD = text("""
    UPDATE accounts
    SET status = :status, status_reason = :reason, updated_at = clock_timestamp(),
        blocked_until = CASE WHEN :status = 'blocked' THEN clock_timestamp() + CAST(:back_off AS interval) END
    WHERE id = :id AND deleted_at IS NULL
      AND (CAST(:version AS integer) IS NULL OR credentials_version = :version OR :status = 'blocked')
""")

STATUS_AFTER = {
    LoginOutcome.OK: AccountStatus.READY,
    LoginOutcome.INVALID_CREDENTIALS: AccountStatus.INVALID_CREDENTIALS,
    LoginOutcome.ACTION_REQUIRED: AccountStatus.ACTION_REQUIRED,
    LoginOutcome.BLOCKED: AccountStatus.BLOCKED,
}
"""What an outcome makes of the account; after any other it is what it was."""


class Accounts:
    """Rows of `accounts` and `login_attempts`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def id_of(self, *, owner: str, platform: Platform, login_id: str) -> UUID | None:
        """The account of this login."""
        values = {"owner": owner, "platform": platform, "login_id": login_id}
        return self._connection.execute(ID_OF, values).scalar_one_or_none()

    def give_credentials(self, account_id: UUID, *, owner: str, platform: Platform, login_id: str) -> Account:
        """Credentials were given: a new account with this id, or the next version of the account of this login."""
        values = {"id": account_id, "owner": owner, "platform": platform, "login_id": login_id}
        return _account(self._connection.execute(GIVE_CREDENTIALS, values).one())

    def get(self, account_id: UUID, *, owner: str | None, steady: bool = False) -> Account | None:
        """The account, if it exists and (for an owner) is theirs; `steady`: it stays as it is in this transaction."""
        values = {"id": account_id, "owner": owner}
        row = self._connection.execute(GET_STEADY if steady else GET, values).first()
        return _account(row) if row else None

    def page(self, *, owner: str | None, before: tuple[datetime, UUID] | None, limit: int) -> list[Account]:
        """Up to `limit` accounts, newest first, after the one that `before` names."""
        before_at, before_id = before or (None, None)
        values = {"owner": owner, "before_at": before_at, "before_id": before_id, "limit": limit}
        return [_account(row) for row in self._connection.execute(PAGE, values)]

    def delete(self, account_id: UUID, *, owner: str | None) -> bool:
        """Whether there is or was such an account; from now on it is not found. Its secrets are not deleted here."""
        return self._connection.execute(DELETE, {"id": account_id, "owner": owner}).first() is not None

    def begin_login(self, account_id: UUID, task_id: UUID) -> LoginAttempt | None:
        """Write down that a login follows. Commit this, then read the credentials, then send them.

        None if a login of this task was begun before and nobody knows how it ended: there must not be another one.

        Raises:
            GiveUp: the account is gone, or its credentials are known to be wrong.
            Blocked: the site refused the account, and its time is not over.
        """
        row = self._connection.execute(LOCK, {"id": account_id}).first()
        if row is None:
            raise GiveUp(ErrorCode.NOT_FOUND, f"account {account_id} was deleted")
        account = _account(row)
        _refuse_hopeless_login(account, self._now())
        values = {"id": account_id, "task_id": task_id, "version": account.credentials_version}
        if self._connection.execute(OPEN_ATTEMPT, values).first() is not None:
            return None
        return LoginAttempt(
            id=int(self._connection.execute(BEGIN_LOGIN, values).scalar_one()),
            account_id=account_id,
            task_id=task_id,
            credentials_version=account.credentials_version,
        )

    def end_login(self, attempt_id: int, outcome: LoginOutcome, *, reason: str | None = None) -> None:
        """Write down how a login ended, and what that says of the account. The first end stays.

        If the owner gave other credentials meanwhile, only a block is held against the account. `reason` is for people.
        """
        row = self._connection.execute(END_LOGIN, {"id": attempt_id, "outcome": outcome}).first()
        if row is not None:
            self._record(row.account_id, outcome, reason=reason, version=row.credentials_version)

    def record(self, account_id: UUID, outcome: LoginOutcome, *, reason: str | None = None) -> None:
        """What a crawl found out about the account without a login: with a saved session, or after the login."""
        self._record(account_id, outcome, reason=reason, version=None)

    def _record(self, account_id: UUID, outcome: LoginOutcome, *, reason: str | None, version: int | None) -> None:
        if outcome not in STATUS_AFTER:
            return
        values = {"id": account_id, "reason": reason, "version": version, "back_off": BACK_OFF}
        self._connection.execute(RECORD, values | {"status": STATUS_AFTER[outcome]})

    def _now(self) -> datetime:
        return self._connection.execute(text("SELECT clock_timestamp()")).scalar_one()  # type: ignore[no-any-return]  # a timestamptz


def _refuse_hopeless_login(account: Account, now: datetime) -> None:
    if account.status is AccountStatus.INVALID_CREDENTIALS:
        raise GiveUp(ErrorCode.INVALID_CREDENTIALS, "the site did not accept these credentials; give others")
    if account.blocked_until is not None and account.blocked_until > now:
        left = timedelta(seconds=round((account.blocked_until - now).total_seconds()))
        raise Blocked(f"the site refused this account; it is left alone for another {left}")


def _account(row: Row[Any]) -> Account:
    known = {"platform": Platform(row.platform), "status": AccountStatus(row.status)}
    return Account(**(row._asdict() | known))
