"""Politeness: one request at a time to a host, and a pause after each."""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Protocol

from yarl import URL

from nightjar.errors import Blocked


class HostGate(Protocol):
    """Shared by all workers: whoever holds a host is the only one that sends to it."""

    def hold(self, host: str, *, budget: timedelta) -> AbstractAsyncContextManager[None]:
        """Hold a host ("host:port") for one request, from just before it is sent until its answer was judged.

        Entering waits for the host's slot. Leaving frees the host; its next slot is one delay later. A
        `nightjar.errors.Blocked` raised inside opens the host's cool-down before anybody else can send, and that of
        the host that it names, if it is another one (`blocking_host`). `budget` is the longest that the hold lasts:
        then the host is free again even if the holder died, so the holder stops by then.

        Raises:
            HostBusy: the host has no free slot soon; nothing was sent.
        """

    async def refuse_cooling(self, host: str) -> None:
        """Return unless a block of this host is being waited out. For hosts that the script of a page will ask.

        Raises:
            HostBusy: it is.
        """


LONGEST_COOLDOWN = timedelta(days=1)
"""However late a host asks us to come back: by then the next night wants to know."""


def cooldown_after(block: Blocked, *, usual: timedelta) -> timedelta:
    """The cool-down after a block: the usual one, or as long as the host itself asked for (`Retry-After`)."""
    asked_for = block.details.get("retry_after_seconds")
    if not isinstance(asked_for, int):
        return usual
    return max(usual, min(timedelta(seconds=asked_for), LONGEST_COOLDOWN))


def blocking_host(block: Blocked) -> str | None:
    """The host whose answer was the block, where the error names it: not always the host that is held."""
    host = block.details.get("host")
    return host if isinstance(host, str) else None


def host_of(url: str) -> str:
    """The host of a URL as the gate knows it: lower case, with its port, also where the port is the default one."""
    parsed = URL(url)
    host = (parsed.host or "").lower()
    return f"[{host}]:{parsed.port}" if ":" in host else f"{host}:{parsed.port}"
