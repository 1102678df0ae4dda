"""The turns of one long visit at a site: the host is held for each navigation, not for the whole visit.

Two accounts that are read at the same time alternate page by page. Holding the host for a whole crawl, which can take
ten minutes, would let the second one wait for all of it and would run into its limit.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

from crawl_worker.engine.fetcher import CLOSING, within
from crawl_worker.engine.politeness import HostGate, host_of
from nightjar.errors import HostBusy

PATIENCE = timedelta(seconds=60)
"""How long a visit that has begun waits for its next turn: not reached with fewer than 20 others at 3 s a page."""

SHORTEST_PAUSE = 0.1


class SiteTurns:
    """One visit's turns at the host of `url`. All origins of a site share its gate: a block is one of the site."""

    def __init__(self, gate: HostGate, url: str, *, patience: timedelta = PATIENCE) -> None:
        self._gate = gate
        self._url = url
        self._host = host_of(url)
        self._patience = patience
        self._began = False

    @asynccontextmanager
    async def turn(self, budget: timedelta) -> AsyncIterator[None]:
        """Hold the host for one navigation and its judgement, at most for `budget`.

        A block is raised inside, so that the cool-down begins before anybody else can send.

        Raises:
            HostBusy: the first turn does not come soon, or the site is left alone after a block. Nothing was sent.
            RetryLater: the budget is used up.
        """
        until = asyncio.get_running_loop().time() + self._patience.total_seconds()
        async with AsyncExitStack() as held:
            while not await self._held(held, budget, until):
                pass
            async with within(budget, self._url):
                yield

    async def _held(self, held: AsyncExitStack, budget: timedelta, until: float) -> bool:
        """Whether the host is ours now; if not, some time has passed."""
        try:
            await held.enter_async_context(self._gate.hold(self._host, budget=budget + CLOSING))
        except HostBusy as busy:
            await self._wait(busy, until)
            return False
        self._began = True
        return True

    async def _wait(self, busy: HostBusy, until: float) -> None:
        """Wait for the next look at the host; what has not begun may as well wait in the database."""
        pause = max((busy.not_before - datetime.now(UTC)).total_seconds(), SHORTEST_PAUSE)
        if not self._began or asyncio.get_running_loop().time() + pause > until:
            raise busy
        await asyncio.sleep(pause)
