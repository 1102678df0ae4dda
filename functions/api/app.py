"""The Lambda entry point. Nothing but the runtime imports it, and nothing is opened before the first event."""

import os
from functools import cache
from typing import Any

from aws_lambda_powertools.metrics import Metrics, MetricUnit
from mangum import Mangum

from functions.api.factory import create_app
from nightjar.observability import configure_logging
from nightjar.wiring import build_api

SERVER_ERROR = 500

metrics = Metrics(namespace="Nightjar", service="api")


@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """One HTTP request of API Gateway (payload version 2.0)."""
    answer = _gateway()(event, context)
    metrics.add_metric(name="Requests", unit=MetricUnit.Count, value=1)
    failed = int(answer["statusCode"]) >= SERVER_ERROR
    metrics.add_metric(name="ServerErrors", unit=MetricUnit.Count, value=int(failed))
    return answer


@cache
def _gateway() -> Mangum:
    """One connection: Lambda hands one request at a time to an environment."""
    api = build_api(os.environ, pool_size=1)
    configure_logging("api", level=api.settings.stores.log_level)
    return Mangum(create_app(api), lifespan="off")
