"""The entry point of workers, Beat and Flower: `celery --app crawl_worker.app worker`. Only Celery imports it."""

import os
from collections.abc import Callable
from uuid import UUID

from celery import Celery, signals

from crawl_worker.engine.child import ParentPipe
from crawl_worker.runtime import ChildParts, build_child
from crawl_worker.tasks import scheduled
from nightjar.adapters.celery.application import make_celery
from nightjar.observability import configure_logging
from nightjar.settings import WorkerSettings, worker_settings
from nightjar.tasks import TaskKind


class Worker:
    """The worker's process tree: a parent that talks to the broker, children that work."""

    def __init__(self, settings: WorkerSettings) -> None:
        self.settings = settings
        self._parent_pipe = ParentPipe()
        self._parts: ChildParts | None = None

    @property
    def parts(self) -> ChildParts:
        """What this child is made of."""
        if self._parts is None:
            raise RuntimeError("tasks run in the children of a prefork pool; start the worker with --pool prefork")
        return self._parts

    def connect_signals(self) -> None:
        """Let Celery tell us when it logs, forks, and stops. Weak references would forget the bound methods."""
        signals.setup_logging.connect(self._set_up_logging, weak=False)
        signals.worker_process_init.connect(self._child_started, weak=False)
        signals.worker_process_shutdown.connect(self._child_stops, weak=False)
        signals.worker_shutting_down.connect(self._worker_stops, weak=False)

    def _set_up_logging(self, **_: object) -> None:
        configure_logging("worker", level=self.settings.stores.log_level)

    def _child_started(self, **_: object) -> None:
        self._parts = build_child(os.environ, self.settings, self._parent_pipe)

    def _child_stops(self, **_: object) -> None:
        if self._parts is not None:
            self._parts.stop()

    def _worker_stops(self, **_: object) -> None:
        self._parent_pipe.announce_stop()


def register_tasks(app: Celery, parts: Callable[[], ChildParts]) -> None:
    """The shells: a name and a call."""

    @app.task(name=str(TaskKind.RANK_CHECK))
    def rank_check(task_id: str) -> None:
        parts().run_rank_check(UUID(task_id))

    @app.task(name=str(TaskKind.NIGHTLY_FANOUT))
    def nightly_fanout(moment: str | None = None) -> dict[str, object]:
        return scheduled.nightly_fanout(parts().fan_out, moment)

    @app.task(name=str(TaskKind.CLEANUP_EXPIRED_TASKS))
    def cleanup_expired_tasks() -> int:
        return scheduled.cleanup_expired_tasks(parts().fan_out)


worker = Worker(worker_settings(os.environ, cores=os.cpu_count() or 1))
app = make_celery(worker.settings)
register_tasks(app, lambda: worker.parts)
worker.connect_signals()
