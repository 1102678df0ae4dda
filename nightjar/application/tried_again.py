"""Site crawls and lists of pages, started again as they were ordered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from nightjar.application import site_crawls
from nightjar.database.tasks import NewTask
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.site_crawl import CrawlOrder, Engine, Scope
from nightjar.domain.task import Task
from nightjar.domain.web_address import WebAddress
from nightjar.tasks import ROUTES, TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """How it is to be done this time. `delay` is the one between two requests where the order names none."""

    correlation_id: str
    timeout_seconds: int | None
    delay: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedAgain:
    """The new task, and the tasks that need a message once this is committed."""

    task_id: UUID
    to_publish: tuple[UUID, ...]


def crawl_again(uow: UnitOfWork, task: Task, again: Again) -> TriedAgain:
    """A new crawl by the order of an ended one."""
    order = order_from(uow.tasks.payload_of(task.id))
    address = WebAddress.of(order.url)
    start = site_crawls.CrawlStart(
        owner=task.owner,
        correlation_id=again.correlation_id,
        host=address.host,
        origin=address.origin,
        delay=again.delay,
        timeout=None if again.timeout_seconds is None else timedelta(seconds=again.timeout_seconds),
        retry_of=task.id,
    )
    started = site_crawls.start(uow, order, start)
    return TriedAgain(task_id=started.task_id, to_publish=started.slices)


def pagination_again(uow: UnitOfWork, task: Task, again: Again) -> TriedAgain:
    """A new reading of the list that an ended task was about."""
    task_id = uow.tasks.add(
        NewTask(
            kind=TaskKind.PROCESS_PAGINATION,
            queue=ROUTES[TaskKind.PROCESS_PAGINATION],
            owner=task.owner,
            payload=uow.tasks.payload_of(task.id),
            correlation_id=again.correlation_id,
            timeout_seconds=again.timeout_seconds,
            retry_of=task.id,
        )
    )
    return TriedAgain(task_id=task_id, to_publish=(task_id,))


def order_from(payload: Mapping[str, object]) -> CrawlOrder:
    """The order that `site_crawls.payload_of` has written."""
    delay = payload["delay"]
    return CrawlOrder(
        url=str(payload["url"]),
        depth=int(str(payload["depth"])),
        limit=int(str(payload["limit"])),
        engine=Engine(str(payload["engine"])),
        scope=Scope(str(payload["scope"])),
        include=_texts(payload["include"]),
        exclude=_texts(payload["exclude"]),
        screenshots=bool(payload["screenshots"]),
        structure=bool(payload["structure"]),
        delay=None if delay is None else timedelta(seconds=float(str(delay))),
    )


def _texts(listed: object) -> tuple[str, ...]:
    return tuple(map(str, listed)) if isinstance(listed, Sequence) else ()
