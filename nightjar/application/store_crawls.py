"""Crawls of an owner's stores: started by hand, one at a time for an account."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from nightjar.database.tasks import ExclusiveKeyTaken, NewTask
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.account import Account, AccountStatus, exclusive_key
from nightjar.domain.task import Task
from nightjar.errors import Conflict, NotFound
from nightjar.tasks import ROUTES, TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlOrder:
    """How a crawl is to be done: from when, under which correlation id, in how many seconds at most."""

    now: datetime
    correlation_id: str
    timeout_seconds: int | None = None
    retry_of: UUID | None = None


def start(uow: UnitOfWork, account_id: UUID, order: CrawlOrder, *, owner: str | None) -> UUID:
    """The task of a new crawl of the account's stores.

    Raises:
        NotFound: there is no such account.
        Conflict: it is being crawled already (`details` has the task), its credentials are wrong, or the site refused
            it a short time ago.
    """
    account = uow.accounts.get(account_id, owner=owner, steady=True)
    if account is None:
        raise NotFound(f"there is no account {account_id}")
    try:
        return uow.tasks.add(_task(account, order))
    except ExclusiveKeyTaken as taken:
        raise _already_running(account_id, uow.tasks.get(taken.holder, owner=None)) from None


def retry(uow: UnitOfWork, task: Task, order: CrawlOrder) -> UUID:
    """A new crawl of the account that an ended task was about. Raises Conflict."""
    account_id = UUID(str(uow.tasks.payload_of(task.id)["account_id"]))
    try:
        return start(uow, account_id, order, owner=task.owner)
    except NotFound:
        raise Conflict(f"account {account_id} of task {task.id} was deleted; there is nothing to crawl") from None


def _task(account: Account, order: CrawlOrder) -> NewTask:
    _refuse_hopeless_crawl(account, order.now)
    return NewTask(
        kind=TaskKind.CRAWL_BAEMIN_STORES,
        queue=ROUTES[TaskKind.CRAWL_BAEMIN_STORES],
        owner=account.owner,
        payload={"account_id": str(account.id)},
        correlation_id=order.correlation_id,
        timeout_seconds=order.timeout_seconds,
        retry_of=order.retry_of,
        exclusive_key=exclusive_key(account.id),
    )


def _refuse_hopeless_crawl(account: Account, now: datetime) -> None:
    if account.status is AccountStatus.INVALID_CREDENTIALS:
        raise Conflict(
            f"the site did not accept the credentials of account {account.id}; "
            "give the right ones with POST /api/v1/accounts, then start again",
            details={"status": account.status, "credentials_version": account.credentials_version},
        )
    if account.blocked_until is not None and account.blocked_until > now:
        until = account.blocked_until.isoformat(timespec="seconds")
        raise Conflict(
            f"the site refused account {account.id}; it is left alone until {until}, start again after that",
            details={"status": account.status, "blocked_until": until},
        )


def _already_running(account_id: UUID, task: Task | None) -> Conflict:
    if task is None:  # it ended and was deleted at this moment
        return Conflict(f"account {account_id} was being crawled until now; start again")
    shown = {
        "task_id": str(task.id),
        "status": task.state,
        "step": task.step,
        "progress": task.progress,
        "created_at": task.created_at.isoformat(),
        "started_at": task.started_at.isoformat() if task.started_at else None,
    }
    return Conflict(
        f"account {account_id} is being crawled already, by task {task.id}; wait for it or cancel it",
        details={"task": shown},
    )
