"""The least that can be called a crawler: one process, aiohttp, selectolax, a set of what was seen. Nothing is kept."""

import asyncio
from collections import deque
from urllib.parse import urljoin

import uvloop
from aiohttp import ClientSession, ClientTimeout, TCPConnector
from selectolax.lexbor import LexborHTMLParser

from infra.local.bench.contenders.share import Report, Share, given_share, tell, wait_for_the_start

PAGE_SECONDS = 30


class BareLoop:
    """Fetch, title, links, and no page twice."""

    def __init__(self, share: Share, report: Report) -> None:
        self._share = share
        self._report = report
        self._waiting = deque([share.start])
        self._seen = set(self._waiting)
        self._in_flight = 0

    async def crawl(self) -> None:
        """Until no page is left."""
        connector = TCPConnector(limit=self._share.concurrency)
        async with ClientSession(connector=connector, timeout=ClientTimeout(total=PAGE_SECONDS)) as session:
            await asyncio.gather(*(self._work(session) for _ in range(self._share.concurrency)))

    async def _work(self, session: ClientSession) -> None:
        while self._waiting or self._in_flight:
            if not self._waiting:
                await asyncio.sleep(0.001)
                continue
            url = self._waiting.popleft()
            self._in_flight += 1
            async with session.get(url) as answer:
                body = await answer.read()
            self._read(url, body)
            self._in_flight -= 1

    def _read(self, url: str, body: bytes) -> None:
        tree = LexborHTMLParser(body)
        title = tree.css_first("title")
        links = [urljoin(url, anchor.attributes["href"] or "") for anchor in tree.css("a[href]")]
        for link in links:
            if link not in self._seen and self._share.owns(link):
                self._seen.add(link)
                self._waiting.append(link)
        self._report.read(title.text() if title else None, len(links))


async def main() -> None:
    """Crawl the share of the command line."""
    report = wait_for_the_start()
    await BareLoop(given_share(), report).crawl()
    tell(report)


if __name__ == "__main__":
    uvloop.run(main())
