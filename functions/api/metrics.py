"""Figures in Prometheus' text format. Imported by the first request that asks for them."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE

from nightjar.ports import QueueUnavailable, TaskQueue
from nightjar.tasks import Queue
from nightjar.wiring import Api

__all__ = ["CONTENT_TYPE", "exposition"]


def exposition(api: Api) -> bytes:
    """The figures as of now. Raises DatabaseUnavailable."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(api))
    return generate_latest(registry)


class _Figures:
    def __init__(self, api: Api) -> None:
        self._families = [*_database_figures(api), *_queue_figures(api.queue())]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from self._families


def _database_figures(api: Api) -> Iterator[GaugeMetricFamily]:
    with api.database.transaction() as uow:
        open_tasks = uow.figures.open_tasks()
        open_batches = uow.figures.open_batches()
        cooling = uow.hosts.cooling()
    tasks = GaugeMetricFamily("nightjar_open_tasks", "Tasks that are not over.", labels=["queue", "state"])
    oldest = GaugeMetricFamily(
        "nightjar_oldest_waiting_seconds", "How long the oldest task that could run has waited.", labels=["queue"]
    )
    for group in open_tasks:
        tasks.add_metric([group.queue, group.state], group.tasks)
        if group.oldest_seconds is not None:
            oldest.add_metric([group.queue], group.oldest_seconds)
    hosts = GaugeMetricFamily("nightjar_host_cooldown_until", "Unix time until a host is left alone.", labels=["host"])
    for host, until in cooling.items():
        hosts.add_metric([host], until.timestamp())
    yield from (tasks, oldest, hosts)
    yield GaugeMetricFamily("nightjar_open_batches", "Batches that are not closed.", value=open_batches)


def _queue_figures(queue: TaskQueue) -> Iterator[GaugeMetricFamily]:
    """Messages by queue, and whether the broker answers at all."""
    depth = GaugeMetricFamily(
        "nightjar_queue_depth", "Messages of a queue that are not acknowledged.", labels=["queue"]
    )
    answers = 1
    try:
        for name in Queue:
            depth.add_metric([name], queue.depth(name))
    except QueueUnavailable:
        answers = 0
    if answers:
        yield depth
    yield GaugeMetricFamily("nightjar_broker_up", "1 if the broker answers.", value=answers)
