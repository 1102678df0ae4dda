"""Pub/sub over one connection that comes back by itself and says when it was away: what was said then is lost."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from redis import RedisError

from nightjar.adapters.redis.connection import impatient_client

PING_SECONDS = 1.0
"""How often a silent connection is asked whether it lives."""

DEAF_SECONDS = 3.0
"""Without any answer for this long a connection is given up: a dead peer never says so."""

PAUSES = (0.1, 0.2, 0.5, 1.0)
"""Seconds before the next try; the last one repeats."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Something that was said on a channel; without `data` the channel is listened to from now on, or again."""

    channel: str
    data: str | None


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection was lost; `cause` says how."""

    cause: str


class Subscriber:
    """Listens to `channel`, and to more of them that may change while it listens. It lives in one loop."""

    def __init__(self, url: str, channel: str) -> None:
        self._client = impatient_client(url, max_connections=1)
        self._channels = {channel}
        self._pubsub: Any = None
        self._last_heard = 0.0
        self._last_ping = 0.0

    async def subscribe(self, channel: str) -> None:
        """Listen to one more channel; `Heard` without data tells when it begins. Errors show in `listen`."""
        self._channels.add(channel)
        if self._pubsub is not None:
            with suppress(RedisError, OSError):
                await self._pubsub.subscribe(channel)

    async def unsubscribe(self, channel: str) -> None:
        """Listen to it no more."""
        self._channels.discard(channel)
        if self._pubsub is not None:
            with suppress(RedisError, OSError):
                await self._pubsub.unsubscribe(channel)

    async def listen(self) -> AsyncGenerator[Heard | Lost, None]:
        """Everything that is said, until it is closed. Never raises for a Redis that is away."""
        failures = 0
        while True:
            try:
                async for heard in self._listen_once():
                    failures = 0
                    yield heard
            except (RedisError, OSError) as error:
                yield Lost(f"{type(error).__name__}: {error}")
                failures += 1
            await asyncio.sleep(PAUSES[min(failures, len(PAUSES)) - 1])

    async def close(self) -> None:
        """Give the connection back."""
        await _close(self._client)

    async def _listen_once(self) -> AsyncGenerator[Heard, None]:
        """Over one connection. Raises RedisError or OSError as soon as it is not good any more."""
        pubsub = self._client.pubsub()
        try:
            begun_with = frozenset(self._channels)
            await pubsub.subscribe(*begun_with)
            self._pubsub = pubsub
            if added := self._channels - begun_with:
                await pubsub.subscribe(*added)
            self._last_heard = self._last_ping = time.monotonic()
            while True:
                message = await pubsub.get_message(timeout=PING_SECONDS)
                await self._check(pubsub, heard=message is not None)
                if message and message["type"] in {"message", "subscribe"}:
                    data = message["data"] if message["type"] == "message" else None
                    yield Heard(str(message["channel"]), data)
        finally:
            self._pubsub = None
            await _close(pubsub)

    async def _check(self, pubsub: Any, *, heard: bool) -> None:
        now = time.monotonic()
        if heard:
            self._last_heard = now
        if now - self._last_heard > DEAF_SECONDS:
            raise OSError("Redis has not answered on the pub/sub connection")
        if now - self._last_ping >= PING_SECONDS:
            self._last_ping = now
            await pubsub.ping()


async def _close(what: Any) -> None:
    with suppress(RedisError, OSError):
        await what.aclose()
