"""Reading the log as it is written."""

import json
from io import StringIO
from typing import Any


def all_lines(stream: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def lines_of(stream: StringIO, message: str) -> list[dict[str, Any]]:
    """The lines with this message."""
    return [line for line in all_lines(stream) if line["message"] == message]
