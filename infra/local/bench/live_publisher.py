"""A process that tells of a task as a worker does: through the worker's own publisher, at a steady pace.

    python -m infra.local.bench.live_publisher TASK_ID

Its settings are those of a worker. Each event carries the moment at which it was handed over, on the clock that all
processes of a machine share.
"""

import asyncio
import os
import sys
import time
from datetime import UTC, datetime
from uuid import UUID

from nightjar.adapters.redis.progress import RedisProgressChannel
from nightjar.domain.progress import ProgressEvent
from nightjar.domain.task import TaskState
from nightjar.settings import worker_settings

EVENTS = 400
EVENTS_A_SECOND = 20


async def publish(task_id: UUID) -> None:
    """EVENTS events, EVENTS_A_SECOND a second; one that comes late does not hold up those behind it."""
    stores = worker_settings(os.environ, cores=1).stores
    channel = RedisProgressChannel(stores.live_url, stores.redis_key_prefix)
    await channel.start()
    started = time.monotonic()
    for number in range(EVENTS):
        await asyncio.sleep(max(0.0, started + number / EVENTS_A_SECOND - time.monotonic()))
        await channel.publish(
            ProgressEvent(
                task_id=task_id,
                status=TaskState.IN_PROGRESS,
                step="extraction",
                message=f"store {number} was read",
                progress=60,
                counts={"stores": number, "handed_over_ns": time.monotonic_ns()},
                at=datetime.now(UTC),
            )
        )
    await channel.close()


if __name__ == "__main__":
    asyncio.run(publish(UUID(sys.argv[1])))
