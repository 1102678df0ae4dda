"""The Lambda that EventBridge wakes every minute to repair what died. Only Lambda imports it."""

import os
from functools import partial
from typing import Any

from aws_lambda_powertools.metrics import Metrics, MetricUnit

from functions.janitor.handling import Handler
from functions.janitor.metrics import ROUNDS, SERVICE, measure_round
from nightjar.observability import METRIC_NAMESPACE

metrics = Metrics(namespace=METRIC_NAMESPACE, service=SERVICE)
rounds = Handler(os.environ, observe=partial(measure_round, metrics))


@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, object]:
    """One round."""
    metrics.add_metric(name=ROUNDS, unit=MetricUnit.Count, value=1)
    return rounds.handle(event, context)
