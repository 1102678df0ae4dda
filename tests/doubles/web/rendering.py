"""Pages as bytes: the usual frame of a replica site, sitemaps, and the real origins put in."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from html import escape
from typing import Final
from urllib.parse import urlsplit

from tests.doubles.web.page import HTML, Link, Page, Site, Sitemap

_CODECS: Final = {"euc-kr": "cp949"}
"""Browsers read EUC-KR as the larger set of the same bytes, and so do pages that call themselves so."""

_ORIGIN: Final = re.compile(r"http://([a-z]+)\.replica")
_PORT: Final = re.compile(r"\b([a-z]+)\.port\b")


def with_origins(text: str, urls: Mapping[str, str]) -> str:
    """Puts the origin in the place of `http://NAME.replica` and the port in that of `NAME.port`."""
    text = _ORIGIN.sub(lambda found: urls.get(found[1], found[0]), text)
    return _PORT.sub(lambda found: str(urlsplit(urls[found[1]]).port) if found[1] in urls else found[0], text)


def body_of(site: Site, page: Page, urls: Mapping[str, str]) -> bytes:
    """What the page's answer carries."""
    if page.body is not None:
        return page.body
    markup = page.html or _framed(site, page)
    return with_origins(markup, urls).encode(_CODECS.get(page.charset, page.charset), "xmlcharrefreplace")


def content_type_of(page: Page) -> str:
    """The Content-Type header."""
    if page.content_type == HTML and page.charset_in == "header":
        return f"{HTML}; charset={page.charset}"
    return page.content_type


def sitemap_body(sitemap: Sitemap, origin: str) -> bytes:
    """A sitemap file; packed where its name says so."""
    if sitemap.plain:
        return "".join(f"{origin}{target}\n" for target in sitemap.pages).encode()
    kind, entry = ("sitemapindex", "sitemap") if sitemap.children else ("urlset", "url")
    entries = "".join(
        f"<{entry}><loc>{escape(origin + target)}</loc></{entry}>" for target in (*sitemap.children, *sitemap.pages)
    )
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind} xmlns="{space}">{entries}</{kind}>'.encode()
    return gzip.compress(text, mtime=0) if sitemap.packed else text


def _framed(site: Site, page: Page) -> str:
    paragraphs = "\n".join(f"<p>{escape(sentence)}</p>" for sentence in page.sentences)
    return f"""<!doctype html>
<html lang="{page.language or site.language}">
<head>
{_head(page)}
</head>
<body>
<header><strong>{site.name}</strong></header>
<main>
<h1>{escape(page.title)}</h1>
{paragraphs}
<ul>
{"".join(f"<li>{_anchor(link)}</li>{chr(10)}" for link in page.links)}</ul>
</main>
<footer><p>{site.name} replica</p></footer>
</body>
</html>
"""


def _head(page: Page) -> str:
    lines = [f"<title>{escape(page.title)}</title>"]
    if page.charset_in == "meta":
        meta = f'<meta http-equiv="Content-Type" content="text/html; charset={page.charset}">'
        lines.insert(0, meta if page.charset != "utf-8" else '<meta charset="utf-8">')
    if page.base:
        lines.append(f'<base href="{escape(page.base)}">')
    if page.robots:
        lines.append(f'<meta name="robots" content="{escape(page.robots)}">')
    if page.canonical is not None:
        lines.append(f'<link rel="canonical" href="{escape(page.canonical.href)}">')
    return "\n".join(lines)


def _anchor(link: Link) -> str:
    rel = f' rel="{escape(link.rel)}"' if link.rel else ""
    href = escape(link.href)
    match link.tag:
        case "area":
            area = f'<area shape="default" href="{href}" alt="{escape(link.text)}"{rel}>'
            return f'<img usemap="#places" alt=""><map name="places">{area}</map>'
        case "iframe" | "img":
            return f'<{link.tag} src="{href}"></{link.tag}>' if link.tag == "iframe" else f'<img src="{href}" alt="">'
        case "link":
            return f'<link href="{href}"{rel}>'
        case "form":
            return f'<form action="{href}"><input name="q"></form>'
        case "comment":
            return f'<!-- <a href="{href}">formerly</a> -->'
    return f'<a href="{href}"{rel}>{escape(link.text) or "link"}</a>'
