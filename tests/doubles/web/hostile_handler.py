"""Does what the hostile site does to its visitors. A visitor who leaves ends it; so do ten minutes."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from tests.doubles.serving import Handler
from tests.doubles.web import hostile_bodies as bodies
from tests.doubles.web.hosts.hostile import HARMLESS, index
from tests.doubles.web.hosts.reach import reach_page
from tests.doubles.web.site_handler import logged
from tests.doubles.web.stage import Stage

_LONGEST: Final = 600.0
_PAUSE: Final = 0.2
_BLOCK: Final = b"y" * 65_536
_GIGABYTE: Final = 1_000_000_000
_RESET_AT_ONCE: Final = struct.pack("ii", 1, 0)

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def hostile_handler(stage: Stage) -> Handler:
    """The handler of the site."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        async with logged(stage, "hostile", request) as entry, asyncio.timeout(_LONGEST):
            response = await _answer(stage, request)
            entry.status = response.status
            return response

    return handle


async def _answer(stage: Stage, request: web.BaseRequest) -> web.StreamResponse:
    path = request.raw_path.partition("?")[0]
    if path == "/":
        return _html(index(stage.urls))
    if path in _ACTS:
        return await _ACTS[path](request)
    if path.startswith("/redirect/"):
        return _redirect(path.removeprefix("/redirect/"))
    if path.startswith("/coding/"):
        return await _coded(path.removeprefix("/coding/"))
    markup = bodies.markup(path)
    return _reaching(stage, path) if markup is None else _html(markup)


def _reaching(stage: Stage, path: str) -> web.Response:
    reached = reach_page(path, stage.urls)
    if reached is None:
        return web.Response(status=404, text="no such page")
    kind, body, location = reached
    headers = {"Content-Type": kind} | ({"Location": location} if location else {})
    return web.Response(status=302 if location else 200, body=body.encode(), headers=headers)


def _html(markup: str) -> web.Response:
    return web.Response(body=markup.encode(), headers={"Content-Type": "text/html; charset=utf-8"})


def _redirect(step: str) -> web.Response:
    target = f"/redirect/{int(step) + 1}" if step.isdigit() else "/redirect/self"
    return web.Response(status=302, headers={"Location": target})


async def _coded(name: str) -> web.StreamResponse:
    made = await asyncio.to_thread(bodies.coded, name)
    if made is None:
        return web.Response(status=404, text="no such page")
    coding, body = made
    return web.Response(body=body, headers={"Content-Encoding": coding, "Content-Type": "text/html"})


async def _gigabyte(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": str(_GIGABYTE), "Content-Type": "text/html"})
    await response.prepare(request)
    for _ in range(_GIGABYTE // len(_BLOCK)):
        await response.write(_BLOCK)
    await response.write(_BLOCK[: _GIGABYTE % len(_BLOCK)])
    return response


async def _endless(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/html"})
    await response.prepare(request)
    while True:
        await response.write(_BLOCK)


async def _trickle(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/html"})
    await response.prepare(request)
    while True:
        await response.write(b"x")
        await asyncio.sleep(_PAUSE)


async def _reset(request: web.BaseRequest) -> web.StreamResponse:
    response = await _half(request)
    await asyncio.sleep(_PAUSE / 2)
    transport = _transport(request)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
    transport.abort()
    return response


async def _short(request: web.BaseRequest) -> web.StreamResponse:
    response = await _half(request)
    _transport(request).close()
    return response


async def _stalled(request: web.BaseRequest) -> web.StreamResponse:
    response = await _half(request)
    await asyncio.sleep(_LONGEST)
    return response


async def _half(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "20000", "Content-Type": "text/html"})
    await response.prepare(request)
    await response.write(b"<title>half</title><p>only half" * 300)
    return response


async def _never(_: web.BaseRequest) -> web.StreamResponse:
    await asyncio.sleep(_LONGEST)
    return web.Response(text="too late")


async def _slow_head(request: web.BaseRequest) -> web.StreamResponse:
    transport = _transport(request)
    transport.write(b"HTTP/1.1 200 OK\r\nX-Patience: ")
    while not transport.is_closing():
        transport.write(b"x")
        await asyncio.sleep(_PAUSE)
    return web.Response()


def _raw(answer: bytes) -> Answer:
    """Writes these bytes and closes the connection."""

    async def act(request: web.BaseRequest) -> web.StreamResponse:
        transport = _transport(request)
        transport.write(answer)
        transport.close()
        return web.Response()

    return act


def _transport(request: web.BaseRequest) -> asyncio.Transport:
    if request.transport is None:
        raise ConnectionResetError("the visitor left before the answer")
    return request.transport


async def _charset(_: web.BaseRequest) -> web.StreamResponse:
    return web.Response(body=bodies.READABLE, headers={"Content-Type": "text/html; charset=klingon"})


async def _harmless(_: web.BaseRequest) -> web.StreamResponse:
    return _html("<!doctype html><title>harmless</title><p>The crawl went on.</p>")


_ACTS: Final[dict[str, Answer]] = {
    "/body/gigabyte": _gigabyte,
    "/body/endless": _endless,
    "/body/trickle": _trickle,
    "/body/reset": _reset,
    "/body/short": _short,
    "/body/stalled": _stalled,
    "/head/never": _never,
    "/head/slow": _slow_head,
    "/head/charset": _charset,
    HARMLESS: _harmless,
    **{path: _raw(answer) for path, answer in bodies.raw_answers().items()},
}
