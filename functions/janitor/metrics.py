"""What a round tells CloudWatch, as EMF: JSON lines in the log that become metrics, without a call to any service.

A gauge is written for every queue in every round, zero included: scaling must see that a queue is empty. A counter is
left out at zero: missing data sums to nothing, and CloudWatch charges a series for each hour in which it has data.
"""

from aws_lambda_powertools.metrics import EphemeralMetrics, Metrics, MetricUnit

from nightjar.application.janitor import QueueFigures, Round
from nightjar.observability import METRIC_NAMESPACE

SERVICE = "janitor"
"""The dimension `service` of all of them."""

ROUNDS = "Rounds"
LEASES_RETURNED = "LeasesReturned"
CHECKS_GIVEN_UP = "ChecksGivenUp"
BATCHES_CLOSED = "BatchesClosed"
BROKER_UNAVAILABLE = "BrokerUnavailable"

QUEUE = "queue"
"""The dimension that the following have besides."""
QUEUE_DEPTH = "QueueDepth"
IN_PROGRESS = "InProgress"
OLDEST_WAITING_SECONDS = "OldestWaitingSeconds"
PUBLISHED = "Published"
LOST = "Lost"


def measure_round(metrics: Metrics, found: Round) -> None:
    """Add the figures of a round to `metrics`, and write those of each queue."""
    _count(metrics, LEASES_RETURNED, found.returned)
    _count(metrics, CHECKS_GIVEN_UP, len(found.given_up))
    _count(metrics, BATCHES_CLOSED, len(found.closed))
    _count(metrics, BROKER_UNAVAILABLE, int(found.broker_error is not None))
    for figures in found.queues:
        _write_queue(figures)


def _write_queue(figures: QueueFigures) -> None:
    metrics = EphemeralMetrics(namespace=METRIC_NAMESPACE, service=SERVICE)
    metrics.add_dimension(name=QUEUE, value=figures.queue)
    metrics.add_metric(name=QUEUE_DEPTH, unit=MetricUnit.Count, value=figures.depth)
    metrics.add_metric(name=IN_PROGRESS, unit=MetricUnit.Count, value=figures.in_progress)
    metrics.add_metric(name=OLDEST_WAITING_SECONDS, unit=MetricUnit.Seconds, value=figures.oldest_waiting_seconds)
    _count(metrics, PUBLISHED, figures.published)
    _count(metrics, LOST, figures.lost)
    metrics.flush_metrics()


def _count(metrics: Metrics | EphemeralMetrics, name: str, value: int) -> None:
    if value:
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
