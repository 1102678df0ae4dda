"""The Lambda entry point. Nothing but the runtime imports it, and nothing is opened before the first event."""

import gc

gc.disable()  # before the imports: nothing that they make is garbage, and looking for some takes a twelfth of the start

import os  # noqa: E402
from functools import cache  # noqa: E402
from typing import Any  # noqa: E402

from aws_lambda_powertools.metrics import Metrics, MetricUnit  # noqa: E402
from mangum import Mangum  # noqa: E402

from functions.api.factory import create_app  # noqa: E402
from nightjar.observability import METRIC_NAMESPACE, configure_logging  # noqa: E402
from nightjar.wiring import build_api  # noqa: E402

SERVER_ERROR = 500

metrics = Metrics(namespace=METRIC_NAMESPACE, service="api")


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
    gateway = Mangum(create_app(api), lifespan="off")
    gc.freeze()
    gc.enable()
    return gateway
