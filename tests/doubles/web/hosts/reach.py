"""Pages that try to reach an address which is not theirs to reach: the canary, in each of its spellings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Final
from urllib.parse import urlsplit

from tests.doubles.web.canary import canary_addresses

_EACH: Final = {
    "image": "new Image().src = url",
    "fetch": "fetch(url, {mode: 'no-cors'}).catch(() => 0)",
    "fetch-post": "fetch(url, {method: 'POST', mode: 'no-cors', body: 'x'}).catch(() => 0)",
    "xhr": "{ const call = new XMLHttpRequest(); call.open('GET', url); call.send() }",
    "beacon": "navigator.sendBeacon(url, 'x')",
    "socket": "new WebSocket(url.replace('http', 'ws'))",
    "events": "new EventSource(url)",
    "frame": "add('iframe', 'src', url)",
    "script": "add('script', 'src', url)",
    "style": "{ const link = add('link', 'href', url); link.rel = 'stylesheet' }",
    "object": "add('object', 'data', url)",
    "embed": "add('embed', 'src', url)",
    "video": "add('video', 'src', url)",
    "preconnect": "{ const link = add('link', 'href', url); link.rel = 'preconnect' }",
    "prefetch": "{ const link = add('link', 'href', url); link.rel = 'prefetch' }",
    "css-import": "add('style').textContent = `@import url('${url}')`",
    "css-image": "add('div').style.backgroundImage = `url('${url}')`",
    "window": "window.open(url)",
    "worker": "new Worker(URL.createObjectURL(new Blob([`fetch('${url}', {mode: 'no-cors'})`])))",
    "frame-form": "{ const form = add('form', 'action', url); form.target = 'inner'; form.submit() }",
}
"""Kind -> what its page does with each `url`."""

_MOVES: Final = {
    "redirect": "",
    "refresh": '<meta http-equiv="refresh" content="0; url={url}">',
    "location": "<script>location.href = {json}</script>",
    "form": '<form id="go" action="{url}"></form><script>document.getElementById("go").submit()</script>',
    "base": '<base href="{url}"><img src="picture.png"><a href="page">go</a>',
}
"""Kinds that leave their page, which takes one page for each spelling."""

SERVICE_WORKER: Final = "/reach/service-worker"
_MANY: Final = "/reach/each/"
_ONE: Final = "/reach/move/"
_WORKER_FILE: Final = "/reach/worker.js"


def reach_paths(urls: Mapping[str, str]) -> list[str]:
    """All these pages."""
    moves = [f"{_ONE}{kind}/{name}" for kind in _MOVES for name in _addresses(urls)]
    return ["/reach/links", SERVICE_WORKER, *(f"{_MANY}{kind}" for kind in _EACH), *moves]


def reach_page(path: str, urls: Mapping[str, str]) -> tuple[str, str, str] | None:
    """Content type, body, and where it redirects (or ""); None for an address that is none of these."""
    if path == "/reach/links":
        items = "".join(f'<a href="{escape(url)}">{name}</a> ' for name, url in _addresses(urls).items())
        return "text/html; charset=utf-8", f"<!doctype html><title>links</title>{items}", ""
    if path == SERVICE_WORKER:
        return "text/html", _service_worker_page(), ""
    if path == _WORKER_FILE:
        return "text/javascript", _script("fetch(url, {mode: 'no-cors'}).catch(() => 0)", _addresses(urls)), ""
    if path.startswith(_MANY) and path.removeprefix(_MANY) in _EACH:
        kind = path.removeprefix(_MANY)
        script = _script(_EACH[kind], _addresses(urls))
        return (
            "text/html; charset=utf-8",
            f"<!doctype html><title>{kind}</title><p>{kind}</p><script>{script}</script>",
            "",
        )
    if path.startswith(_ONE):
        kind, _, name = path.removeprefix(_ONE).partition("/")
        url = _addresses(urls).get(name)
        return None if url is None or kind not in _MOVES else _move(kind, url)
    return None


def _addresses(urls: Mapping[str, str]) -> dict[str, str]:
    return canary_addresses(urlsplit(urls["canary"]).port or 0)


def _move(kind: str, url: str) -> tuple[str, str, str]:
    if kind == "redirect":
        return "text/plain", "moved", url
    markup = _MOVES[kind].replace("{url}", escape(url)).replace("{json}", json.dumps(url))
    return "text/html; charset=utf-8", f"<!doctype html><title>{kind}</title><p>{kind}</p>{markup}", ""


def _script(act: str, addresses: Mapping[str, str]) -> str:
    return f"""
const add = (name, attribute, value) => {{
  const made = document.createElement(name);
  if (attribute) made.setAttribute(attribute, value);
  document.documentElement.appendChild(made);
  return made;
}};
for (const url of {json.dumps(list(addresses.values()))}) {{ try {{ {act} }} catch (error) {{ console.log(error) }} }}
"""


def _service_worker_page() -> str:
    return f"""<!doctype html><title>service worker</title><p>installs a worker</p>
<script>navigator.serviceWorker.register("{_WORKER_FILE}")</script>"""
