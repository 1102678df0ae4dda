"""Tells whoever watches a crawl how far it came."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from uuid import UUID

from crawl_worker.engine.store import Store
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.progress import ProgressEvent
from nightjar.domain.task import TaskState
from nightjar.ports import ProgressChannel


@dataclass(frozen=True, slots=True)
class CrawlNews:
    """Speaks for the task of a crawl: the tasks that work at it are watched by nobody."""

    store: Store
    channel: ProgressChannel

    async def tell(self, crawl_id: UUID) -> None:
        """Publish where the crawl stands, if it is somebody's and has begun."""
        event = await self.store.run(lambda uow: _event(uow, crawl_id))
        if event is not None:
            await self.channel.publish(event)


def _event(uow: UnitOfWork, crawl_id: UUID) -> ProgressEvent | None:
    task, crawl = uow.tasks.get(crawl_id, owner=None), uow.crawls.get(crawl_id, owner=None)
    if task is None or crawl is None or task.owner is None or task.state is TaskState.PENDING:
        return None
    return ProgressEvent.of(task, at=task.finished_at or datetime.now(UTC), counts=asdict(crawl.counts))
