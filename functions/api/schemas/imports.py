"""Imports on the wire."""

from typing import Literal

from pydantic import BaseModel


class ImportedLine(BaseModel):
    """What became of one line: the header is line 1. `message` says what is wrong with it."""

    line: int
    status: Literal["created", "exists", "error"]
    id: int | None = None
    message: str | None = None


class ImportAnswer(BaseModel):
    """The lines in the order of the file, their sums, and the checks that joined the nightly queue."""

    items: list[ImportedLine]
    created: int
    exists: int
    errors: int
    checks: int
