"""The programs of the stack, as command lines: the same ones that the containers run."""

import sys
from pathlib import Path

from infra.local.addresses import LOOPBACK
from nightjar.tasks import Queue

_CELERY = (sys.executable, "-m", "celery", "--app", "crawl_worker.app")
FLOWER_PORT = 5555


def migrations() -> list[str]:
    """Brings the database to the newest schema and ends."""
    return [sys.executable, "-m", "nightjar.database.migrate"]


def api(port: int) -> list[str]:
    """The API, served by uvicorn. A client of live progress says little: what is longer than its limit ends it.

    Messages are short and many: compressing each of them for each client would take most of the time.
    """
    factory = "functions.api.factory:create_app_from_environment"
    live = ("--ws-max-size", "16384", "--ws-per-message-deflate", "false")
    return [sys.executable, "-m", "uvicorn", "--factory", factory, "--host", LOOPBACK, "--port", str(port), *live]


def worker(name: str) -> list[str]:
    """A Celery worker; WORKER_QUEUES says which queues it takes.

    Workers have nothing to say to each other: without gossip and mingle a start is a second faster, and Redis carries
    fewer subscriptions.
    """
    return [*_CELERY, "worker", "--hostname", worker_node(name), "--without-gossip", "--without-mingle"]


def worker_node(name: str) -> str:
    """The name by which a worker is addressed over the broker."""
    return f"{name}@nightjar"


def janitor() -> list[str]:
    """The janitor's rounds."""
    return [sys.executable, "-m", "functions.janitor.loop"]


def beat(schedule: Path) -> list[str]:
    """Beat; it remembers in `schedule` what it has sent."""
    return [*_CELERY, "beat", "--schedule", str(schedule), "--pidfile="]


def flower() -> list[str]:
    """The Celery monitor."""
    return [*_CELERY, "flower", f"--address={LOOPBACK}", f"--port={FLOWER_PORT}"]


def queues_besides_interactive() -> str:
    """WORKER_QUEUES of a worker beside one that serves `interactive` alone."""
    return ",".join(queue for queue in Queue if queue is not Queue.INTERACTIVE)
