"""The progress of a task in Redis: a capped stream with an epoch and numbers without holes.

Two scripts do it, each in one step of the server: several workers, API processes and the loss of Redis' memory cannot
make a number appear twice, or follow a final state by anything. They run on Redis 6.2 and on all newer ones.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

from redis import asyncio as redis

from nightjar.domain.progress import LiveMessage, Position, ProgressEvent

NO_STREAM = Position("", 0)
"""The position before the first message of a stream that does not exist yet."""

KEEP_ENTRIES = 500
"""Messages of a task that a client which was away can still read one by one; beyond these it gets the newest."""

KEEP_SECONDS = 3600
"""How long a stream outlives its last message. A stream that is gone begins anew with another epoch."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a reader of the stream gets. `follows`: the messages follow its position; else the newest stands alone.

    `ended`: the last message of the stream is final.
    """

    follows: bool
    ended: bool
    messages: tuple[LiveMessage, ...]


def channel_of(prefix: str, task_id: UUID) -> str:
    """The pub/sub channel on which the messages of a task are announced."""
    return f"{prefix}nightjar:progress:{task_id}"


class ProgressStreams:
    """The streams of all tasks, for one sender. Every method raises redis.RedisError or OSError if Redis is away."""

    def __init__(self, client: redis.Redis, *, prefix: str = "") -> None:
        folder = Path(__file__).parent
        self._append = client.register_script((folder / "append_progress.lua").read_text(encoding="utf-8"))
        self._read = client.register_script((folder / "read_progress.lua").read_text(encoding="utf-8"))
        self._client = client
        self._prefix = prefix
        self._sender = uuid4().hex

    async def append(self, event: ProgressEvent, *, number: int, after: Position | None = None) -> str:
        """Append and announce an event; the whole message, or nothing if it was not appended.

        It is not after a final state, nor twice for the same `number` of this sender; with `after` only while that is
        the last position (`NO_STREAM`: while there is none).
        """
        condition = f"{after.epoch}:{after.seq}" if after else ""
        arguments = (event.as_text(), uuid4().hex, int(event.is_final), self._sender, number, condition)
        return str(await self._run(self._append, event.task_id, (*arguments, KEEP_ENTRIES, KEEP_SECONDS)))

    async def read(self, task_id: UUID, *, after: Position | None) -> Backlog | None:
        """What follows `after` without a hole, or else the newest message; None if there is no stream."""
        position = after or Position("", 0)
        answer = await self._run(self._read, task_id, (position.epoch, position.seq))
        if answer is None:
            return None
        follows, ended, *texts = cast("list[str]", answer)
        return Backlog(follows == "1", ended == "1", tuple(LiveMessage.parse(text) for text in texts))

    async def open(self, current: ProgressEvent, *, number: int, after: Position | None) -> Backlog | None:
        """What somebody gets who begins to watch after a position; None if Redis forgot all of it meanwhile.

        `current` is the task as its row shows it: appended where there is no stream, or where the stream lacks the end.
        """
        backlog = await self.read(current.task_id, after=after)
        if backlog is None or (current.is_final and not backlog.ended):
            await self.append(current, number=number, after=None if backlog else NO_STREAM)
            backlog = await self.read(current.task_id, after=after)
        return backlog

    async def _run(self, script: Any, task_id: UUID, arguments: Sequence[object]) -> object:
        name = channel_of(self._prefix, task_id)
        keys = (f"{name}:position", f"{name}:messages")
        channel = (name,) if script is self._append else ()
        return await cast("Awaitable[object]", script(keys=keys, args=(*arguments, *channel)))
