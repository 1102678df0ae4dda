"""A replica as a server: free ports on loopback, one line that announces them, an end on SIGTERM."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from aiohttp import web

from tests.doubles.reply import Reply

HOST: Final = "127.0.0.1"
_STOP_SECONDS: Final = 2.0
_PARENT_CHECK_SECONDS: Final = 0.5

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


async def serve_until_stopped(
    handlers: Mapping[str, Handler],
    urls: dict[str, str],
    settings: Callable[[], dict[str, str]],
    *,
    ready_file: Path | None,
    parent: int | None,
) -> None:
    """Listens on a free port for each handler and puts its base URL into `urls`.

    Then prints `settings()` as a line of JSON, and returns when told to stop or when `parent` is gone.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stopped.set)
    runners = [await _listen(handler, urls, name) for name, handler in handlers.items()]
    _announce(settings(), ready_file)
    try:
        await _until_stopped(stopped, parent)
    finally:
        await asyncio.gather(*(runner.cleanup() for runner in runners))


async def drop(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Closes the connection: at once, or after so many bytes of a body that was announced longer."""
    response = web.StreamResponse(headers={"Content-Type": reply.content_type, "Content-Length": str(len(reply.body))})
    if reply.drop_after:
        await response.prepare(request)
        await response.write(reply.body[: reply.drop_after])
    if request.transport is not None:
        request.transport.abort()
    return response


async def _listen(handler: Handler, urls: dict[str, str], name: str) -> web.ServerRunner:
    server = web.Server(handler, handler_cancellation=True, access_log=None)
    runner = web.ServerRunner(server, shutdown_timeout=_STOP_SECONDS)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    urls[name] = f"http://{HOST}:{runner.addresses[0][1]}"
    return runner


def _announce(settings: dict[str, str], ready_file: Path | None) -> None:
    line = json.dumps(settings)
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
