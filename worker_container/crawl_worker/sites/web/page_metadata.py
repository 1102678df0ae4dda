"""What a page says about itself, beside its text."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import ada_url
from selectolax.lexbor import LexborHTMLParser

from crawl_worker.sites.web.section_text import one_line

MAX_VALUE = 1_000
MAX_OPEN_GRAPH = 50
MAX_JSON_LD = 20
MAX_JSON_LD_LENGTH = 200_000
"""What is longer is cut off, or, of JSON, not read. Characters."""

_AUTHOR = ("author", "article:author", "dc.creator", "byl", "parsely-author")
_PUBLISHED = (
    *("article:published_time", "datepublished", "date", "pubdate", "dc.date", "dc.date.issued"),
    *("dcterms.created", "parsely-pub-date", "og:regdate"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageMetadata:
    """Each as the page says it, None or empty where it says nothing."""

    title: str | None
    description: str | None
    author: str | None
    published: str | None
    language: str | None
    """Declared, such as `ko` or `en-GB`."""

    canonical: str | None
    """Absolute."""

    open_graph: Mapping[str, str]
    """Without their prefix `og:`."""

    types: tuple[str, ...]
    """What the page is of, in the words of schema.org: the `@type` of its JSON-LD."""


def metadata_of(document: LexborHTMLParser, url: str) -> PageMetadata:
    """The metadata of a page at `url`."""
    said = _meta_elements(document)
    things = list(_things(document))
    open_graph = {name[3:]: value for name, value in said.items() if name.startswith("og:") and len(name) > 3}  # noqa: PLR2004  # the prefix
    return PageMetadata(
        title=_text(document, "title") or open_graph.get("title") or _text(document, "h1"),
        description=said.get("description") or open_graph.get("description"),
        author=_first(said, _AUTHOR) or _of_things(things, "author"),
        published=_first(said, _PUBLISHED) or _of_things(things, "datePublished") or _time_of_article(document),
        language=_language(document, said),
        canonical=_canonical(document, url),
        open_graph=dict(list(open_graph.items())[:MAX_OPEN_GRAPH]),
        types=tuple(dict.fromkeys(kind for thing in things for kind in _kinds(thing))),
    )


def _meta_elements(document: LexborHTMLParser) -> dict[str, str]:
    """Name or property, in lower case, to content; the first of a name counts."""
    said: dict[str, str] = {}
    for element in document.css("meta[content]"):
        attributes = element.attributes
        name = attributes.get("property") or attributes.get("name") or attributes.get("itemprop")
        name = name or attributes.get("http-equiv")
        value = one_line(attributes.get("content") or "")[:MAX_VALUE]
        if name and value:
            said.setdefault(name.strip().lower(), value)
    return said


def _text(document: LexborHTMLParser, selector: str) -> str | None:
    element = document.css_first(selector)
    return (one_line(element.text())[:MAX_VALUE] or None) if element is not None else None


def _attribute(document: LexborHTMLParser, selector: str, name: str) -> str | None:
    element = document.css_first(selector)
    return ((element.attributes.get(name) or "").strip()[:MAX_VALUE] or None) if element is not None else None


def _first(said: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((said[name] for name in names if name in said), None)


def _language(document: LexborHTMLParser, said: Mapping[str, str]) -> str | None:
    declared = _attribute(document, "html[lang]", "lang") or said.get("content-language") or said.get("og:locale")
    return declared.replace("_", "-") if declared else None


def _canonical(document: LexborHTMLParser, url: str) -> str | None:
    href = _attribute(document, "link[rel~=canonical]", "href")
    if href is None:
        return None
    try:
        return str(ada_url.join_url(url, href))
    except ValueError:
        return None


def _time_of_article(document: LexborHTMLParser) -> str | None:
    return _attribute(document, "article time[datetime]", "datetime") or _attribute(
        document, "time[pubdate][datetime]", "datetime"
    )


def _things(document: LexborHTMLParser) -> Iterator[Mapping[str, object]]:
    """The objects of JSON-LD that the page is about: at the top, in a list, or in `@graph`."""
    for script in document.css('script[type="application/ld+json"]')[:MAX_JSON_LD]:
        text = script.text()
        if len(text) > MAX_JSON_LD_LENGTH:
            continue
        try:
            yield from _objects(json.loads(text))
        except (ValueError, RecursionError):
            continue


def _objects(said: object) -> Iterator[Mapping[str, object]]:
    for thing in said if isinstance(said, list) else [said]:
        if isinstance(thing, dict):
            graph = thing.get("@graph")
            yield from (inner for inner in graph if isinstance(inner, dict)) if isinstance(graph, list) else (thing,)


def _kinds(thing: Mapping[str, object]) -> Iterator[str]:
    kinds = thing.get("@type")
    yield from (_storable(kind) for kind in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(kind, str))


def _of_things(things: list[Mapping[str, object]], name: str) -> str | None:
    """The first value of this name: a string, or the name of what stands there."""
    for thing in things:
        value = thing.get(name)
        value = value[0] if isinstance(value, list) and value else value
        value = value.get("name") if isinstance(value, dict) else value
        if isinstance(value, str) and value.strip():
            return _storable(value)
    return None


def _storable(value: str) -> str:
    """JSON can say what no text of a database holds: a zero character, half a character."""
    return one_line(value.encode("utf-8", "replace").decode().replace("\0", ""))[:MAX_VALUE]
