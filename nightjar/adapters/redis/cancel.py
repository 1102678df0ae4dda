"""The CancelAnnouncer port on Redis pub/sub, and the worker's ear for it.

It only makes a cancel quick. Who does not hear it learns the same from the task's row at the next heartbeat.
"""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from nightjar.adapters.redis.subscriber import Lost, Subscriber

ANNOUNCE_SECONDS = 0.2
"""To connect, and again for the answer: the client of the API waits for it."""

log = logging.getLogger(__name__)


def cancel_channel(prefix: str) -> str:
    """The pub/sub channel on which the ids of cancelled tasks are told."""
    return f"{prefix}nightjar:cancel"


class RedisCancelAnnouncer:
    """Tells all workers that somebody wants a task to stop; best effort."""

    def __init__(self, url: str, prefix: str = "") -> None:
        self._client = redis.Redis.from_url(
            url,
            socket_connect_timeout=ANNOUNCE_SECONDS,
            socket_timeout=ANNOUNCE_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._channel = cancel_channel(prefix)

    def announce(self, task_id: UUID) -> None:
        """Tell all workers. Never raises."""
        try:
            self._client.publish(self._channel, str(task_id))
        except (redis.RedisError, OSError) as error:
            log.warning("cancel of %s was not announced (%s); its worker sees it at the next heartbeat", task_id, error)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()


async def listen(url: str, prefix: str = "") -> AsyncGenerator[UUID, None]:
    """The ids of tasks that are to stop, until it is closed. It reconnects by itself and raises no error of Redis."""
    subscriber = Subscriber(url, cancel_channel(prefix))
    is_told = False
    try:
        async with aclosing(subscriber.listen()) as heard:
            async for what in heard:
                if isinstance(what, Lost):
                    if not is_told:
                        log.warning("cancels are not heard (%s); heartbeats still see them", what.cause)
                    is_told = True
                elif what.data is None:
                    is_told = False
                elif (task_id := _task_id(what.data)) is not None:
                    yield task_id
    finally:
        await subscriber.close()


def _task_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        log.warning("something that is no task id was told on the cancel channel")
        return None
