"""The wire contract: what may be put on a queue, under which name, and where it goes."""

from dataclasses import dataclass
from enum import StrEnum


class Queue(StrEnum):
    """The queues. `interactive` has a worker process of its own, so that nobody waits behind a night."""

    INTERACTIVE = "interactive"
    NIGHTLY = "nightly"
    CRAWLING = "crawling"
    PAGINATION = "pagination"
    STORES = "stores"
    TRANSLATIONS = "translations"
    MAINTENANCE = "maintenance"


class TaskKind(StrEnum):
    """The names of tasks, as they stand in messages and rows. A name is never changed: old messages carry it."""

    NIGHTLY_FANOUT = "nightly_fanout"
    RANK_CHECK = "rank_check"
    CRAWL_BAEMIN_STORES = "crawl_baemin_stores"
    CRAWL = "crawl"
    """A whole site crawl. It has a row and never a message: slices do its work."""

    CRAWL_SLICE = "crawl_slice"
    PROCESS_PAGINATION = "process_pagination"
    ANALYSE_STRUCTURE = "analyse_structure"
    CLEANUP_EXPIRED_TASKS = "cleanup_expired_tasks"


ROUTES: dict[TaskKind, Queue] = {
    TaskKind.NIGHTLY_FANOUT: Queue.MAINTENANCE,
    TaskKind.RANK_CHECK: Queue.NIGHTLY,
    TaskKind.CRAWL_BAEMIN_STORES: Queue.STORES,
    TaskKind.CRAWL: Queue.CRAWLING,
    TaskKind.CRAWL_SLICE: Queue.CRAWLING,
    TaskKind.PROCESS_PAGINATION: Queue.PAGINATION,
    TaskKind.ANALYSE_STRUCTURE: Queue.CRAWLING,
    TaskKind.CLEANUP_EXPIRED_TASKS: Queue.MAINTENANCE,
}
"""Where a task goes by its name. A check that a person waits for is put on `interactive` by its row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message: it names a task (by the text of its id), whose row knows the rest. Nothing secret travels."""

    task_id: str
    kind: TaskKind
