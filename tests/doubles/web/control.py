"""The control API: what a test says to the replica."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, cast

from aiohttp import web

from tests.doubles.control_port import Action, Json, answer_control
from tests.doubles.web.sites import SITES
from tests.doubles.web.stage import Trouble

if TYPE_CHECKING:
    from tests.doubles.web.stage import Stage


class Control:
    """Routes of the control port."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._actions: dict[tuple[str, str], Action] = {
            ("GET", "/settings"): lambda _: self.settings(),
            ("GET", "/requests"): lambda given: stage.log.select(cast("dict[str, str]", given)),
            ("GET", "/canary"): lambda _: [asdict(hit) for hit in stage.canary_hits],
            ("GET", "/robots"): lambda given: sorted(SITES[str(given["host"])]().robots),
            ("PUT", "/robots"): lambda given: stage.set_robots(_host(given), str(given["variant"])),
            ("PUT", "/delay"): self._put_delay,
            ("PUT", "/trouble"): self._put_trouble,
            ("POST", "/reset"): lambda _: stage.reset(),
        }

    def settings(self) -> dict[str, str]:
        """Host -> its origin; also those of the canary and of this port."""
        return dict(self._stage.urls)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers one control request."""
        return await answer_control(request, self._actions)

    def _put_delay(self, given: Json) -> None:
        self._stage.delays[_host(given)] = float(given["seconds"])

    def _put_trouble(self, given: Json) -> None:
        self._stage.troubles[_host(given)] = Trouble(
            status=int(given["status"]),
            requests=int(given["requests"]),
            retry_after=str(given.get("retry_after", "")),
        )


def _host(given: Json) -> str:
    host = str(given["host"])
    if host not in SITES:
        raise ValueError(f"there is no host {host!r}; known: {sorted(SITES)}")
    return host
