"""Politeness: one request at a time to a host, and a pause after each."""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Protocol

from yarl import URL


class HostGate(Protocol):
    """Shared by all workers: whoever holds a host is the only one that sends to it."""

    def hold(self, host: str, *, budget: timedelta) -> AbstractAsyncContextManager[None]:
        """Hold a host ("host:port") for one request, from just before it is sent until its answer was judged.

        Entering waits for the host's slot. Leaving frees the host; its next slot is one delay later. A
        `nightjar.errors.Blocked` raised inside opens the host's cool-down before anybody else can send. `budget` is the
        longest that the hold lasts: then the host is free again even if the holder died, so the holder stops by then.

        Raises:
            HostBusy: the host has no free slot soon; nothing was sent.
        """


def host_of(url: str) -> str:
    """The host of a URL as the gate knows it: lower case, with its port, also where the port is the default one."""
    parsed = URL(url)
    host = (parsed.host or "").lower()
    return f"[{host}]:{parsed.port}" if ":" in host else f"{host}:{parsed.port}"
