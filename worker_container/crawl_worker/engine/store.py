"""Postgres for the event loop: transactions run one after the other in a thread that owns the connection."""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from time import monotonic
from typing import TypeVar

from nightjar.database.engine import Database, DatabaseUnavailable, Transactions
from nightjar.database.unit_of_work import UnitOfWork

T = TypeVar("T")

RETRY_FOR = timedelta(seconds=30)
"""How long a restart of Postgres is waited out. Later the attempt is dropped, and the janitor repairs."""

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0

CANCEL_AGAIN = 0.1
"""Seconds between two cancels: the first may come in the pause between two statements."""


class Store:
    """One writer thread and its connection. The work it is given must be safe to repeat: all our writes are fenced."""

    def __init__(self, database: Database, *, name: str) -> None:
        self._database = database
        self._interrupted = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run `work` in a transaction. Raises DatabaseUnavailable after waiting for a restart."""

        def in_transaction(transactions: Transactions) -> T:
            with transactions() as uow:
                return work(uow)

        return await self.spanning(in_transaction)

    async def spanning(self, work: Callable[[Transactions], T]) -> T:
        """Run `work`, which opens transactions of its own. Raises DatabaseUnavailable after waiting for a restart."""
        give_up_at = monotonic() + RETRY_FOR.total_seconds()
        pause = FIRST_PAUSE
        while True:
            try:
                return await self._in_thread(lambda: work(self._database.transaction))
            except DatabaseUnavailable:
                if self._interrupted or monotonic() + pause > give_up_at:
                    raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    @asynccontextmanager
    async def interrupted(self, by: "Store") -> AsyncIterator[None]:
        """While the context is open, no statement of this store goes on: each is cancelled in Postgres through `by`.

        What was running fails with DatabaseUnavailable, rolled back, and is not tried again.
        """
        self._interrupted = True
        cancelling = asyncio.create_task(self._cancel_statements(by))
        try:
            yield
        finally:
            self._interrupted = False
            cancelling.cancel()
            with suppress(asyncio.CancelledError, DatabaseUnavailable):
                await cancelling

    async def _cancel_statements(self, by: "Store") -> None:
        while True:
            await by.run(lambda uow: uow.cancel_statements_of(self._database.name))
            await asyncio.sleep(CANCEL_AGAIN)

    def close(self) -> None:
        """Wait for the thread, then give the connection back."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._database.close()

    async def _in_thread(self, call: Callable[[], T]) -> T:
        context = contextvars.copy_context()  # log lines written in the thread carry the task's fields
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: context.run(call))
