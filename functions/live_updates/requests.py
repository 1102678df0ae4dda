"""What comes in over a connection, and what is wrong with it."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from nightjar.domain.progress import Position

MESSAGE_LIMIT = 4096
"""Characters of a client's message."""

POSITION = re.compile(r"([A-Za-z0-9-]{1,64}):(\d{1,15})")

ACCEPTED = 'accepted is {"action": "subscribe", "task_id": "...", "after": "EPOCH:SEQ"?, "key": "..."?}'


class Refused(Exception):
    """The client is told this, and the connection ends."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """Somebody wants to watch a task, from a position on, and may show a key first."""

    task_id: UUID
    after: Position | None
    key: str | None


def subscribe_of(event: Mapping[str, Any]) -> Subscribe:
    """The message of an event. Raises Refused."""
    message = _message(event)
    try:
        task_id = UUID(str(message.get("task_id")))
    except ValueError:
        raise Refused("not_found", "there is no such task") from None
    key = message.get("key")
    if key is not None and not isinstance(key, str):
        raise Refused("unauthorized", "a key is a text")
    return Subscribe(task_id=task_id, after=_position(message.get("after")), key=key)


def header_key(event: Mapping[str, Any]) -> str | None:
    """The key of the Authorization header, if there is one. Raises Refused if it holds something else."""
    headers = event.get("headers") or {}
    given = next((str(value) for name, value in headers.items() if name.lower() == "authorization"), None)
    if given is None:
        return None
    scheme, _, key = given.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Refused("unauthorized", "the Authorization header has to be: Bearer KEY")
    return key.strip()


def _message(event: Mapping[str, Any]) -> dict[str, Any]:
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body).decode("utf-8", errors="replace")
    if len(body) > MESSAGE_LIMIT:
        raise Refused("invalid", f"a message has at most {MESSAGE_LIMIT} characters")
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict) or message.get("action") != "subscribe":
        raise Refused("invalid", ACCEPTED)
    return message


def _position(raw: object) -> Position | None:
    if raw is None or raw == "":
        return None
    found = POSITION.fullmatch(raw) if isinstance(raw, str) else None
    if found is None:
        raise Refused("invalid", "after has to be EPOCH:SEQ of the last message that was received")
    return Position(found[1], int(found[2]))
