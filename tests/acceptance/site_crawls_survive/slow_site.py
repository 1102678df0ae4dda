"""A site that takes its time: the pages of the static site, each answered late, and a list of who asked for what."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from tests.doubles.web.static_site import StaticSite


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it arrived; `at` is of the monotonic clock."""

    at: float
    path: str


@dataclass(slots=True)
class SlowSite:
    """`pages` like pages at `origin`; each answer comes after `delay` seconds."""

    pages: int
    delay: float
    origin: str = ""
    requests: list[Request] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The first page."""
        return f"{self.origin}/"

    @property
    def site(self) -> StaticSite:
        """What it shows."""
        return StaticSite(self.pages)

    def all_urls(self) -> frozenset[str]:
        """Every page that its links lead to."""
        return frozenset(self.url_of(page) for pages in self.site.pages_at_depth().values() for page in pages)

    def url_of(self, page: int) -> str:
        """The address of a page."""
        return self.origin + self.site.path(page)

    def body_at(self, url: str) -> bytes:
        """The HTML at an address."""
        page = self.site.page_of(url.removeprefix(self.origin).encode())
        assert page is not None, url
        return self.site.body(page)

    def pages_asked_for(self, *, since: float = 0.0) -> Sequence[str]:
        """Paths of pages in order of arrival; not robots.txt, not the sitemap."""
        return [
            request.path
            for request in list(self.requests)
            if request.at >= since and self.site.page_of(request.path.encode()) is not None
        ]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: a GET after the other, until the visitor leaves."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].partition(b"?")[0]
                self.requests.append(Request(monotonic(), path.decode()))
                await asyncio.sleep(self.delay)
                writer.write(self.site.answer(path))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@contextmanager
def serving(*sites: SlowSite) -> Iterator[None]:
    """Serve the sites from a thread of their own, each at its own port."""
    ready, stopping = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(sites, ready, stopping)), name="slow sites")
    thread.start()
    try:
        assert ready.wait(10), "the slow sites did not start"
        yield
    finally:
        stopping.set()
        thread.join(10)


async def _serve(sites: Sequence[SlowSite], ready: threading.Event, stopping: threading.Event) -> None:
    servers = []
    for site in sites:
        server = await asyncio.start_server(site.answer, "127.0.0.1", 0)
        site.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        servers.append(server)
    ready.set()
    await asyncio.to_thread(stopping.wait)
    for server in servers:
        server.close()
