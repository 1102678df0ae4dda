"""The gate of all workers: rows of `hosts`. It survives a flush of Redis and the death of any worker."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID, uuid4

from crawl_worker.engine.politeness import blocking_host, cooldown_after
from crawl_worker.engine.store import Store
from nightjar.database.engine import DatabaseUnavailable
from nightjar.database.hosts import HostStanding
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.errors import Blocked, HostBusy
from nightjar.observability import logger

LOOK_AGAIN = timedelta(milliseconds=100)
"""How often a host that somebody holds is looked at: answers mostly take longer."""

NEWCOMERS_STEP_BACK = timedelta(milliseconds=150)
"""How much later than others a check without any answer yet reaches for a free host: who has begun comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRules:
    """Pauses: after each request, after a block, and how long one waits before a first request.

    After its first answer a check waits for as long as its own time limit allows: going back then would throw the
    answers away, and the host would be asked for them again.
    """

    delay: timedelta
    cooldown: timedelta
    patience: timedelta


class PostgresHostGate:
    """Holds hosts in Postgres, by its clock. One gate belongs to one attempt: it knows whether the attempt has begun.

    `urgent` is an attempt that a person waits for: it steps back for nobody.
    """

    def __init__(self, store: Store, rules: GateRules, *, urgent: bool = False) -> None:
        self._store = store
        self._rules = rules
        self._urgent = urgent
        self._has_begun = False

    @asynccontextmanager
    async def hold(self, host: str, *, budget: timedelta) -> AsyncIterator[None]:
        """As `HostGate.hold`."""
        holder = uuid4()
        try:
            await self._take(host, holder, budget)
            self._has_begun = True
            yield
        except Blocked as block:
            await asyncio.shield(self._block(host, block))
            raise
        except BaseException:
            await asyncio.shield(self._release(host, holder))  # also a take that was cancelled on its way back
            raise
        await asyncio.shield(self._release(host, holder))

    async def _take(self, host: str, holder: UUID, budget: timedelta) -> None:
        give_up_at = monotonic() + self._rules.patience.total_seconds()
        hold_for = max(budget, self._rules.delay)  # a holder that dies leaves the pause behind as well

        def take(uow: UnitOfWork) -> HostStanding | None:
            return None if uow.hosts.take(host, holder=holder, budget=hold_for) else uow.hosts.standing(host)

        while (standing := await self._store.run(take)) is not None:
            if standing.cooling:
                raise HostBusy(host, not_before=standing.cooldown_until or standing.next_at)
            wait = self._wait(standing)
            if not self._has_begun and monotonic() + wait.total_seconds() > give_up_at:
                raise HostBusy(host, not_before=self._next_try(standing))
            await asyncio.sleep(wait.total_seconds())

    def _wait(self, standing: HostStanding) -> timedelta:
        until_free = LOOK_AGAIN if standing.held else max(standing.next_at - standing.now, timedelta(0))
        if self._has_begun or self._urgent:
            return until_free
        return until_free + NEWCOMERS_STEP_BACK * (1 + random.random())  # noqa: S311  # spreads newcomers

    def _next_try(self, standing: HostStanding) -> datetime:
        """A held host is free before its hold runs out, as a rule: one delay later is soon enough to look again."""
        return standing.now + self._rules.delay if standing.held else standing.next_at

    async def _release(self, host: str, holder: UUID) -> None:
        await self._end_hold(host, lambda uow: uow.hosts.release(host, holder=holder, delay=self._rules.delay))

    async def refuse_cooling(self, host: str) -> None:
        """As `HostGate.refuse_cooling`."""
        standing = await self._store.run(lambda uow: uow.hosts.standing(host))
        if standing is not None and standing.cooling:
            raise HostBusy(host, not_before=standing.cooldown_until or standing.next_at)

    async def _block(self, host: str, block: Blocked) -> None:
        delay, cooldown = self._rules.delay, cooldown_after(block, usual=self._rules.cooldown)
        hosts = sorted({host, blocking_host(block) or host})

        def write(uow: UnitOfWork) -> None:
            for each in hosts:
                uow.hosts.block(each, delay=delay, cooldown=cooldown)

        await self._end_hold(host, write)
        for each in hosts:
            logger(__name__).warning("host_blocked", host=each, cooldown_seconds=cooldown.total_seconds())

    async def _end_hold(self, host: str, write: Callable[[UnitOfWork], None]) -> None:
        try:
            await self._store.run(write)
        except DatabaseUnavailable as error:
            logger(__name__).warning("host_hold_left_to_run_out", host=host, cause=error.message)
