"""`python -m tests.doubles.web.static_site`: any number of like pages, served fast, for the bench.

A page has about 11 KB and 22 links. Page n links to its children 18n+1 to 18n+18, so that 100,000 pages lie within four
hops of page 0, which is `/`. Everything is a function of the page's number; answers of 4,096 pages are kept.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import uvloop

from tests.doubles.seeded import number

LINKS: Final = 22
_CHILDREN: Final = 18
_PARAGRAPHS: Final = 512
_SHOWN_PARAGRAPHS: Final = 20
_SENTENCES: Final = 6
_KEPT_ANSWERS: Final = 4096
_PARENT_CHECK_SECONDS: Final = 0.5
_LONGEST_HEAD: Final = 64 * 1024
_END_OF_HEAD: Final = b"\r\n\r\n"
_NOT_FOUND: Final = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nno such page"

_SUBJECTS: Final = ("the river", "a lantern", "our harbour", "the old mill", "each orchard", "a ferry", "the road")
_VERBS: Final = ("carries", "remembers", "follows", "measures", "repairs", "opens", "borrows", "weighs", "paints")
_OBJECTS: Final = ("copper bells", "quiet letters", "winter apples", "paper maps", "blue cloth", "salt", "long ropes")
_PLACES: Final = (
    "near the eastern gate",
    "behind the market",
    "along the canal",
    "under the bridge",
    "at first light",
    "before the rain comes",
    "until the last boat leaves",
    "while the town sleeps",
)


@dataclass(frozen=True, slots=True)
class StaticSite:
    """`pages` pages; with `script_made`, content and links are made by a script from JSON within the page."""

    pages: int
    script_made: bool = False

    @staticmethod
    def path(page: int) -> str:
        """The path of a page."""
        return f"/page/{page}" if page else "/"

    def page_of(self, path: bytes) -> int | None:
        """The page at a path; None if there is none."""
        if path == b"/":
            return 0
        digits = path.removeprefix(b"/page/")
        if digits == path or not digits.isdigit() or digits.startswith(b"0"):
            return None
        page = int(digits)
        return page if page < self.pages else None

    def links(self, page: int) -> list[int]:
        """The pages that a page links to, each once and never itself: 22, or all others of a smaller site."""
        wanted = min(LINKS, self.pages - 1)
        found = dict.fromkeys(self._near(page))
        found.pop(page, None)
        step = 1
        while len(found) < wanted:
            other = (page * 7919 + step * 104_729) % self.pages
            if other != page:
                found[other] = None
            step += 1
            if step > 4 * LINKS:
                found.update(dict.fromkeys(one for one in range(self.pages) if one != page))
        return list(found)[:wanted]

    def _near(self, page: int) -> list[int]:
        first = page * _CHILDREN + 1
        children = range(first, min(first + _CHILDREN, self.pages))
        around = [0, (page - 1) // _CHILDREN if page else 0, (page - 1) % self.pages, (page + 1) % self.pages]
        return [*children, *around]

    def pages_at_depth(self) -> dict[int, frozenset[int]]:
        """The pages by link hops from page 0."""
        depth, level, seen = 0, {0}, {0}
        found: dict[int, frozenset[int]] = {}
        while level:
            found[depth] = frozenset(level)
            level = {link for page in level for link in self.links(page)} - seen
            seen |= level
            depth += 1
        return found

    def title(self, page: int) -> str:
        """The title of a page."""
        return f"{_SUBJECTS[page % 7].capitalize()} {_VERBS[page % 9]} {_OBJECTS[page // 7 % 7]}, part {page}"

    def paragraphs(self, page: int) -> list[bytes]:
        """The paragraphs of a page; no two pages near each other have the same in the same order."""
        start, step = page * 31 + page // _PARAGRAPHS, 1 + 2 * (page % 251)
        return [_TEXTS[(start + turn * step) % _PARAGRAPHS] for turn in range(_SHOWN_PARAGRAPHS)]

    def body(self, page: int) -> bytes:
        """The HTML of a page."""
        title = self.title(page)
        if self.script_made:
            links = [[self.path(link), self.title(link)] for link in self.links(page)]
            texts = [text.decode() for text in self.paragraphs(page)]
            data = json.dumps({"title": title, "links": links, "texts": texts})
            return _SHELL % (b"Loading", data.encode(), _SCRIPT)
        items = "\n".join(
            f'      <li class="card"><a href="{self.path(link)}">{self.title(link)}</a></li>'
            for link in self.links(page)
        )
        texts_html = b"\n".join(b"      <p>%s</p>" % text for text in self.paragraphs(page))
        return _PAGE % (title.encode(), title.encode(), texts_html, items.encode(), page)

    def answer(self, path: bytes) -> bytes:
        """The whole HTTP answer to a GET of a path."""
        page = self.page_of(path)
        if page is None:
            return _NOT_FOUND
        body = self.body(page)
        return b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s" % (
            len(body),
            body,
        )


class _Connection(asyncio.Protocol):
    """One connection that is kept alive; it understands GET and no body."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a TCP server is given transports that write

    def data_received(self, data: bytes) -> None:
        transport = self._transport
        if transport is None:
            return
        *heads, self._received = (self._received + data).split(_END_OF_HEAD)
        for head in heads:
            path = head.split(b" ", 2)[1] if head.count(b" ") > 1 else b""
            transport.write(self._answer(path.partition(b"?")[0]))
            if b"\r\nconnection: close" in head.lower():
                transport.close()
        if len(self._received) > _LONGEST_HEAD:
            transport.close()


