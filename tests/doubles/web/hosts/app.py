"""A site made by scripts, in many ways, next to pages whose scripts add nothing.

A page needs a browser if its text or its links are not all in what the server sends. What a script does only after a
click or a scroll is not seen by either.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tests.doubles.web.hosts.app_scripts import SCRIPTS, items_of
from tests.doubles.web.page import Link, Page, Site
from tests.doubles.web.words import english

SHELLS: Final = ("/spa/home", "/spa/list", *(f"/spa/item/{number}" for number in range(1, 6)))
LAZY_SECONDS: Final = 0.3


def app() -> Site:
    """The whole site."""
    pages = _shells() | _mixed() | _makers() | _static() | _script_files()
    rooms = ("/spa/home", "/mixed/1", "/ssr/1", "/tracked/1", *_MAKERS, "/data/linked", "/data/state", "/nav/1")
    home = _page("Rooms", *_to(*rooms))
    return Site(name="app", language="en", pages=pages | {"/": home})


def _to(*targets: str, by_script: bool = False) -> tuple[Link, ...]:
    return tuple(Link(href=target, text=f"Go to {target}", by_script=by_script) for target in targets)


def _page(title: str, *links: Link, scripts: str = "", inside: str = "", needs: bool = False) -> Page:
    """A page that the server renders: its text and the links that are not made by scripts, and then the scripts."""
    page = Page(title=title, sentences=english(5, "app", title), links=links, language="en", needs_browser=needs)
    texts = "\n".join(f"<p>{sentence}</p>" for sentence in page.sentences)
    shown = "\n".join(f'<li><a href="{link.href}">{link.text}</a></li>' for link in links if not link.by_script)
    markup = (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title></head>\n<body>\n'
        f"<main>\n<h1>{title}</h1>\n{texts}\n<ul>\n{shown}\n</ul>\n{inside}\n</main>\n{scripts}\n</body>\n</html>\n"
    )
    return replace(page, html=markup)


def _shell(title: str, script: str, links: tuple[Link, ...], sentences: tuple[str, ...]) -> Page:
    markup = (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title></head>\n<body>\n'
        f'<noscript>This site needs scripts.</noscript>\n<div id="root"></div>\n'
        f'<script src="{script}"></script>\n</body>\n</html>\n'
    )
    return Page(title=title, html=markup, links=links, sentences=sentences, language="en", needs_browser=True)


def _shells() -> dict[str, Page]:
    """A single-page application: one shell, filled by its bundle for the address that it is at."""
    return {
        target: _shell("Loading", "/static/bundle.js", _to(*links, by_script=True), (text,))
        for target, (text, links) in items_of().items()
    }


def _mixed() -> dict[str, Page]:
    """Pages of one bundle: the odd ones come whole, the even ones are shells that it fills."""
    pages = {}
    for number in range(1, 13):
        onward = (f"/mixed/{number + 1}", f"/mixed/leaf/{number}") if number < 12 else (f"/mixed/leaf/{number}",)
        leaf = f"/mixed/leaf/{number}"
        pages[leaf] = _page(f"Leaf {number}", *_to("/"))
        if number % 2:
            whole = '<div id="root"><p>Rendered by the server.</p></div>'
            pages[f"/mixed/{number}"] = _page(
                f"Mixed {number}", *_to(*onward), inside=whole, scripts='<script src="/static/mixed.js"></script>'
            )
        else:
            text = english(1, "mixed", number)
            links = _to(*onward, by_script=True)
            pages[f"/mixed/{number}"] = _shell(f"Mixed {number}", "/static/mixed.js", links, text)
    return pages


_MAKERS: Final = ("/make/inline", "/make/write", "/make/ready", "/make/load", "/make/module", "/make/element",
                  "/make/fetch", "/make/lazy", "/make/insert", "/make/json", "/make/click", "/make/scroll")  # fmt: skip
"""Each makes three links to leaves of its own, in the way that its name says; the last two only when somebody acts."""


def _makers() -> dict[str, Page]:
    pages = {}
    for maker in _MAKERS:
        name = maker.rpartition("/")[2]
        acted = name in {"click", "scroll"}
        leaves = [f"/leaf/{name}/{number}" for number in range(1, 4)]
        scripts = SCRIPTS[name]
        links = () if acted else _to(*leaves, by_script=True)
        pages[maker] = _page(f"Made by {name}", *_to("/"), *links, scripts=scripts, needs=not acted)
        pages |= {leaf: _page(f"Leaf {leaf}", *_to("/")) for leaf in leaves if not acted}
    return pages


def _static() -> dict[str, Page]:
    """Pages with scripts that add nothing: hydration, counting of visitors, data; and menus that a script makes."""
    pages = {}
    for number in range(1, 9):
        onward = _to(f"/ssr/{number + 1}") if number < 8 else ()
        pages[f"/ssr/{number}"] = _page(
            f"Rendered {number}", *onward, inside=SCRIPTS["state"], scripts='<script src="/static/hydrate.js"></script>'
        )
        onward = _to(f"/tracked/{number + 1}") if number < 8 else ()
        pages[f"/tracked/{number}"] = _page(f"Tracked {number}", *onward, scripts=SCRIPTS["tracking"])
    pages["/data/linked"] = _page("Linked data", *_to("/"), scripts=SCRIPTS["linked-data"])
    pages["/data/state"] = _page("State", *_to("/"), scripts=SCRIPTS["state"])
    for number in range(1, 4):
        others = [f"/nav/{other}" for other in range(1, 4) if other != number]
        pages[f"/nav/{number}"] = _page(
            f"Menu {number}",
            *_to(*others, by_script=True),
            scripts='<script src="/static/menu.js"></script>',
            needs=True,
        )
    return pages


def _script_files() -> dict[str, Page]:
    """What pages load; no link leads here."""
    files = {
        name: Page(content_type="text/javascript", body=text.encode())
        for name, text in SCRIPTS.items()
        if name.startswith("/")
    }
    leaves = ", ".join(f'{{"href": "/leaf/fetch/{number}"}}' for number in range(1, 4))
    listed = Page(content_type="application/json", body=f'{{"items": [{leaves}]}}'.encode(), delay=0.1)
    return files | {"/api/list": listed}
