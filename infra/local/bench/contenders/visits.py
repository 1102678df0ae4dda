"""What the bare loops with a browser have in common: which page comes next, and what is read in it."""

import asyncio
import os
from collections import deque
from collections.abc import Awaitable, Callable
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser

from infra.local.bench.contenders.share import Report, Share

CHROMIUM = os.environ.get("CHROMIUM_PATH")
"""The browser of all contenders, ours included."""


class Visits:
    """The pages of a share, each visited once, in no order."""

    def __init__(self, share: Share, report: Report) -> None:
        self._share = share
        self._report = report
        self._waiting = deque([share.start])
        self._seen = set(self._waiting)
        self._in_flight = 0

    async def work(self, html_of: Callable[[str], Awaitable[str]]) -> None:
        """Visit pages until none is left; `html_of` shows one and gives its document. Several may work at once."""
        while self._waiting or self._in_flight:
            if not self._waiting:
                await asyncio.sleep(0.001)
                continue
            url = self._waiting.popleft()
            self._in_flight += 1
            self._read(url, await html_of(url))
            self._in_flight -= 1

    def _read(self, url: str, html: str) -> None:
        tree = LexborHTMLParser(html)
        title = tree.css_first("title")
        links = [urljoin(url, anchor.attributes["href"] or "") for anchor in tree.css("a[href]")]
        for link in links:
            if link not in self._seen and self._share.owns(link):
                self._seen.add(link)
                self._waiting.append(link)
        self._report.read(title.text() if title else None, len(links))
