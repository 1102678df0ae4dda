"""What connections tell CloudWatch, as EMF: JSON lines in the log become metrics, without a call to any service."""

from aws_lambda_powertools.metrics import Metrics, MetricUnit

SERVICE = "live_updates"
"""The dimension `service` of all of them."""

EVENTS = "Events"
REFUSED = "Refused"


def measure(metrics: Metrics, *, refused: bool) -> None:
    """Count one event, and whether its sender was refused."""
    metrics.add_metric(name=EVENTS, unit=MetricUnit.Count, value=1)
    metrics.add_metric(name=REFUSED, unit=MetricUnit.Count, value=int(refused))
