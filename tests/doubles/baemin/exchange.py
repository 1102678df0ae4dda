"""A request and its answer: the two values that every page function works on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from http.cookies import CookieError, SimpleCookie
from typing import Final

from tests.doubles.ask import BaseAsk
from tests.doubles.control_port import Json
from tests.doubles.reply import Reply

SITES: Final[dict[str, str]] = {
    "member": "BAEMIN_MEMBER_URL",
    "self": "BAEMIN_SELF_URL",
    "api": "BAEMIN_API_URL",
}
"""Site -> the name under which its base URL is announced."""


@dataclass(frozen=True)
class Ask(BaseAsk):
    """One request, as far as the pages care."""

    @cached_property
    def cookies(self) -> dict[str, str]:
        """Cookies by name; none where the header cannot be read."""
        try:
            return {name: morsel.value for name, morsel in SimpleCookie(self.headers.get("cookie", "")).items()}
        except CookieError:
            return {}

    @cached_property
    def document(self) -> Json:
        """The JSON object in the body; {} where there is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def parts(self) -> list[str]:
        """The path between its slashes."""
        return [part for part in self.path.split("/") if part]

    @property
    def kind(self) -> str:
        """`page` for a document, `static` for a script or an icon, `frame`, `xhr` for what a page's script fetches."""
        if self.path.startswith("/assets/") or self.path == "/favicon.ico":
            return "static"
        if self.headers.get("sec-fetch-dest") in {"iframe", "frame"}:
            return "frame"
        return "xhr" if self.site == "api" or self.path.startswith("/v1/") else "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is sent, after so many seconds, and the misbehaviour behind it ("" for the usual answer)."""

    reply: Reply
    delay: float = 0.0
    fault: str = ""