async def serve(site: StaticSite, *, port: int, parent: int | None) -> None:
    """Listens on loopback, prints `{"url": ...}`, returns on SIGTERM or SIGINT or when `parent` is gone."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stopped.set)
    answer = lru_cache(_KEPT_ANSWERS)(site.answer)
    server = await loop.create_server(lambda: _Connection(answer), "127.0.0.1", port, backlog=1024)
    print(json.dumps({"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"}), flush=True)
    while not stopped.is_set() and (parent is None or os.getppid() == parent):
        try:
            await asyncio.wait_for(stopped.wait(), _PARENT_CHECK_SECONDS)
        except TimeoutError:
            continue
    server.close()


def _sentence(*parts: object) -> str:
    choice = number("static site", *parts)
    subject, verb, place = _SUBJECTS[choice % 7], _VERBS[choice // 7 % 9], _PLACES[choice // 3087 % 8]
    return f"{subject.capitalize()} {verb} {_OBJECTS[choice // 63 % 7]} and {_OBJECTS[choice // 441 % 7]} {place}."


_TEXTS: Final = tuple(
    " ".join(_sentence(paragraph, turn) for turn in range(_SENTENCES)).encode() for paragraph in range(_PARAGRAPHS)
)

_PAGE: Final = b"""<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>%s</title>
  <meta name="description" content="One of many like pages">
  <style>
    body { font: 16px/1.6 Georgia, serif; margin: 0 auto; max-width: 72rem; color: #222; background: #fdfcf8 }
    header, footer { padding: 1rem 2rem; border-bottom: 1px solid #ddd }
    .card { display: inline-block; margin: 0.4rem; padding: 0.6rem 1rem; border: 1px solid #ccc; border-radius: 4px }
    main { display: grid; grid-template-columns: 3fr 1fr; gap: 2rem; padding: 2rem }
  </style>
</head>
<body>
  <header><strong>The Harbour Ledger</strong></header>
  <main>
    <article>
      <h1>%s</h1>
%s
    </article>
    <aside>
      <h2>Read on</h2>
      <ul>
%s
      </ul>
    </aside>
  </main>
  <footer><p>Sheet %d of the ledger. Every word of it is made up.</p></footer>
</body>
</html>
"""

_SHELL: Final = b"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>%s</title></head>
<body>
<div id="root"></div>
<script type="application/json" id="data">%s</script>
<script>%s</script>
</body>
</html>
"""

_SCRIPT: Final = b"""
const data = JSON.parse(document.getElementById("data").textContent);
const element = (name, parent, text) => {
  const made = parent.appendChild(document.createElement(name));
  if (text) made.textContent = text;
  return made;
};
document.title = data.title;
const main = element("main", document.getElementById("root"));
element("h1", main, data.title);
for (const text of data.texts) element("p", main, text);
const list = element("ul", main);
for (const [path, title] of data.links) element("a", element("li", list), title).href = path;
"""


def main() -> None:
    """Reads the command line and serves."""
    parser = argparse.ArgumentParser(prog="python -m tests.doubles.web.static_site", description=__doc__)
    parser.add_argument("--pages", type=int, default=2000, help="how many pages")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--script-made", action="store_true", help="content and links are made by a script in the page")
    parser.add_argument("--parent", type=int, help="stop when this process is no longer the parent")
    given = parser.parse_args()
    uvloop.run(serve(StaticSite(given.pages, given.script_made), port=given.port, parent=given.parent))


if __name__ == "__main__":
    main()
