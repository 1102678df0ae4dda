"""One request to a replica, as far as pages care."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self
from urllib.parse import parse_qsl

from aiohttp import web

_LARGEST_BODY: Final = 1 << 20


@dataclass(frozen=True)
class BaseAsk:
    """What requests to all replicas have in common."""

    site: str
    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]
    """Lower-case names."""
    body: bytes = b""

    @classmethod
    async def read(cls, site: str, request: web.BaseRequest) -> Self:
        """Reads a request that reached a site; of its body up to 1 MiB."""
        return cls(
            site=site,
            method=request.method,
            path=request.path,
            raw_query=request.rel_url.raw_query_string,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.content.read(_LARGEST_BODY) if request.body_exists else b"",
        )

    @cached_property
    def query(self) -> dict[str, str]:
        """Query parameters; of a repeated one the last counts."""
        return dict(parse_qsl(self.raw_query, keep_blank_values=True))

    @property
    def user_agent(self) -> str:
        """The User-Agent header."""
        return self.headers.get("user-agent", "")
