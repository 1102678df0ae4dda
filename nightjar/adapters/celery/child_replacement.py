"""Replace a child that reached its limit of tasks at once.

Celery looks when the child closes its files, a moment before the system counts it as ended, finds it alive, and
looks again five seconds later (measured with 5.7.0: a worker with one child stood still for 4 to 5 s at each renewal).
"""

from typing import Any

from celery import bootsteps

LOOK_EVERY_SECONDS = 0.5


class PromptChildReplacement(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery carries no types
    """A timer in the worker's own loop that looks for ended children more often."""

    requires = ("celery.worker.components:Pool",)

    def register_with_event_loop(self, worker: Any, hub: Any) -> None:
        """Called by Celery once its loop exists."""
        hub.call_repeatedly(LOOK_EVERY_SECONDS, worker.pool.maintain_pool)
