"""A gate in memory, for tests of what happens inside a hold. It keeps a diary of holds, blocks and releases."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from nightjar.errors import Blocked, HostBusy


class MemoryHostGate:
    """One holder a host, no pause between holds; a blocked host stays closed."""

    def __init__(self) -> None:
        self.diary: list[str] = []
        self.budgets: list[timedelta] = []
        self.blocked: set[str] = set()
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def hold(self, host: str, *, budget: timedelta) -> AsyncIterator[None]:
        async with self._turns[host]:
            if host in self.blocked:
                raise HostBusy(host, not_before=datetime.now(UTC) + timedelta(minutes=5))
            self.diary.append(f"hold {host}")
            self.budgets.append(budget)
            try:
                yield
            except Blocked:
                self.blocked.add(host)
                self.diary.append(f"block {host}")
                raise
            finally:
                self.diary.append(f"release {host}")
