"""A function that tells what it was given: run by the Lambda runtime from the working copy."""

from collections.abc import Mapping
from typing import Protocol


class Context(Protocol):
    """What Lambda hands to a function beside the event."""

    function_name: str


def handler(event: Mapping[str, str], context: Context) -> dict[str, str]:
    """The time and kind of a scheduled event, and the function's own name."""
    return {"time": event["time"], "detail-type": event["detail-type"], "function": context.function_name}
