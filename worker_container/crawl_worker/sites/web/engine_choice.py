"""Which engine a page needs, found out as a site is crawled: the browser only where scripts make text or links.

A page that came over HTTP is judged by its scripts. Pages with the same scripts around the same empty places are of one
kind. The first pages of a kind are rendered, and what that added is compared; then the kind is known. A kind that needs
no browser is tried again now and then.
"""

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import blake2s
from typing import Any, Self

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawl_worker.sites.web.nesting import flattened
from nightjar.domain.site_crawl import Engine

PROBES = 2
"""Pages of a kind that are rendered without gain before the kind is read over HTTP."""

PROBE_EVERY = 50
"""Each so-manieth page of such a kind is rendered all the same."""

GAINLESS = 20
"""Pages in a row that gain nothing, after which a kind is no longer rendered."""

SHELL_CHARACTERS = 200
"""A page with less text, and next to no links, is nothing without its scripts."""

SHELL_LINKS = 2

NOTABLE_CHARACTERS = 60
"""Text that scripts add counts from here on, about ten words: clocks and counters are less."""

SHAPE_CHARACTERS = 50_000
"""Of an inline script; more would cost more time than it tells apart."""

MAX_KINDS = 500
MAX_NOTICE = 400

_DATA_TYPES = re.compile(r"json|template|html|importmap|speculationrules|text/plain|x-", re.IGNORECASE)
_HANDLERS = re.compile(r"<[^<>]+\son(?:load|error|pageshow|readystatechange|toggle|begin)\s*=", re.IGNORECASE)
_MIGHT_RUN = re.compile(r"<script|\son[a-z]+\s*=|javascript:", re.IGNORECASE)
# Every alternative ends somewhere, if only with the text: what does not match would be tried from each character.
_STRINGS = re.compile(
    r"""
    "(?:[^"\\\n]|\\.)*+(?:"|\n|\Z|\\) | '(?:[^'\\\n]|\\.)*+(?:'|\n|\Z|\\) | `(?:[^`\\]|\\.)*+(?:`|\Z|\\)
    | /\*.*?(?:\*/|\Z) | (?<!:)//[^\n]*+
    """,
    re.DOTALL | re.VERBOSE,
)
_NAMES = re.compile(r"(?<![\w$])[A-Za-z_$][\w$]*+(?!\s*:)")
_ELEMENTS = re.compile(r"<([a-z]+-[a-z0-9-]+)", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9a-f]{8,}|\d+")
_PLACES = "div,main,section,article,ul,ol,tbody,nav,aside"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The engine for a page, why in plain words, and its kind (empty where that says nothing about others)."""

    engine: Engine
    reason: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """What a reading of a page found: its text, and its links that belong to the crawl."""

    text: str
    links: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is known of pages of one kind."""

    needs_browser: bool = False
    probes: int = 0
    """Rendered so far; without gain in a row once the kind needs a browser."""

    since: int = 0
    """Pages read over HTTP since one was rendered."""

    notice: tuple[int, ...] = ()
    """Words (as checksums) that scripts added to the first page: the same on another page, they are a notice."""

    @property
    def is_static(self) -> bool:
        return not self.needs_browser and self.probes >= PROBES


