"""A gate in memory, for tests of what happens inside a hold. It keeps a diary of holds, blocks and releases."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from crawl_worker.engine.politeness import blocking_host
from nightjar.errors import Blocked, HostBusy


class MemoryHostGate:
    """One holder a host, no pause between holds; a blocked host stays closed."""

    def __init__(self) -> None:
        self.diary: list[str] = []
        self.budgets: list[timedelta] = []
        self.blocked: set[str] = set()
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def refuse_cooling(self, host: str) -> None:
        if host in self.blocked:
            raise HostBusy(host, not_before=datetime.now(UTC) + timedelta(minutes=5))

    @asynccontextmanager
    async def hold(self, host: str, *, budget: timedelta) -> AsyncIterator[None]:
        async with self._turns[host]:
            await self.refuse_cooling(host)
            self.diary.append(f"hold {host}")
            self.budgets.append(budget)
            try:
                yield
            except Blocked as block:
                for blocked in {host, blocking_host(block) or host}:
                    self.blocked.add(blocked)
                    self.diary.append(f"block {blocked}")
                raise
            finally:
                self.diary.append(f"release {host}")
