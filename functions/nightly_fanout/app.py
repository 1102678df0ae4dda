"""The Lambda that EventBridge wakes at night: all active trackings become rank checks. Only Lambda imports it."""

import os
from functools import partial
from typing import Any

from aws_lambda_powertools.metrics import Metrics, MetricUnit

from functions.nightly_fanout.handling import Handler
from functions.nightly_fanout.metrics import DELIVERIES, SERVICE, measure_night
from nightjar.observability import METRIC_NAMESPACE

metrics = Metrics(namespace=METRIC_NAMESPACE, service=SERVICE)
nights = Handler(os.environ, observe=partial(measure_night, metrics))


@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, object]:
    """Fan out the night of the event's `time`."""
    metrics.add_metric(name=DELIVERIES, unit=MetricUnit.Count, value=1)
    return nights.handle(event, context)
