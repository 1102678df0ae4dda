"""The gate of all workers: rows of `hosts`. It survives a flush of Redis and the death of any worker."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID, uuid4

from crawl_worker.engine.store import Store
from nightjar.database.engine import DatabaseUnavailable
from nightjar.database.hosts import HostStanding
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.errors import Blocked, HostBusy
from nightjar.observability import logger

LOOK_AGAIN = timedelta(milliseconds=100)
"""How often a host that somebody holds is looked at: answers mostly take longer."""


class PostgresHostGate:
    """Holds hosts in Postgres, by its clock.

    `delay` is the pause after each request, `cooldown` the one after a block. A task that cannot have a host within
    `patience` goes back to the database: a polite wait never keeps a child for long.
    """

    def __init__(self, store: Store, *, delay: timedelta, cooldown: timedelta, patience: timedelta) -> None:
        self._store = store
        self._delay = delay
        self._cooldown = cooldown
        self._patience = patience

    @asynccontextmanager
    async def hold(self, host: str, *, budget: timedelta) -> AsyncIterator[None]:
        """As `HostGate.hold`."""
        holder = uuid4()
        await self._take(host, holder, budget)
        try:
            yield
        except Blocked:
            await asyncio.shield(self._block(host))
            raise
        except BaseException:
            await asyncio.shield(self._release(host, holder))
            raise
        await asyncio.shield(self._release(host, holder))

    async def _take(self, host: str, holder: UUID, budget: timedelta) -> None:
        give_up_at = monotonic() + self._patience.total_seconds()

        def take(uow: UnitOfWork) -> HostStanding | None:
            return None if uow.hosts.take(host, holder=holder, budget=budget) else uow.hosts.standing(host)

        while (standing := await self._store.run(take)) is not None:
            if standing.cooling:
                raise HostBusy(host, not_before=standing.cooldown_until or standing.next_at)
            wait = LOOK_AGAIN if standing.held else max(standing.next_at - standing.now, timedelta(0))
            if monotonic() + wait.total_seconds() > give_up_at:
                raise HostBusy(host, not_before=self._next_try(standing))
            await asyncio.sleep(wait.total_seconds())

    def _next_try(self, standing: HostStanding) -> datetime:
        """A held host is free before its hold runs out, as a rule: one delay later is soon enough to look again."""
        return standing.now + self._delay if standing.held else standing.next_at

    async def _release(self, host: str, holder: UUID) -> None:
        await self._end_hold(host, lambda uow: uow.hosts.release(host, holder=holder, delay=self._delay))

    async def _block(self, host: str) -> None:
        await self._end_hold(host, lambda uow: uow.hosts.block(host, delay=self._delay, cooldown=self._cooldown))
        logger(__name__).warning("host_blocked", host=host, cooldown_seconds=self._cooldown.total_seconds())

    async def _end_hold(self, host: str, write: Callable[[UnitOfWork], None]) -> None:
        try:
            await self._store.run(write)
        except DatabaseUnavailable as error:
            logger(__name__).warning("host_hold_left_to_run_out", host=host, cause=error.message)
