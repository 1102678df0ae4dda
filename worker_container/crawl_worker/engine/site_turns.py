"""The turns of one long visit at a site: the host is held for each navigation, not for the whole visit.

Two accounts that are read at the same time alternate page by page. Holding the host for a whole crawl, which can take
ten minutes, would let the second one wait for all of it and run into its limit.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from crawl_worker.engine.fetcher import CLOSING, within
from crawl_worker.engine.politeness import HostGate, host_of


class SiteTurns:
    """One visit's turns at the host of `url`. All origins of a site share its gate: a block is one of the site.

    The gate is the attempt's own: before the first turn it gives up soon, later it waits as long as the attempt may.
    """

    def __init__(self, gate: HostGate, url: str) -> None:
        self._gate = gate
        self._url = url
        self._host = host_of(url)

    @asynccontextmanager
    async def turn(self, budget: timedelta) -> AsyncIterator[None]:
        """Hold the host for one navigation and its judgement, at most for `budget`.

        A block is raised inside, so that the cool-down begins before anybody else can send.

        Raises:
            HostBusy: the first turn does not come soon, or the site is left alone after a block. Nothing was sent.
            RetryLater: the budget is used up.
        """
        async with self._gate.hold(self._host, budget=budget + CLOSING), within(budget, self._url):
            yield
