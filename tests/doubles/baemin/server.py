"""The process: one listening port for each origin and one for control, on loopback, until SIGTERM."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from tests.doubles.baemin.control import Control
from tests.doubles.baemin.exchange import SITES, Answer, Ask
from tests.doubles.baemin.stage import Entry, Stage
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
        entry = Entry(**usual_fields(ask, request.host, ask.kind), login_id=stage.whose(ask))
        stage.log.add(entry)
        stage.note_login_post(ask)
        try:
            answer = await _answer(stage, ask, entry)
        except asyncio.CancelledError:
            entry.close(0, "client gone")
            raise
        if answer.reply.drop_after is not None:
            entry.close(0, answer.fault)
            return await drop(request, answer.reply)
        entry.close(answer.reply.status, answer.fault)
        return _response(ask, answer)

    return handle


async def _answer(stage: Stage, ask: Ask, entry: Entry) -> Answer:
    entry.frozen = await stage.freezer.pass_through(ask, entry.login_id, entry.seq)
    answer = stage.respond(ask)
    if answer.delay:
        entry.fault = answer.fault
        await asyncio.sleep(answer.delay)
    return answer


def _response(ask: Ask, answer: Answer) -> web.Response:
    reply = answer.reply
    headers = {"Content-Type": reply.content_type, "Server": "nginx", **dict(reply.headers)}
    return web.Response(status=reply.status, body=b"" if ask.method == "HEAD" else reply.body, headers=headers)
