"""The requests of a slice, host by host: one after the other with a pause, or several at once where there is none."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from uuid import UUID

from nightjar.observability import logger

Call = Callable[[], Awaitable[None]]
KeepHold = Callable[[str, timedelta], Awaitable[bool]]
"""Keeps a host for a span from now. False: somebody else has it."""

log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One request to be made, for one crawl. `not_before` is of the monotonic clock.

    `call` makes it; `drop` is called instead if it cannot be made any more.
    """

    crawl_id: UUID
    call: Call
    drop: Callable[[], None]
    delay: timedelta
    not_before: float


class Lane:
    """All that a slice sends to one host. Whoever is cancelled while sending takes nobody else with it."""

    def __init__(self, host: str, *, budget: timedelta, keep_hold: KeepHold) -> None:
        self.host = host
        self.pause_until = 0.0
        """When the pause after the last request ends (monotonic); 0 while none was needed."""

        self.is_held = False
        """Whether the host is held in the database for this slice."""

        self._budget = budget.total_seconds()
        self._keep_hold = keep_hold
        self._held_until = 0.0
        self._waiting: deque[Errand] = deque()
        self._sending: dict[asyncio.Task[None], UUID] = {}
        self._senders: set[asyncio.Task[None]] = set()
        self._connections = 1
        self._is_polite = False
        self._stopped = False
        self._changed = asyncio.Event()
        self.idle_since = monotonic()

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is being sent."""
        return not self._waiting and not self._senders

    @property
    def load(self) -> int:
        """How much work it is: of a host with a pause one request at a time, whatever waits behind it."""
        if self._is_polite:
            return 0 if self.is_idle else 1
        return len(self._waiting) + len(self._senders)

    def put(self, errand: Errand, *, connections: int) -> None:
        """Send this when its time has come, over up to `connections` at once."""
        self._connections = connections
        self._is_polite = bool(errand.delay)
        self._waiting.append(errand)
        if errand.delay:
            self.is_held = True
            self._held_until = max(self._held_until, errand.not_before + self._budget)
        if len(self._senders) < (1 if errand.delay else connections):
            sender = asyncio.create_task(self._send_all())
            self._senders.add(sender)
            sender.add_done_callback(self._sender_ended)

    def drop_crawl(self, crawl_id: UUID) -> None:
        """Forget what waits for a crawl, and break off what is being sent for it."""
        kept = deque(errand for errand in self._waiting if errand.crawl_id != crawl_id)
        for errand in self._waiting:
            if errand.crawl_id == crawl_id:
                errand.drop()
        self._waiting = kept
        self._changed.set()
        for task, of_crawl in self._sending.items():
            if of_crawl == crawl_id:
                task.cancel()

    def drop_waiting(self) -> None:
        """Forget what waits; what is being sent goes on."""
        while self._waiting:
            self._waiting.popleft().drop()
        self._changed.set()

    def stop(self) -> None:
        """Break off everything, for good."""
        self._stopped = True
        self.drop_waiting()
        for task in self._sending:
            task.cancel()

    async def ended(self) -> None:
        """Wait until nothing is being sent."""
        if self._senders:
            await asyncio.wait(set(self._senders))

    async def _send_all(self) -> None:
        while self._waiting and len(self._senders) <= max(1, self._connections):
            errand = self._waiting[0]
            if errand.delay and not await self._time_has_come(errand):
                continue
            self._waiting.popleft()
            if errand.delay and not await self._may_send(errand):
                return
            await self._send(errand)
            if errand.delay:
                self.pause_until = monotonic() + errand.delay.total_seconds()

    async def _time_has_come(self, errand: Errand) -> bool:
        """Wait for the pause before what is first. False: something else is first now; it may be dropped meanwhile."""
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(max(errand.not_before, self.pause_until) - monotonic()):
                await self._changed.wait()
                return False
        return bool(self._waiting) and self._waiting[0] is errand

    async def _may_send(self, errand: Errand) -> bool:
        """Whether the host is still ours, for as long as the request may take; if not, nothing is sent any more."""
        if monotonic() + self._budget <= self._held_until + errand.delay.total_seconds():
            return True
        span = timedelta(seconds=self._budget) + errand.delay * (len(self._waiting) + 1)
        is_ours = False
        try:
            is_ours = await self._keep_hold(self.host, span)
        finally:
            if not is_ours:
                self.is_held = False
                errand.drop()
                self.drop_waiting()
        self._held_until = monotonic() + span.total_seconds()
        return is_ours

    async def _send(self, errand: Errand) -> None:
        """Make the request. One that is broken off is dropped; its sender goes on with the next."""
        sender = asyncio.current_task()
        if sender is None:
            raise RuntimeError("requests are sent by tasks")
        self._sending[sender] = errand.crawl_id
        try:
            await errand.call()
        except asyncio.CancelledError:
            errand.drop()
            if self._stopped:
                raise
            sender.uncancel()
        except Exception:  # what else waits for this host is sent all the same
            log.exception("errand_failed", host=self.host, crawl_id=str(errand.crawl_id))
        finally:
            del self._sending[sender]

    def _sender_ended(self, sender: asyncio.Task[None]) -> None:
        self._senders.discard(sender)
        self.idle_since = monotonic()
        if not sender.cancelled():
            sender.exception()
