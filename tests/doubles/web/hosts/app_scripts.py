"""The scripts of the script-made site."""

from __future__ import annotations

import json
from typing import Final

from tests.doubles.web.words import english

_ADD: Final = """
const add = (href, parent = document.querySelector("main")) => {
  const link = document.createElement("a");
  link.href = href;
  link.textContent = "Go to " + href;
  parent.appendChild(link);
};
"""


def items_of() -> dict[str, tuple[str, list[str]]]:
    """The addresses of the single-page application: the text and the links that its bundle shows there."""
    found = {
        "/spa/home": (english(1, "spa", "home")[0], ["/spa/list"]),
        "/spa/list": (english(1, "spa", "list")[0], [f"/spa/item/{number}" for number in range(1, 6)]),
    }
    for number in range(1, 6):
        found[f"/spa/item/{number}"] = (english(1, "spa", number)[0], ["/spa/home"])
    return found


def _mixed_routes() -> dict[str, tuple[str, list[str]]]:
    return {
        f"/mixed/{number}": (
            english(1, "mixed", number)[0],
            [f"/mixed/{number + 1}", f"/mixed/leaf/{number}"][0 if number < 12 else 1 :],
        )
        for number in range(2, 13, 2)
    }


def _routes(routes: dict[str, tuple[str, list[str]]]) -> str:
    """A bundle that fills an empty #root with what belongs to its address, and leaves a full one alone."""
    return f"""
const routes = {json.dumps(routes)};
{_ADD}
const root = document.getElementById("root");
const route = routes[location.pathname];
if (root && !root.hasChildNodes() && route) {{
  const [text, links] = route;
  const main = root.appendChild(document.createElement("main"));
  main.appendChild(document.createElement("h1")).textContent = location.pathname;
  main.appendChild(document.createElement("p")).textContent = text;
  for (const href of links) add(href, main);
}}
"""


def _inline(script: str) -> str:
    return f"<script>{script}</script>"


def _three(name: str) -> str:
    return f"for (const number of [1, 2, 3]) add('/leaf/{name}/' + number);"


_ELEMENT: Final = """
customElements.define("leaf-list", class extends HTMLElement {
  connectedCallback() {
    for (const number of [1, 2, 3]) add("/leaf/element/" + number, this);
  }
});
"""
_WRITE: Final = """
for (const number of [1, 2, 3]) document.write('<a href="/leaf/write/' + number + '">written</a> ');
"""
_INSERT: Final = """
document.querySelector("main").insertAdjacentHTML("beforeend",
  [1, 2, 3].map(number => `<a href="/leaf/insert/${number}">inserted</a>`).join(" "));
"""
_JSON: Final = """
for (const { href } of JSON.parse(document.getElementById("leaves").textContent)) add(href);
"""
_FETCH: Final = (
    "fetch('/api/list').then(answer => answer.json()).then(({items}) => items.forEach(one => add(one.href)));"
)
_SCROLL: Final = """
addEventListener("scroll", () => { for (const number of [1, 2, 3]) add("/leaf/scroll/" + number); }, { once: true });
"""
_MENU: Final = """
const menu = document.body.insertBefore(document.createElement("nav"), document.body.firstChild);
for (const number of [1, 2, 3]) {
  const href = "/nav/" + number;
  if (href !== location.pathname) menu.insertAdjacentHTML("beforeend", `<a href="${href}">Menu ${number}</a>`);
}
"""
_HYDRATE: Final = """
const state = JSON.parse(document.getElementById("state").textContent);
for (const link of document.querySelectorAll("a")) link.addEventListener("click", () => state.clicks++);
document.documentElement.dataset.hydrated = "yes";
"""
_TRACKING: Final = """
window.visits = window.visits || [];
visits.push({ at: Date.now(), page: location.pathname });
document.cookie = "visitor=" + Math.random().toString(16).slice(2);
new Image().src = "/pixel.gif?t=" + Date.now();
"""
_STATE: Final = '<script type="application/json" id="state">{"clicks": 0, "href": "/never/linked"}</script>'
_LINKED: Final = """<script type="application/ld+json">
{"@context": "https://schema.invalid", "@type": "Article", "headline": "Linked data", "url": "/never/linked"}
</script>"""
_LEAVES: Final = json.dumps([{"href": f"/leaf/json/{number}"} for number in range(1, 4)])

SCRIPTS: Final = {
    "inline": _inline(_ADD + _three("inline")),
    "write": _inline(_WRITE),
    "ready": _inline(f"{_ADD} document.addEventListener('DOMContentLoaded', () => {{ {_three('ready')} }});"),
    "load": _inline(f"{_ADD} window.addEventListener('load', () => {{ {_three('load')} }});"),
    "module": '<script type="module" src="/static/module.js"></script>',
    "element": _inline(_ADD + _ELEMENT) + "<leaf-list></leaf-list>",
    "fetch": _inline(_ADD + _FETCH),
    "lazy": _inline(f"{_ADD} setTimeout(() => {{ {_three('lazy')} }}, 300);"),
    "insert": _inline(_INSERT),
    "json": f'<script type="application/json" id="leaves">{_LEAVES}</script>' + _inline(_ADD + _JSON),
    "click": '<button id="more">More</button>'
    + _inline(f"{_ADD} document.getElementById('more').onclick = () => {{ {_three('click')} }};"),
    "scroll": _inline(_ADD + _SCROLL),
    "state": _STATE,
    "linked-data": _LINKED,
    "tracking": '<script async src="/static/count.js"></script>' + _inline(_TRACKING),
    "/static/bundle.js": _routes(items_of()),
    "/static/mixed.js": _routes(_mixed_routes()),
    "/static/module.js": f"{_ADD} {_three('module')} export {{}};",
    "/static/menu.js": _MENU,
    "/static/hydrate.js": _HYDRATE,
    "/static/count.js": "window.counted = (window.counted || 0) + 1;",
}
"""Way of making links -> markup at the end of the page; `/static/...` -> the text of a script file."""
