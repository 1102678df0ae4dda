"""How long a Chromium lives: launched when it is needed, renewed before it grows old, ended when nobody needs it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, Protocol, TypeVar

from nightjar.errors import ErrorCode, RetryLater

MEMORY_LOOK_SECONDS = 5
"""Memory is measured at most so often: a look reads every process of the machine."""


class Mortal(Protocol):
    """A running Chromium, as far as its life is concerned."""

    pages: int
    memory_seen: int
    memory_looked_at: float

    @property
    def is_alive(self) -> bool:
        """Whether it runs and answers."""

    @property
    def age(self) -> timedelta:
        """Since the launch."""

    def memory(self) -> int:
        """Bytes of its process tree; blocks for some milliseconds."""

    async def close(self, grace: timedelta) -> None:
        """End it, by force after `grace`."""


RunningT = TypeVar("RunningT", bound=Mortal)


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeLimits:
    """When a Chromium is renewed (pages shown, age, bytes of memory), and after how long without work it is ended."""

    pages: int
    age: timedelta
    memory: int
    idle: timedelta
    grace: timedelta


class ChromiumLife(Generic[RunningT]):
    """At most one Chromium, while somebody leases it and a while longer. All calls come from one event loop."""

    def __init__(self, launch: Callable[[], Awaitable[RunningT]], limits: LifeLimits) -> None:
        self._launch = launch
        self._limits = limits
        self._running: RunningT | None = None
        self._changing = asyncio.Lock()  # held while Chromium is launched or ended
        self._leases = 0
        self._no_leases = asyncio.Event()
        self._no_leases.set()
        self._idle_timer: asyncio.TimerHandle | None = None
        self._background: set[asyncio.Task[None]] = set()
        self._unwanted: RunningT | None = None
        self._is_closed = False

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[RunningT]:
        """Chromium for one page: it is neither renewed nor ended meanwhile. Raises what the launch raises."""
        while (running := self._fit()) is None:
            await self.undisturbed(self._renew())
        self._stop_idle_timer()
        self._leases += 1
        self._no_leases.clear()
        running.pages += 1
        try:
            yield running
        finally:
            self._leases -= 1
            if not self._leases:
                self._no_leases.set()
                self._start_idle_timer()
            self.in_background(self._look_at_memory(running))

    def renew(self) -> None:
        """Let nobody lease the running Chromium any more; the next lease launches another."""
        self._unwanted = self._running

    async def end_if_idle(self) -> None:
        """End Chromium now unless somebody leases it or has it launched."""
        if self._changing.locked():
            return  # two lives that make room for each other must not wait for each other
        async with self._changing:
            if not self._leases:
                await self._end()

    async def close(self) -> None:
        """End Chromium for good, whoever leases it, and wait for what runs in the background."""
        self._is_closed = True
        self._stop_idle_timer()
        async with self._changing:
            await self._end()
        await asyncio.gather(*self._background, return_exceptions=True)

    async def undisturbed(self, work: Coroutine[None, None, None]) -> None:
        """Wait for work that a cancellation must not leave half done: it goes on in the background."""
        await asyncio.shield(self.in_background(work))

    def in_background(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Start work that `close` waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    def _fit(self) -> RunningT | None:
        """The running Chromium, unless it is dead or due for renewal."""
        running, limits = self._running, self._limits
        if running is None or running is self._unwanted or not running.is_alive:
            return None
        worn = running.pages >= limits.pages or running.age >= limits.age or running.memory_seen >= limits.memory
        return None if worn else running

    async def _renew(self) -> None:
        async with self._changing:
            if self._fit() is not None:
                return  # somebody else did it meanwhile
            await self._no_leases.wait()
            await self._end()
            if self._is_closed:
                raise RetryLater(ErrorCode.INTERNAL, "the browser is closed: the worker is stopping")
            self._running = await self._launch()
            self._start_idle_timer()  # whoever wanted it may be gone

    async def _end(self) -> None:
        running, self._running = self._running, None
        self._unwanted = None
        if running is not None:
            await running.close(self._limits.grace)

    def _start_idle_timer(self) -> None:
        self._stop_idle_timer()
        loop = asyncio.get_running_loop()
        self._idle_timer = loop.call_later(
            self._limits.idle.total_seconds(), lambda: self.in_background(self.end_if_idle())
        )

    def _stop_idle_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    async def _look_at_memory(self, running: RunningT) -> None:
        now = asyncio.get_running_loop().time()
        if now - running.memory_looked_at >= MEMORY_LOOK_SECONDS:
            running.memory_looked_at = now
            running.memory_seen = await asyncio.to_thread(running.memory)
