"""The process: one listening port for each host, two that speak TLS, the canary and the control port, until SIGTERM."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.doubles.serving import serve_until_stopped
from tests.doubles.web import canary, tls
from tests.doubles.web.control import Control
from tests.doubles.web.hostile_handler import hostile_handler
from tests.doubles.web.site_handler import site_handler
from tests.doubles.web.sites import SITES
from tests.doubles.web.stage import Stage


async def serve(stage: Stage, *, ready_file: Path | None, parent: int | None) -> None:
    """Listens on free ports, announces them in a line of JSON, returns when told to stop or when `parent` is gone."""
    control = Control(stage)
    handlers = {name: site_handler(stage, make()) for name, make in SITES.items()}
    handlers |= {"hostile": hostile_handler(stage), "control": control.handle}
    canaries = await canary.listen(stage)
    runners = await tls.listen(stage)
    try:
        await serve_until_stopped(handlers, stage.urls, control.settings, ready_file=ready_file, parent=parent)
    finally:
        for server in canaries:
            server.close()
        await asyncio.gather(*(runner.cleanup() for runner in runners))
