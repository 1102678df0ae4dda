"""What people do with tasks by hand: check now, try again, cancel."""

from datetime import datetime, timedelta
from uuid import UUID

from nightjar.application import site_crawls, store_crawls, tried_again
from nightjar.application.registering import CheckOrder, order_check
from nightjar.application.tried_again import TriedAgain
from nightjar.database.tasks import NewTask
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.task import ACTIVE_STATES, Task, TaskState
from nightjar.domain.tracking import TrackingStatus
from nightjar.errors import Conflict, NotFound
from nightjar.tasks import Queue, TaskKind


def check_now(uow: UnitOfWork, tracking_id: int, order: CheckOrder, *, owner: str | None) -> UUID:
    """A check of a tracking for today; its task. Raises NotFound or, for a stopped tracking, Conflict."""
    view = uow.trackings.get(tracking_id, owner=owner)
    if view is None:
        raise NotFound(f"there is no tracking {tracking_id}")
    if view.tracking.status is TrackingStatus.STOPPED:
        raise Conflict(f"tracking {tracking_id} is stopped; set its status to active first")
    return order_check(uow, tracking_id, order, owner=view.tracking.owner)


SYSTEMS_OWN = frozenset({TaskKind.CRAWL_SLICE, TaskKind.ANALYSE_STRUCTURE})
"""Kinds of tasks that work at site crawls: they come and go with them."""


def retry(
    uow: UnitOfWork, task_id: UUID, order: CheckOrder, *, owner: str | None, now: datetime, delay: timedelta
) -> TriedAgain:
    """A new task that does the work of an ended one again; its result belongs to the day of the new task.

    `delay` is the one between two requests to a host, where a site crawl was ordered without one.

    Raises:
        NotFound: there is no such task.
        Conflict: it has not ended, everything it was about is stopped, or its account cannot be crawled now.
    """
    task = task_of(uow, task_id, owner=owner)
    if task.state in ACTIVE_STATES:
        raise Conflict(f"task {task_id} is {task.state}; only an ended task can be tried again")
    again = tried_again.Again(correlation_id=order.correlation_id, timeout_seconds=order.timeout_seconds, delay=delay)
    match task.kind:
        case TaskKind.RANK_CHECK:
            return _alone(_check_again(uow, task, order))
        case TaskKind.CRAWL_BAEMIN_STORES:
            return _alone(_crawl_stores_again(uow, task, order, now))
        case TaskKind.CRAWL:
            return tried_again.crawl_again(uow, task, again)
        case TaskKind.PROCESS_PAGINATION:
            return tried_again.pagination_again(uow, task, again)
    raise Conflict(f"a task of kind {task.kind} cannot be tried again")


def _alone(task_id: UUID) -> TriedAgain:
    """A task that works for itself."""
    return TriedAgain(task_id=task_id, to_publish=(task_id,))


def _crawl_stores_again(uow: UnitOfWork, task: Task, order: CheckOrder, now: datetime) -> UUID:
    again = store_crawls.CrawlOrder(
        now=now, correlation_id=order.correlation_id, timeout_seconds=order.timeout_seconds, retry_of=task.id
    )
    return store_crawls.retry(uow, task, again)


def _check_again(uow: UnitOfWork, task: Task, order: CheckOrder) -> UUID:
    again = uow.tasks.add(
        NewTask(
            kind=TaskKind.RANK_CHECK,
            queue=Queue.INTERACTIVE,
            owner=task.owner,
            correlation_id=order.correlation_id,
            timeout_seconds=order.timeout_seconds,
            retry_of=task.id,
        )
    )
    if not uow.rank_checks.add_again(again, again=task.id, checked_on=order.checked_on):
        raise Conflict(f"all trackings of task {task.id} are stopped; there is nothing to check")
    return again


def cancel(uow: UnitOfWork, task_id: UUID, *, owner: str | None) -> Task:
    """Cancel a waiting task at once, or ask a running one to stop; the task as it is then.

    Raises:
        NotFound: there is no such task.
        Conflict: it has ended, it is one check of a batch, which counts on its result, or it works at site crawls.
    """
    task = task_of(uow, task_id, owner=owner)
    if task.batch_id is not None:
        raise Conflict(
            f"task {task_id} is a check of batch {task.batch_id}; checks of a batch are not cancelled singly"
        )
    if task.kind in SYSTEMS_OWN:
        raise Conflict(f"task {task_id} works at site crawls and ends with them; cancel a crawl instead")
    if not _request_cancel(uow, task):
        state = task_of(uow, task_id, owner=owner).state
        raise Conflict(f"task {task_id} has ended already ({state}); there is nothing to cancel")
    return task_of(uow, task_id, owner=owner)


def _request_cancel(uow: UnitOfWork, task: Task) -> bool:
    """Whether there was something to cancel. A site crawl is over at once, whoever is working at it."""
    if task.kind == TaskKind.CRAWL:
        return site_crawls.cancel(uow, task)
    return uow.tasks.request_cancel(task.id)


def task_of(uow: UnitOfWork, task_id: UUID, *, owner: str | None) -> Task:
    """The task, for its owner or (None) for an operator. Raises NotFound."""
    task = uow.tasks.get(task_id, owner=owner)
    if task is None:
        raise NotFound(f"there is no task {task_id}")
    return task


def states_of(word: str | None) -> list[str] | None:
    """The states that a filter means: one of them, or `active` for those that are not over."""
    if word is None:
        return None
    return sorted(ACTIVE_STATES) if word == "active" else [TaskState(word)]
