"""Posting to the WebSocket connections of API Gateway. boto3 is loaded by the first post: most processes never do."""

import logging
import time
from enum import StrEnum
from functools import cached_property
from typing import Any

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 2.0

THROTTLE_PAUSES = (0.1, 0.3)
"""Seconds before another try when we post too fast; then the message is skipped."""

POOL = 8
"""Connections to the service."""

GONE = 410
TOO_MANY_REQUESTS = 429
THROTTLED = frozenset({"LimitExceededException", "ThrottlingException", "TooManyRequestsException"})

log = logging.getLogger(__name__)


class Posted(StrEnum):
    """What became of a message. A skipped one is not sent again: the next one, or a reconnect, tells more."""

    DELIVERED = "delivered"
    GONE = "gone"
    SKIPPED = "skipped"


class Connections:
    """The connections of one WebSocket API, by their ids. `endpoint` is https://HOST/STAGE. No method raises."""

    def __init__(self, endpoint: str, *, client: Any = None) -> None:
        self.endpoint = endpoint
        self._given = client

    def post(self, connection_id: str, text: str) -> Posted:
        """Send one message."""
        fault = self._try(connection_id, text)
        for pause in THROTTLE_PAUSES:
            if fault is None or not fault.is_throttle:
                break
            time.sleep(pause)
            fault = self._try(connection_id, text)
        if fault is None:
            return Posted.DELIVERED
        if fault.status == GONE:
            return Posted.GONE
        log.warning("a live message was not delivered: %s", fault.message)
        return Posted.SKIPPED

    def disconnect(self, connection_id: str) -> None:
        """End a connection; one that is gone already is none the worse."""
        fault = self._fault(lambda: self._client.delete_connection(ConnectionId=connection_id))
        if fault is not None and fault.status != GONE:
            log.warning("a live connection was not ended: %s", fault.message)

    @cached_property
    def _client(self) -> Any:
        if self._given is not None:
            return self._given
        import boto3  # noqa: PLC0415  # see above
        from botocore.config import Config  # noqa: PLC0415

        limits = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=ANSWER_SECONDS,
            retries={"total_max_attempts": 1},
            max_pool_connections=POOL,
        )
        # A session of our own: the module's default one is not made for several threads.
        return boto3.session.Session().client("apigatewaymanagementapi", endpoint_url=self.endpoint, config=limits)

    def _try(self, connection_id: str, text: str) -> "_Fault | None":
        return self._fault(lambda: self._client.post_to_connection(ConnectionId=connection_id, Data=text.encode()))

    def _fault(self, call: Any) -> "_Fault | None":
        try:
            call()
        except Exception as error:  # noqa: BLE001  # whatever it is, a task must not feel it
            return _fault_of(error)
        return None


class _Fault:
    """Why a call failed."""

    def __init__(self, *, status: int, code: str, message: str) -> None:
        self.status = status
        self.message = message
        self.is_throttle = status == TOO_MANY_REQUESTS or code in THROTTLED


def _fault_of(error: Exception) -> _Fault:
    answer = getattr(error, "response", None) or {}
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    code = str(answer.get("Error", {}).get("Code", ""))
    return _Fault(
        status=GONE if code == "GoneException" else status, code=code, message=f"{type(error).__name__}: {error}"
    )
