"""The engine's HTTP client for pages of the open web: one GET, the answer as bytes. It follows nothing."""

import re
import time
from datetime import UTC, datetime, timedelta

from yarl import URL

from crawl_worker.engine.connections import Connections
from crawl_worker.engine.egress import EgressRule, Lookup
from crawl_worker.engine.fetched import FetchedPage
from crawl_worker.engine.settings import EngineSettings
from nightjar.domain.site_crawl import Engine

ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

MAX_KNOWN_ORIGINS = 10_000

_ORDINARY = re.compile(r"(https?://[A-Za-z0-9._:\[\]-]+)(?:[/?#][!-~]*)?")
"""A URL without user info, blanks or other scripts. Its first part is all that can be judged before a look-up."""


class WebClient:
    """One a worker process and egress rule; opened in the running loop by the first request."""

    def __init__(self, settings: EngineSettings, rule: EgressRule, *, lookup: Lookup | None = None) -> None:
        self.rule = rule
        self._connections = Connections(settings, rule, lookup=lookup)
        self._passed: set[str] = set()
        self._heads: dict[str, str] = {}

    async def fetch(self, url: str, *, user_agent: str, at_most: int | None = None) -> FetchedPage:
        """Ask for a page, once, and read the whole answer; a redirect is an answer.

        `at_most` bytes are taken, before and after unpacking; None takes the setting.

        Raises:
            GiveUp: the egress rule refuses the address, the certificate is bad, or the answer is too large.
            RetryLater: the time is up, the connection failed, or the answer is broken.
        """
        target = self._judged(url)
        started_at = datetime.now(UTC)
        started = time.perf_counter()
        answer = await self._connections.exchange(target, self._head_for(user_agent), at_most=at_most)
        return FetchedPage(
            url=url,
            final_url=url,
            status=answer.status,
            headers=tuple([(name.decode("latin-1"), _text(value)) for name, value in answer.raw_headers]),
            body=answer.body,
            engine=Engine.HTTP,
            started_at=started_at,
            elapsed=timedelta(seconds=time.perf_counter() - started),
        )

    async def close(self) -> None:
        """Close all connections. The client opens anew if it is used again."""
        await self._connections.close()

    def _judged(self, url: str) -> URL:
        """The URL as it will be requested: an ordinary one as it stands, byte for byte."""
        ordinary = _ORDINARY.fullmatch(url)
        if ordinary is None:
            self.rule.check_url(url)
            return URL(url)
        origin = ordinary.group(1)
        if origin not in self._passed:
            self.rule.check_url(origin)
            if len(self._passed) >= MAX_KNOWN_ORIGINS:
                self._passed.clear()
            self._passed.add(origin)
        return URL(url, encoded=True)

    def _head_for(self, user_agent: str) -> str:
        if user_agent not in self._heads:
            self._heads = {user_agent: self._connections.head({"User-Agent": user_agent, "Accept": ACCEPT})}
        return self._heads[user_agent]


def _text(value: bytes) -> str:
    """Headers are ASCII; what is not is UTF-8 by custom (file names, places of redirects), or bytes for themselves."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
