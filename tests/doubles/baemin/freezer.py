"""Freezing a step: its requests hang until they are released, so that a test can look at what happens meanwhile."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from tests.doubles.baemin.exchange import Ask
from tests.doubles.control_port import Json

STEPS: Final = ("login_page", "login_init", "login_submit", "navigation", "extraction", "detail")
LONGEST_SECONDS: Final = 120.0


@dataclass(slots=True)
class Freeze:
    """One freeze: of a step, for one account or all ("")."""

    step: str
    login_id: str
    seconds: float
    released: asyncio.Event = field(default_factory=asyncio.Event)


class Freezer:
    """The freezes in force and the requests that hang in them."""

    def __init__(self) -> None:
        self._freezes: list[Freeze] = []
        self._held: dict[int, Json] = {}

    def freeze(self, given: Json) -> list[Json]:
        """Freezes `step` for `login_id`, each request for at most `seconds` (30). Raises ValueError for other steps."""
        step, seconds = given.get("step"), float(given.get("seconds", 30))
        if step not in STEPS or not 0 < seconds <= LONGEST_SECONDS:
            raise ValueError(f"step is one of {STEPS}, seconds at most {LONGEST_SECONDS}, got {given}")
        self._freezes.append(Freeze(str(step), str(given.get("login_id", "")), seconds))
        return self.as_json()

    def release(self, step: str = "") -> int:
        """Lets the requests of a step go, or of all steps, and ends the freeze; how many freezes ended."""
        ending = [one for one in self._freezes if step in ("", one.step)]
        self._freezes = [one for one in self._freezes if one not in ending]
        for one in ending:
            one.released.set()
        return len(ending)

    def as_json(self) -> list[Json]:
        """The freezes in force."""
        return [{"step": one.step, "login_id": one.login_id, "seconds": one.seconds} for one in self._freezes]

    def held(self) -> list[Json]:
        """The requests that hang now, oldest first."""
        return list(self._held.values())

    async def pass_through(self, ask: Ask, login_id: str, seq: int) -> bool:
        """Waits while the request's step is frozen; whether it had to."""
        step = step_of(ask)
        freeze = next((one for one in self._freezes if one.step == step and one.login_id in ("", login_id)), None)
        if freeze is None:
            return False
        self._held[seq] = {"seq": seq, "step": step, "path": ask.path, "login_id": login_id, "since": time.time()}
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(freeze.released.wait(), freeze.seconds)
        finally:
            del self._held[seq]
        return True


def step_of(ask: Ask) -> str:
    """The step of a crawl to which a request belongs; "" for what no crawl waits for."""
    if ask.method == "OPTIONS" or ask.kind == "static":
        return ""
    if ask.site == "member":
        return {"/login": "login_page", "/v1/login/init": "login_init", "/v1/login": "login_submit"}.get(ask.path, "")
    if ask.site == "self":
        return "navigation" if ask.path == "/" else "detail" if ask.parts[0] in {"shops", "mypage"} else ""
    return "detail" if ask.parts[:3] == ["v4", "store", "shops"] and ask.parts[-1].isdecimal() else "extraction"
