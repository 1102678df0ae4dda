"""One store-owner crawl, from the claimed row to the stored stores. All reactions to a fault are decided here."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.account import Account, LoginAttempt, LoginOutcome
from nightjar.domain.store import SavedStores, Store
from nightjar.domain.task import Claim, retry_delay
from nightjar.errors import Blocked, ErrorCode, GiveUp, HostBusy, RetryLater, TaskFailure

MAX_RETRIES = 2
"""A crawl that met a passing fault is tried again twice."""

MAY_BE_OVER = frozenset(
    {
        ErrorCode.TIMEOUT,
        ErrorCode.MAINTENANCE,
        ErrorCode.UPSTREAM_ERROR,
        ErrorCode.SESSION_EXPIRED,
        ErrorCode.INTERNAL,
    }
)
"""After these a new start may help without anything being done first."""

_HELD_AGAINST_ACCOUNT = {
    ErrorCode.INVALID_CREDENTIALS: LoginOutcome.INVALID_CREDENTIALS,
    ErrorCode.ACTION_REQUIRED: LoginOutcome.ACTION_REQUIRED,
    ErrorCode.BLOCKED: LoginOutcome.BLOCKED,
}


class AccountRefused(GiveUp):
    """What is known of the account forbids a crawl; nothing was sent, and nothing new is learnt about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlRules:
    """`retry_delay` is the pause after a passing fault; `time_limit` what one attempt may take in all."""

    retry_delay: timedelta
    time_limit: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawledStores:
    """The whole list of an account's stores. Of `details_failed` only what the list says is known."""

    stores: tuple[Store, ...]
    details_failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallen:
    """A crawl that did not come to its end: why, the login whose end is still to be written, and what it had read."""

    fault: TaskFailure
    login: LoginAttempt | None = None
    crawled: CrawledStores | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Postponed:
    """The crawl waits in the database until `not_before`."""

    not_before: datetime
    reason: str
    costs_an_attempt: bool


def begin(uow: UnitOfWork, claim: Claim) -> Account:
    """The account of a claimed task. Raises GiveUp if it is gone."""
    account = uow.accounts.get(UUID(str(claim.payload["account_id"])), owner=claim.owner)
    if account is None:
        raise GiveUp(ErrorCode.NOT_FOUND, "the account of this task was deleted")
    return account


def begin_login(uow: UnitOfWork, claim: Claim, account: Account) -> LoginAttempt:
    """Write down that a login follows; commit this before the credentials are opened.

    Raises:
        AccountRefused: the account is gone, its credentials are known to be wrong, the site refused it a short time
            ago, or a login of this task was begun before and nobody knows how it ended.
    """
    try:
        attempt = uow.accounts.begin_login(account.id, claim.task_id)
    except (Blocked, GiveUp) as refused:  # by us: the site has said nothing, so its host is not left alone for it
        raise AccountRefused(refused.code, refused.message) from refused
    if attempt is None:
        message = (
            "the outcome of a login of this task is unknown, so there is no second one by itself; "
            "see at the site whether the account is in order, then start again"
        )
        raise AccountRefused(ErrorCode.ACTION_REQUIRED, message)
    return attempt


def store_crawled(uow: UnitOfWork, claim: Claim, account: Account, crawled: CrawledStores) -> SavedStores:
    """Save the stores, then complete the task: the last statement is the one that a cancel waits for.

    Raises LeaseLost, TaskCancelled.
    """
    saved = _save(uow, claim, account, crawled.stores)
    uow.accounts.record(account.id, LoginOutcome.OK)
    uow.tasks.complete(claim, summary(crawled, saved))
    return saved


def store_fault(
    uow: UnitOfWork, claim: Claim, account: Account | None, fallen: Fallen, *, rules: CrawlRules, jitter: float
) -> Postponed | None:
    """Put a crawl back that met a passing fault, or end it with what the fault says of its account.

    A login whose outcome is unknown is never followed by another one by itself. Raises LeaseLost, TaskCancelled.
    """
    fault = fallen.fault
    if isinstance(fault, RetryLater) and fallen.login is None and claim.tries <= MAX_RETRIES:
        delay = retry_delay(claim.tries, base=rules.retry_delay, jitter=jitter)
        until = uow.tasks.release(claim, counted=True, delay=delay)
        return Postponed(not_before=until, reason=fault.message, costs_an_attempt=True)
    message = _told(fallen)
    if account is not None:
        _keep_what_is_known(uow, claim, account, fallen, message)
    uow.tasks.fail(claim, fault.code, message, retryable=fault.code in MAY_BE_OVER)
    return None


def put_back(uow: UnitOfWork, claim: Claim, busy: HostBusy) -> Postponed:
    """Let the crawl wait for its host, which costs it no attempt. Raises LeaseLost."""
    until = uow.tasks.release(claim, counted=False, not_before=busy.not_before)
    return Postponed(not_before=until, reason=busy.message, costs_an_attempt=False)


def summary(crawled: CrawledStores, saved: SavedStores) -> dict[str, object]:
    """The result of a task. Stores whose type was not read are in no count of types."""
    return {
        "total": len(crawled.stores),
        "created": saved.created,
        "updated": saved.updated,
        "unchanged": saved.unchanged,
        "missing": saved.missing,
        "details_failed": crawled.details_failed,
        "business_types": _counted([store.business_type for store in crawled.stores]),
        "sub_types": _counted([store.sub_type for store in crawled.stores]),
    }


def _keep_what_is_known(uow: UnitOfWork, claim: Claim, account: Account, fallen: Fallen, message: str) -> None:
    if fallen.crawled is not None:
        _save(uow, claim, account, fallen.crawled.stores)
    elif fallen.fault.code is ErrorCode.NO_STORES:
        _save(uow, claim, account, ())
    if isinstance(fallen.fault, AccountRefused):
        return
    outcome = _HELD_AGAINST_ACCOUNT.get(fallen.fault.code)
    if fallen.login is not None:
        uow.accounts.end_login(fallen.login.id, outcome or LoginOutcome.FAILED, reason=message)
    elif outcome is not None:
        uow.accounts.record(account.id, outcome, reason=message)


def _save(uow: UnitOfWork, claim: Claim, account: Account, stores: Sequence[Store]) -> SavedStores:
    return uow.stores.save(
        owner=account.owner,
        platform=account.platform,
        account_id=account.id,
        stores=stores,
        task_id=claim.task_id,
    )


def _told(fallen: Fallen) -> str:
    """What the owner is told: the fault, what is unknown because of it, and what is kept."""
    parts = [fallen.fault.message]
    if fallen.login is not None and isinstance(fallen.fault, RetryLater):
        parts.append("The password had been sent, so there is no second login by itself; start again yourself.")
    if fallen.crawled is not None:
        parts.append(f"The {len(fallen.crawled.stores)} stores that had been read are saved.")
    if fallen.evidence:
        parts.append(f"A picture of the page is in the archive: {fallen.evidence}.")
    return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts)


def _counted(values: Sequence[str | None]) -> dict[str, int]:
    return dict(sorted(Counter(value for value in values if value is not None).items()))
