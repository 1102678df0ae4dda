"""The ProgressChannel port on Redis: a worker hands events over and goes on, whatever becomes of them."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import count

from redis import RedisError

from nightjar.adapters.redis.connection import impatient_client
from nightjar.adapters.redis.progress_stream import ProgressStreams
from nightjar.domain.progress import LiveMessage, ProgressEvent

QUEUE_LIMIT = 1000
"""Events that are kept while Redis is away; then the oldest go. A thousand of them take about a megabyte."""

PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds before the next try while Redis is away; the last one repeats."""

CLOSE_SECONDS = 0.5
"""For what is still in hand when the worker stops."""

CANCEL_SECONDS = 0.05
"""After so long a cancellation has been lost."""

log = logging.getLogger(__name__)


class RedisProgressChannel:
    """Publishes events in the order in which they were handed over, from a task of its own in the caller's loop.

    `published` is told of each message that Redis numbered; it must neither raise nor wait.
    """

    def __init__(self, url: str, prefix: str = "", *, published: Callable[[LiveMessage], None] | None = None) -> None:
        self._client = impatient_client(url, max_connections=2)
        self._streams = ProgressStreams(self._client, prefix=prefix)
        self._published = published
        self._waiting: deque[tuple[int, ProgressEvent]] = deque(maxlen=QUEUE_LIMIT)
        self._in_hand: tuple[int, ProgressEvent] | None = None
        self._numbers = count(1)
        self._filled = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to send. Called in the loop that `publish` is called in."""
        if self._task is None:
            self._task = asyncio.create_task(self._send(), name="progress-sender")

    async def publish(self, event: ProgressEvent) -> None:
        """Hand an event over: never raises, never waits. The oldest event goes when too many wait."""
        self._waiting.append((next(self._numbers), event))
        self._idle.clear()
        self._filled.set()

    async def close(self) -> None:
        """Send what is left, for CLOSE_SECONDS at most, and give the connections back."""
        if self._task is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._idle.wait()
            await _ended(self._task)
            self._task = None
        with suppress(RedisError, OSError):
            await self._client.aclose()

    async def _send(self) -> None:
        failures = 0
        while True:
            await self._filled.wait()
            try:
                await self._send_waiting()
            except (RedisError, OSError) as error:
                if failures == 0:
                    log.warning("progress is not shown: Redis does not take it (%s); tasks go on", error)
                failures += 1
                await asyncio.sleep(PAUSES[min(failures, len(PAUSES)) - 1])
            except Exception:
                log.exception("an event of progress was dropped")
                self._in_hand = None
            else:
                failures = 0

    async def _send_waiting(self) -> None:
        while self._in_hand or self._waiting:
            self._in_hand = self._in_hand or self._waiting.popleft()
            number, event = self._in_hand
            text = await self._streams.append(event, number=number)
            self._in_hand = None
            if text and self._published:
                self._published(LiveMessage.parse(text))
        self._filled.clear()
        self._idle.set()


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancel a task until it has ended: `wait_for` of Python 3.11, by which the client sends, can lose one cancel."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_SECONDS)
