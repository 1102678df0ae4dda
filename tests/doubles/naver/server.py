"""The process: one listening port for each Naver host and one for control, on loopback, until SIGTERM."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from aiohttp import web

from tests.doubles.naver import faults
from tests.doubles.naver.control import Control
from tests.doubles.naver.exchange import HTML, SCRIPT_HEADER, SITES, Ask, Reply
from tests.doubles.naver.log import Entry
from tests.doubles.naver.pages import blog
from tests.doubles.naver.stage import Outcome, Stage

HOST: Final = "127.0.0.1"
_LARGEST_BODY: Final = 1 << 20
_STOP_SECONDS: Final = 2.0
_PARENT_CHECK_SECONDS: Final = 0.5

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


async def serve(stage: Stage, *, ready_file: Path | None, parent: int | None) -> None:
    """Listens on free ports, announces them in a line of JSON, returns when told to stop or when `parent` is gone."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stopped.set)
    runners = [await _listen(_site_handler(stage, site), stage, site) for site in SITES]
    control = Control(stage)
    runners.append(await _listen(control.handle, stage, "control"))
    _announce(control, ready_file)
    try:
        await _until_stopped(stopped, parent)
    finally:
        await asyncio.gather(*(runner.cleanup() for runner in runners))


async def _listen(handler: Handler, stage: Stage, name: str) -> web.ServerRunner:
    server = web.Server(handler, handler_cancellation=True, access_log=None)
    runner = web.ServerRunner(server, shutdown_timeout=_STOP_SECONDS)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    stage.urls[name] = f"http://{HOST}:{runner.addresses[0][1]}"
    return runner


def _announce(control: Control, ready_file: Path | None) -> None:
    line = json.dumps(control.settings())
    if ready_file is not None:
        partial = ready_file.with_name(ready_file.name + ".partial")
        partial.write_text(line + "\n", encoding="utf-8")
        partial.replace(ready_file)
    print(line, flush=True)


async def _until_stopped(stopped: asyncio.Event, parent: int | None) -> None:
    while not stopped.is_set():
        if parent is not None and os.getppid() != parent:
            return
        try:
            await asyncio.wait_for(stopped.wait(), _PARENT_CHECK_SECONDS if parent is not None else None)
        except TimeoutError:
            continue


def _site_handler(stage: Stage, site: str) -> Handler:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        ask = await _ask(site, request)
        entry = stage.log.open(ask, request.host, stage.day.isoformat())
        if ask.method == "OPTIONS":
            _close(entry, 204, "")
            return web.Response(status=204, headers=_cross_origin(ask))
        outcome = stage.respond(ask, request.remote or "")
        if outcome.delay:
            entry.fault = outcome.fault
            await asyncio.sleep(outcome.delay)
        if outcome.answer.reply.drop_after is not None:
            _close(entry, 0, outcome.fault)
            return await _drop(request, outcome.answer.reply)
        _close(entry, outcome.answer.reply.status, outcome.fault)
        return _response(ask, outcome)

    return handle


async def _ask(site: str, request: web.BaseRequest) -> Ask:
    body = b""
    if request.body_exists:
        body = await request.content.read(_LARGEST_BODY)
    return Ask(
        site=site,
        method=request.method,
        path=request.path,
        raw_query=request.rel_url.raw_query_string,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
    )


def _close(entry: Entry, status: int, fault: str) -> None:
    entry.status, entry.fault, entry.finished_at = status, fault, time.time()


def _response(ask: Ask, outcome: Outcome) -> web.Response:
    reply, body = outcome.answer.reply, outcome.answer.reply.body
    headers = {"Content-Type": reply.content_type, "Server": "nginx", **dict(reply.headers), **_cross_origin(ask)}
    if outcome.answer.packed is not None and "gzip" in ask.headers.get("accept-encoding", ""):
        body = outcome.answer.packed
        headers["Content-Encoding"] = "gzip"
    if reply.content_type == HTML and "NNB=" not in ask.headers.get("cookie", ""):
        headers["Set-Cookie"] = f"NNB={faults.new_cookie()}; path=/"
    return web.Response(status=reply.status, body=b"" if ask.method == "HEAD" else body, headers=headers)


def _cross_origin(ask: Ask) -> dict[str, str]:
    """Lets the scripts of one replica host read another, as the real hosts do for each other."""
    origin = ask.headers.get("origin")
    if origin is None:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Headers": f"Content-Type, {SCRIPT_HEADER}, {blog.QUERY_INFO}",
        "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
        "Access-Control-Max-Age": "600",
    }


async def _drop(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Closes the connection: at once, or after so many bytes of a body that was announced longer."""
    response = web.StreamResponse(headers={"Content-Type": reply.content_type, "Content-Length": str(len(reply.body))})
    if reply.drop_after:
        await response.prepare(request)
        await response.write(reply.body[: reply.drop_after])
    if request.transport is not None:
        request.transport.abort()
    return response