@dataclass(slots=True)
class EngineChoice:
    """What was learned of one host. Kept as JSON between slices."""

    kinds: dict[str, _Kind] = field(default_factory=dict)

    def judge(self, html: str, content: Content) -> Verdict:
        """Whether a page that came over HTTP is what a reader would see."""
        tree = LexborHTMLParser(flattened(html)) if might_run_scripts(html) else None
        if tree is None or not _runs_scripts(tree, html):
            return Verdict(Engine.HTTP, "no script runs on it")
        kind = _kind_of(tree, html)
        if len(content.text) < SHELL_CHARACTERS and len(content.links) <= SHELL_LINKS:
            return Verdict(Engine.BROWSER, "it is hardly anything without its scripts")
        known = self.kinds.get(kind, _Kind())
        if known.needs_browser:
            return Verdict(Engine.BROWSER, "scripts make text or links on pages like it", kind)
        if not known.is_static:
            return Verdict(Engine.BROWSER, "pages like it are not known yet", kind)
        self._keep(kind, replace(known, since=known.since + 1))
        if known.since + 1 >= PROBE_EVERY:
            return Verdict(Engine.BROWSER, f"one of {PROBE_EVERY} pages like it is rendered to be sure", kind)
        return Verdict(Engine.HTTP, "scripts add nothing to pages like it", kind)

    def learn(self, verdict: Verdict, before: Content, after: Content) -> None:
        """Take in what rendering a page of this verdict added to what came over HTTP."""
        if not verdict.kind:
            return
        known = self.kinds.get(verdict.kind, _Kind())
        self._keep(verdict.kind, _learned(known, before, after))

    def as_json(self) -> dict[str, Any]:
        """For keeping; `from_json` reads it."""
        return {
            kind: {name: value for name, value in asdict(known).items() if value} for kind, known in self.kinds.items()
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """What `as_json` gave."""
        kinds = {kind: _Kind(**{**known, "notice": tuple(known.get("notice", ()))}) for kind, known in kept.items()}
        return cls(kinds)

    def _keep(self, kind: str, known: _Kind) -> None:
        self.kinds[kind] = known
        while len(self.kinds) > MAX_KINDS:
            del self.kinds[next(iter(self.kinds))]


def might_run_scripts(html: str) -> bool:
    """Whether anything in a page looks like a script: of one that has none nothing more need be asked."""
    return _MIGHT_RUN.search(html) is not None


def _learned(known: _Kind, before: Content, after: Content) -> _Kind:
    if after.links - before.links:
        return _Kind(needs_browser=True)
    gained = _gained_words(before.text, after.text)
    if _characters(word for word in gained.elements() if _checksum(word) not in known.notice) < NOTABLE_CHARACTERS:
        return _without_gain(known)
    if known.probes or known.needs_browser:
        return _Kind(needs_browser=True)
    return _Kind(probes=1, notice=tuple(sorted(map(_checksum, gained))[:MAX_NOTICE]))


def _without_gain(known: _Kind) -> _Kind:
    if not known.needs_browser:
        return replace(known, probes=known.probes + 1, since=0)
    if known.probes + 1 < GAINLESS:
        return replace(known, probes=known.probes + 1)
    return _Kind(probes=PROBES)


def _without_defaults(known: _Kind) -> dict[str, Any]:
    return {name: value for name, value in asdict(known).items() if value}


# --- the kind of a page -----------------------------------------------------------------------------------------------


def _runs_scripts(tree: LexborHTMLParser, html: str) -> bool:
    if any(not _is_data(script) for script in tree.css("script")):
        return True
    return bool(_HANDLERS.search(html) or tree.css_first('iframe[src^="javascript:"]'))


def _kind_of(tree: LexborHTMLParser, html: str) -> str:
    elements = {f"element {name.lower()}" for name in _ELEMENTS.findall(html)}
    marks = sorted({*map(_script_mark, tree.css("script")), *_empty_places(tree), *elements})
    return blake2s("\n".join(marks).encode(), digest_size=8).hexdigest()


def _is_data(script: LexborNode) -> bool:
    return bool(_DATA_TYPES.search((script.attributes.get("type") or "").replace("x-javascript", "")))


def _script_mark(script: LexborNode) -> str:
    attributes = script.attributes
    if _is_data(script):
        return f"data {attributes.get('type')} {_spared(attributes.get('id') or '')}"
    source = attributes.get("src")
    if source:
        return f"file {_spared(source.partition('?')[0].lower())}"
    names = sorted(set(_NAMES.findall(_STRINGS.sub(" ", script.text()[:SHAPE_CHARACTERS]))))
    return f"inline {' '.join(names)}"


def _empty_places(tree: LexborHTMLParser) -> Iterator[str]:
    """Named elements with nothing in them, for scripts to fill."""
    for node in tree.css(_PLACES):
        name = node.attributes.get("id") or node.attributes.get("class")
        if name and _is_empty(node):
            yield f"empty {node.tag}#{_spared(name)}"


def _is_empty(node: LexborNode) -> bool:
    child = node.first_child
    while child is not None and (
        child.tag == "-comment" or (child.tag == "-text" and not (child.text() or "").strip())
    ):
        child = child.next
    return child is None


def _spared(name: str) -> str:
    """A name without what counts or hashes."""
    return _DIGITS.sub("0", name)


# --- what rendering added ---------------------------------------------------------------------------------------------


def _gained_words(before: str, after: str) -> Counter[str]:
    gained = Counter(after.split()) - Counter(before.split())
    return Counter({word: count for word, count in gained.items() if any(map(str.isalpha, word))})


def _characters(words: Iterable[str]) -> int:
    return sum(map(len, words))


def _checksum(word: str) -> int:
    return zlib.crc32(word.encode())
