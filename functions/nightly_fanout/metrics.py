"""What a night tells CloudWatch, as EMF: a JSON line in the log that becomes metrics, without a call to any service."""

from aws_lambda_powertools.metrics import Metrics, MetricUnit

from nightjar.application.rank_run import FanOutResult

SERVICE = "nightly_fanout"
"""The dimension `service` of all of them."""

DELIVERIES = "Deliveries"
TRACKINGS_PLANNED = "TrackingsPlanned"
CHECKS_PLANNED = "ChecksPlanned"
CHECKS_PUBLISHED = "ChecksPublished"
BROKER_UNAVAILABLE = "BrokerUnavailable"


def measure_night(metrics: Metrics, result: FanOutResult) -> None:
    """Add what a delivery did. A second delivery plans nothing, so the sums over a day are the night's own."""
    if result.is_new:
        metrics.add_metric(name=TRACKINGS_PLANNED, unit=MetricUnit.Count, value=result.total)
        metrics.add_metric(name=CHECKS_PLANNED, unit=MetricUnit.Count, value=result.checks)
    if result.published is None:
        metrics.add_metric(name=BROKER_UNAVAILABLE, unit=MetricUnit.Count, value=1)
    else:
        metrics.add_metric(name=CHECKS_PUBLISHED, unit=MetricUnit.Count, value=result.published)
