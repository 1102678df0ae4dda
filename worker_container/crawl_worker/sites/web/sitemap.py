"""Which pages a site lists: sitemaps in XML, as text, as RSS or Atom, packed or not.

The XML is read by one pass of expat's events, so that of a broken file everything before the fault is kept. A sitemap
has no use for entities of its own: no file that declares one is read further.
"""

import codecs
import io
import zlib
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import urljoin
from xml.parsers import expat

MAX_ENTRIES = 50_000
"""Of one file, by sitemaps.org; more are ignored."""

MAX_BYTES = 50 * 1024 * 1024
"""Of one file unpacked, by sitemaps.org; the rest is ignored."""

MAX_URL_CHARACTERS = 2_048
"""By sitemaps.org; a longer entry is ignored."""

MAX_ELEMENTS = 500_000
"""Ten an entry (pictures, languages); what comes after is ignored. Takes about a second."""

MAX_DEPTH = 50
"""Of elements within each other; every open one costs memory."""

MAX_LINES = 10 * MAX_ENTRIES

_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Sitemap:
    """What one file lists: pages, and further files (of an index). Absolute URLs, each once, in order."""

    pages: tuple[str, ...] = ()
    children: tuple[str, ...] = ()


def read_sitemap(body: bytes, url: str) -> Sitemap:
    """Read a sitemap that was fetched from `url`; what cannot be read is left out, and nothing is raised."""
    body = _unpacked(body)
    text_start = body[:200].removeprefix(codecs.BOM_UTF8).lstrip()
    found = _Found(url)
    if text_start.startswith(b"<") or body.startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE)):
        _read_xml(body, found)
    else:
        for line in islice(io.BytesIO(body.removeprefix(codecs.BOM_UTF8)), MAX_LINES):
            found.add(found.pages, line[: 4 * MAX_URL_CHARACTERS + 4].decode(errors="replace"))
    return Sitemap(tuple(found.pages), tuple(found.children))


def _unpacked(body: bytes) -> bytes:
    if not body.startswith(_GZIP_MAGIC):
        return body[:MAX_BYTES]
    try:
        return zlib.decompressobj(wbits=31).decompress(body, MAX_BYTES)
    except zlib.error:
        return b""


@dataclass(slots=True)
class _Found:
    url: str
    pages: dict[str, None] = field(default_factory=dict)
    children: dict[str, None] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        return len(self.pages) + len(self.children) >= MAX_ENTRIES

    def add(self, entries: dict[str, None], written: str) -> None:
        written = written.strip()
        if not written or len(written) > MAX_URL_CHARACTERS or self.full:
            return
        try:
            absolute = urljoin(self.url, written)
        except ValueError:
            return
        if absolute.startswith(("http://", "https://")):
            entries[absolute] = None


class _Reader:
    """Handlers of expat. Names are taken without their namespace: many sitemaps have a wrong one, or none."""

    def __init__(self, found: _Found) -> None:
        self._found = found
        self._path: list[str] = []
        self._text: list[str] | None = None
        self._elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2].lower()
        self._path.append(local)
        self._elements += 1
        if len(self._path) > MAX_DEPTH or self._elements > MAX_ELEMENTS or self._found.full:
            raise _NoFurther
        parent = self._path[-2] if len(self._path) > 1 else ""
        self._text = [] if (parent, local) in _LOCATIONS else None
        if (parent, local) == ("entry", "link") and attributes.get("rel", "alternate") == "alternate":  # Atom
            self._found.add(self._found.pages, attributes.get("href", ""))

    def text(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def end(self, _: str) -> None:
        self._path.pop()
        if self._text is not None:
            entries = self._found.children if self._path[-1:] == ["sitemap"] else self._found.pages
            self._found.add(entries, "".join(self._text))
            self._text = None


_LOCATIONS = {("url", "loc"), ("sitemap", "loc"), ("item", "link")}
"""Parent and name of the elements whose text is an address; the last is RSS."""


def _read_xml(body: bytes, found: _Found) -> None:
    parser = expat.ParserCreate()
    reader = _Reader(found)
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.text
    parser.EndElementHandler = reader.end
    parser.EntityDeclHandler = _refuse_entities
    parser.buffer_text = True
    try:
        parser.Parse(body, True)  # noqa: FBT003  # positional only
    except (expat.ExpatError, _NoFurther, LookupError, ValueError):
        return  # what was read stays


class _NoFurther(Exception):
    """The file has more than a sitemap may have, or brings entities: a few lines of those unfold to gigabytes."""


def _refuse_entities(*_: object) -> None:
    raise _NoFurther
