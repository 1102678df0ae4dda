"""The entry point of workers, Beat and Flower: `celery --app crawl_worker.app worker`. Only Celery imports it."""

import os
import sys
from collections.abc import Callable
from uuid import UUID

from celery import Celery, signals

from crawl_worker.engine.child import ParentPipe
from crawl_worker.runtime import ChildParts, WorkerPlan, build_child, plan_worker
from crawl_worker.tasks import scheduled
from nightjar.adapters.celery.application import make_celery
from nightjar.errors import NightjarError
from nightjar.observability import configure_logging, logger
from nightjar.tasks import TaskKind
from nightjar.wiring import archive


class Worker:
    """The worker's process tree: a parent that talks to the broker, children that work."""

    def __init__(self, plan: WorkerPlan) -> None:
        self.plan = plan
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
        configure_logging("worker", level=self.plan.settings.stores.log_level)

    def _child_started(self, **_: object) -> None:
        try:
            self._parts = build_child(os.environ, self.plan, self._parent_pipe)
        except Exception:  # noqa: BLE001  # Celery would swallow it, and the child would fail every task
            logger(__name__).exception("child_not_started")
            os._exit(1)

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

    @app.task(name=str(TaskKind.CRAWL_BAEMIN_STORES))
    def crawl_baemin_stores(task_id: str) -> None:
        parts().run_store_crawl(TaskKind.CRAWL_BAEMIN_STORES, UUID(task_id))

    @app.task(name=str(TaskKind.CRAWL_SLICE))
    def crawl_slice(task_id: str) -> None:
        parts().run_crawl_slice(UUID(task_id))

    @app.task(name=str(TaskKind.PROCESS_PAGINATION))
    def process_pagination(task_id: str) -> None:
        parts().run_list(UUID(task_id))

    @app.task(name=str(TaskKind.ANALYSE_STRUCTURE))
    def analyse_structure(task_id: str) -> None:
        parts().run_analysis(UUID(task_id))

    @app.task(name=str(TaskKind.NIGHTLY_FANOUT))
    def nightly_fanout(moment: str | None = None) -> dict[str, object]:
        return scheduled.nightly_fanout(parts().fan_out, moment)

    @app.task(name=str(TaskKind.CLEANUP_EXPIRED_TASKS))
    def cleanup_expired_tasks() -> int:
        return scheduled.cleanup_expired_tasks(parts().fan_out, archive(parts().settings.archive_url))


try:
    worker = Worker(plan_worker(os.environ, cores=os.cpu_count() or 1))
except NightjarError as wrong:
    sys.exit(f"worker: {wrong.message}")
app = make_celery(worker.plan.settings)
register_tasks(app, lambda: worker.parts)
worker.connect_signals()
