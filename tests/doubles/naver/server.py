"""The process: one listening port for each Naver host and one for control, on loopback, until SIGTERM."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from tests.doubles.naver import faults
from tests.doubles.naver.control import Control
from tests.doubles.naver.exchange import SCRIPT_HEADER, SITES, Ask
from tests.doubles.naver.log import Entry
from tests.doubles.naver.pages import blog
from tests.doubles.naver.stage import Outcome, Stage
from tests.doubles.reply import HTML
from tests.doubles.request_log import usual_fields
from tests.doubles.serving import Handler, drop, serve_until_stopped


async def serve(stage: Stage, *, ready_file: Path | None, parent: int | None) -> None:
    """Listens on free ports, announces them in a line of JSON, returns when told to stop or when `parent` is gone."""
    control = Control(stage)
    handlers = {site: _site_handler(stage, site) for site in SITES} | {"control": control.handle}
    await serve_until_stopped(handlers, stage.urls, control.settings, ready_file=ready_file, parent=parent)


def _site_handler(stage: Stage, site: str) -> Handler:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        ask = await Ask.read(site, request)
        entry = Entry(
            **usual_fields(ask, request.host, ask.kind),
            keyword=ask.keyword,
            step=ask.step,
            day=stage.day.isoformat(),
        )
        stage.log.add(entry)
        if ask.method == "OPTIONS":
            entry.close(204)
            return web.Response(status=204, headers=_cross_origin(ask))
        outcome = stage.respond(ask, request.remote or "")
        if outcome.delay:
            entry.fault = outcome.fault
            await asyncio.sleep(outcome.delay)
        if outcome.answer.reply.drop_after is not None:
            entry.close(0, outcome.fault)
            return await drop(request, outcome.answer.reply)
        entry.close(outcome.answer.reply.status, outcome.fault)
        return _response(ask, outcome)

    return handle


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
