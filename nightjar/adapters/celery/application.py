"""The Celery application: at-least-once delivery of small JSON messages, and nothing that could lose one in silence."""

from datetime import timedelta
from typing import Any

from celery import Celery
from celery.schedules import crontab
from kombu import Exchange
from kombu import Queue as KombuQueue

from nightjar.adapters.celery.child_replacement import PromptChildReplacement
from nightjar.domain.kst import KST
from nightjar.settings import WorkerSettings
from nightjar.tasks import ROUTES, Queue, TaskKind

CLEAN_UP_HOUR = 5
"""KST. Well after the night, well before people work."""


def make_celery(settings: WorkerSettings) -> Celery:
    """A Celery application from the settings. Its tasks are registered by the worker."""
    app = Celery("nightjar", broker=settings.stores.broker_url, set_as_current=False)
    app.conf.update(_delivery(settings) | _broker(settings) | _process(settings) | _clock(settings))
    app.steps["worker"].add(PromptChildReplacement)
    return app


def selected_queues(names: str) -> tuple[Queue, ...]:
    """The queues that WORKER_QUEUES names, separated by commas; all if it is empty. Raises ValueError."""
    return tuple(Queue(name.strip()) for name in names.split(",") if name.strip()) or tuple(Queue)


def _delivery(settings: WorkerSettings) -> dict[str, Any]:
    return {
        "task_acks_late": True,
        # A killed child's message is dropped, not redelivered for ever: the lease in Postgres brings the task back.
        "task_reject_on_worker_lost": False,
        "task_acks_on_failure_or_timeout": True,
        "worker_prefetch_multiplier": settings.prefetch_multiplier,
        "worker_disable_prefetch": True,
        "task_ignore_result": not settings.result_backend,
        "result_backend": settings.result_backend or None,
        "result_expires": settings.result_expires,
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "task_routes": {str(kind): {"queue": str(queue)} for kind, queue in ROUTES.items()},
        "task_queues": [_queue(queue) for queue in selected_queues(settings.queues)],
        "task_default_queue": str(Queue.MAINTENANCE),
        # The nameless exchange needs no binding in Redis, so a flush cannot take it away.
        "task_default_exchange": "",
        "task_create_missing_queues": True,
        "task_time_limit": settings.hard_time_limit.total_seconds(),
    }


def _queue(queue: Queue) -> KombuQueue:
    return KombuQueue(str(queue), Exchange(""), routing_key=str(queue))


def _broker(settings: WorkerSettings) -> dict[str, Any]:
    return {
        "broker_transport_options": {
            "visibility_timeout": settings.visibility_timeout,
            "global_keyprefix": settings.stores.redis_key_prefix,
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 25,
        },
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_channel_error_retry": True,
        "broker_pool_limit": 2,
        # Attempts go on through a reconnect: their claims are in Postgres, not in the broker.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
    }


def _process(settings: WorkerSettings) -> dict[str, Any]:
    return {
        "worker_pool": "prefork",
        "worker_concurrency": settings.concurrency,
        "worker_max_tasks_per_child": settings.max_tasks_per_child,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_send_task_events": True,
        "task_track_started": False,
    }


def _clock(settings: WorkerSettings) -> dict[str, Any]:
    return {
        "timezone": KST,
        "enable_utc": True,
        "beat_max_loop_interval": 30,
        "beat_schedule": {
            "nightly": {
                "task": str(TaskKind.NIGHTLY_FANOUT),
                "schedule": crontab(hour=settings.schedule.hour, minute=settings.schedule.minute),
                "options": {"expires": timedelta(hours=12).total_seconds()},
            },
            "clean-up": {
                "task": str(TaskKind.CLEANUP_EXPIRED_TASKS),
                "schedule": crontab(hour=CLEAN_UP_HOUR, minute=0),
                "options": {"expires": timedelta(hours=12).total_seconds()},
            },
        },
    }
