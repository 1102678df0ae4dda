"""Waiting for a task: the rows are looked at from time to time, no transaction and no thread is held in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from functions.api.dependencies import Call
from nightjar.database.engine import DatabaseUnavailable
from nightjar.domain.task import FINAL_STATES

WAIT_SECONDS = 20.0
"""API Gateway gives up after 30 s: the answer has to be made before."""

LOOK_SECONDS = 0.1
SLOWEST_LOOK_SECONDS = 1.0
"""Between two looks: soon at first, for a page that is there at once, then ever later."""

PLACES = 50
"""Requests of one process that may wait at the same time; others are answered at once."""


class WaitingRoom:
    """The requests of this process that wait."""

    def __init__(self, places: int = PLACES) -> None:
        self._free = places

    async def ended(self, call: Call, task_id: UUID, *, until: float) -> bool:
        """Whether the task ended before the moment `until` (of the monotonic clock)."""
        async with self._place() as is_free:
            pause = LOOK_SECONDS
            while is_free and (left := until - monotonic()) > 0:
                await asyncio.sleep(min(pause, left))
                if await run_in_threadpool(_has_ended, call, task_id):
                    return True
                pause = min(pause * 1.3, SLOWEST_LOOK_SECONDS)
        return False

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[bool]:
        is_free = self._free > 0
        self._free -= int(is_free)
        try:
            yield is_free
        finally:
            self._free += int(is_free)


def _has_ended(call: Call, task_id: UUID) -> bool:
    try:
        with call.transaction() as uow:
            task = uow.tasks.get(task_id, owner=None)
    except DatabaseUnavailable:
        return False  # it may be back before the time is up
    return task is None or task.state in FINAL_STATES
