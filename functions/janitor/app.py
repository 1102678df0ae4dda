"""The Lambda that EventBridge wakes every minute to repair what died. Only Lambda imports it."""

import os
from typing import Any

from functions.janitor.handling import Handler

handler_state = Handler(os.environ)


def handler(event: dict[str, Any], context: Any) -> dict[str, object]:
    """One round."""
    return handler_state.handle(event, context)
