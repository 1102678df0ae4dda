"""The TaskQueue port on Redis lists."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

import redis

from nightjar.adapters.redis.envelope import EnvelopeMaker, task_id_of, unacknowledged
from nightjar.ports import QueueUnavailable
from nightjar.tasks import Message, Queue

PIPELINE = 500
"""Messages in one round trip."""

PAGE = 2_000
"""Waiting messages read at once when they are compared with the rows."""

SOCKET_SECONDS = 5
"""No call waits longer for the broker."""


class RedisTaskQueue:
    """Queues as Celery's workers read them: a list per queue, a hash of unacknowledged messages for all.

    `prefix` is the REDIS_KEY_PREFIX that the workers use too.
    """

    def __init__(self, url: str, *, prefix: str = "", origin: str = "nightjar") -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=SOCKET_SECONDS, socket_connect_timeout=SOCKET_SECONDS, health_check_interval=25
        )
        self._prefix = prefix
        self._maker = EnvelopeMaker(origin)

    def publish(self, queue: Queue, messages: Sequence[Message]) -> None:
        """Append messages in order, a pipeline at a time. Raises QueueUnavailable."""
        key = self._prefix + queue
        with self._reachable():
            for start in range(0, len(messages), PIPELINE):
                self._redis.lpush(key, *self._maker.envelopes(queue, messages[start : start + PIPELINE]))

    def depth(self, queue: Queue) -> int:
        """Messages that wait or are in a worker's hands. Raises QueueUnavailable."""
        with self._reachable():
            return int(self._redis.llen(self._prefix + queue)) + len(self._in_hands(queue))

    def waiting_ids(self, queue: Queue) -> frozenset[UUID]:
        """The task ids of all these messages. Raises QueueUnavailable."""
        with self._reachable():
            return frozenset(self._waiting(queue)) | frozenset(self._in_hands(queue))

    def epoch(self) -> str | None:
        """The mark that `begin_epoch` left; None if the broker lost its memory. Raises QueueUnavailable."""
        with self._reachable():
            mark = self._redis.get(self._prefix + "nightjar:epoch")
        return mark.decode() if isinstance(mark, bytes) else None

    def begin_epoch(self, epoch: str) -> None:
        """Leave a mark. Raises QueueUnavailable."""
        with self._reachable():
            self._redis.set(self._prefix + "nightjar:epoch", epoch)

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()

    def _waiting(self, queue: Queue) -> Iterator[UUID]:
        """Read from the worker's end: messages that are added meanwhile do not shift the pages."""
        key = self._prefix + queue
        for start in range(0, int(self._redis.llen(key)), PAGE):
            for raw in self._redis.lrange(key, -start - PAGE, -start - 1):
                yield task_id_of(raw)

    def _in_hands(self, queue: Queue) -> list[UUID]:
        taken = (unacknowledged(raw) for raw in self._redis.hvals(self._prefix + "unacked"))
        return [task_id for name, task_id in taken if name == queue]

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        try:
            yield
        except (redis.RedisError, OSError) as error:
            raise QueueUnavailable(
                f"Redis does not take messages ({error}); is it running, and is it writable?"
            ) from error
