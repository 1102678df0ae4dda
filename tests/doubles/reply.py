"""One answer of a replica, as a value."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

HTML: Final = "text/html; charset=UTF-8"
JSON: Final = "application/json; charset=UTF-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer. `drop_after` closes the connection after so many bytes of the body (None: the reply is whole)."""

    status: int = 200
    body: bytes = b""
    content_type: str = HTML
    headers: tuple[tuple[str, str], ...] = ()
    drop_after: int | None = None

    @staticmethod
    def page(text: str, status: int = 200) -> Reply:
        """An HTML page."""
        return Reply(status=status, body=text.encode())

    @staticmethod
    def data(document: object, status: int = 200) -> Reply:
        """A JSON document."""
        return Reply(status=status, body=json.dumps(document, ensure_ascii=False).encode(), content_type=JSON)

    @staticmethod
    def redirect(location: str, status: int = 302) -> Reply:
        """A redirect; the location must already be percent-encoded."""
        return Reply(status=status, headers=(("Location", location),))
