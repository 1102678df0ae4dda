"""The Lambda that EventBridge wakes at night: all active trackings become rank checks. Only Lambda imports it."""

import os
from typing import Any

from functions.nightly_fanout.handling import Handler

handler_state = Handler(os.environ)


def handler(event: dict[str, Any], context: Any) -> dict[str, object]:
    """Fan out the night of the event's `time`."""
    return handler_state.handle(event, context)
