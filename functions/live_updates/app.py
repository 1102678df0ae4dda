"""The Lambda behind the WebSocket API: connect, disconnect, subscribe. Only Lambda imports it."""

import os
from functools import partial
from typing import Any

from aws_lambda_powertools.metrics import Metrics

from functions.live_updates.handling import Handler
from functions.live_updates.metrics import SERVICE, measure
from nightjar.observability import METRIC_NAMESPACE

metrics = Metrics(namespace=METRIC_NAMESPACE, service=SERVICE)
events = Handler(os.environ, observe=partial(measure, metrics))


@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, object]:
    """One event of a connection."""
    return events.handle(event, context)
