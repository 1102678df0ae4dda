"""Live progress for many clients over one connection to Redis, checked against Postgres.

Redis is quick, Postgres is right. Messages come from the task's stream in Redis. Every POLL_SECONDS all watched tasks
are read from Postgres, in one statement: an end that nobody published (its worker died, the janitor ended it) is
published then, with a number like any other message. While Redis is away, what Postgres shows is sent instead.
"""

import asyncio
import json
from collections import deque
from collections.abc import Iterable
from contextlib import aclosing, suppress
from dataclasses import replace
from itertools import count
from uuid import UUID, uuid4

from redis import RedisError
from starlette.concurrency import run_in_threadpool

from nightjar.adapters.redis.connection import impatient_client
from nightjar.adapters.redis.progress_stream import NO_STREAM, Backlog, ProgressStreams, channel_of
from nightjar.adapters.redis.subscriber import Heard, Lost, Subscriber
from nightjar.database.engine import Database, DatabaseUnavailable
from nightjar.database.live_tasks import LiveTask
from nightjar.domain.progress import LiveMessage, Position, ProgressEvent, row_message
from nightjar.domain.task import FINAL_STATES, Task
from nightjar.observability import logger

POLL_SECONDS = 2.0
POLL_SECONDS_WITHOUT_REDIS = 1.0

SUBSCRIBE_SECONDS = 1.0
"""For Redis to confirm a subscription; after that a client begins with what Postgres shows."""

INBOX_LIMIT = 100
"""Messages that wait for a slow client. Each is a whole state: when there are more, the newest alone is kept."""

AWAY = (RedisError, OSError)
"""What a Redis that does not answer raises."""

log = logger("nightjar.api")


class Watcher:
    """One client's view of one task. Messages are held back until it has been told where it begins."""

    def __init__(self) -> None:
        self._inbox: deque[LiveMessage] = deque()
        self._held: deque[LiveMessage] | None = deque(maxlen=INBOX_LIMIT)
        self._position: Position | None = None
        self._arrived = asyncio.Event()
        self.is_over = False
        "Whether nothing follows what has been handed out."

    def offer(self, message: LiveMessage) -> None:
        """Add a message, unless it or a later one of its epoch was added before."""
        if self._held is not None:
            self._held.append(message)
            return
        last = self._position
        if last and last.epoch == message.position.epoch and message.position.seq <= last.seq:
            return
        if len(self._inbox) >= INBOX_LIMIT:
            self._inbox.clear()
        self._inbox.append(message)
        self._position = message.position
        self._arrived.set()

    def begin(self, position: Position | None, messages: Iterable[LiveMessage], *, is_over: bool) -> None:
        """Start after `position` with these messages; then follows what was held back."""
        self._position = position
        held, self._held = self._held or (), None
        for message in (*messages, *held):
            self.offer(message)
        self.is_over = is_over and not self._inbox
        self._arrived.set()

    async def next(self, *, within: float) -> LiveMessage | None:
        """The next message; None if there is none within so many seconds, or at all (`is_over`)."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while not self._inbox and not self.is_over:
                    self._arrived.clear()
                    await self._arrived.wait()
        if not self._inbox:
            return None
        message = self._inbox.popleft()
        self.is_over = message.is_final
        return message


class Feed:
    """One task and all who watch it here."""

    def __init__(self, task_id: UUID) -> None:
        self.task_id = task_id
        self.watchers: set[Watcher] = set()
        self.latest: LiveMessage | None = None
        self.is_subscribed = asyncio.Event()
        self._own_epoch = f"row-{uuid4().hex}"
        self._own_numbers = count(1)
        self._outdated_since: object = None

    @property
    def position(self) -> Position | None:
        """Of the last message that was delivered."""
        return self.latest.position if self.latest else None

    def deliver(self, messages: Iterable[LiveMessage]) -> None:
        """Hand messages to all watchers."""
        for message in messages:
            self.latest = message
            for watcher in self.watchers:
                watcher.offer(message)

    def continues(self, message: LiveMessage) -> bool | None:
        """Whether the message is the next one; None if it was delivered before."""
        last = self.position
        if last is None:
            return True
        if last.epoch == message.position.epoch and message.position.seq <= last.seq:
            return None
        return last.epoch == message.position.epoch and message.position.seq == last.seq + 1

    def event_of(self, live: LiveTask) -> ProgressEvent:
        """What the row shows, with the counts that were told last where it has none.

        A row is written with heartbeats: while it lags behind what was told, that is what a new stream begins with.
        """
        told = json.loads(self.latest.text) if self.latest else {}
        event = live.event(counts=told.get("counts"))
        if not event.is_final and event.status == told.get("status") and event.progress < told["progress"]:
            return replace(event, step=told["step"], message=told["message"], progress=told["progress"])
        return event

    def message_of(self, live: LiveTask) -> LiveMessage | None:
        """A message of our own where Redis gives none; nothing if the row says no more than was told already."""
        event = self.event_of(live)
        if self.latest and self.latest.status == event.status:
            told = json.loads(self.latest.text)
            if event.is_final or _state_of(event) == (told["progress"], told["step"], told["counts"]):
                return None
        return row_message(event, Position(self._own_epoch, next(self._own_numbers)))

    def is_outdated(self, live: LiveTask) -> bool:
        """Whether the stream has told another status than the row in two rounds: its worker died, say.

        One round is not enough: a worker commits, and publishes a moment later. Of a site crawl, whose row is written
        with every change, the whole state is compared.
        """
        if self.latest is None or self.latest.is_final:
            return False
        told, shown = _told(self.latest, live), _shown(live)
        before, self._outdated_since = self._outdated_since, shown if told != shown else None
        return told != shown and before == shown


def _state_of(event: ProgressEvent) -> tuple[int, str | None, dict[str, int]]:
    return event.progress, event.step, dict(event.counts)


def _shown(live: LiveTask) -> object:
    """What has to have been told of a row."""
    state = str(live.task.state)
    return state if live.counts is None else (state, *_state_of(live.event()))


def _told(message: LiveMessage, live: LiveTask) -> object:
    """The same of a message."""
    if live.counts is None:
        return message.status
    told = json.loads(message.text)
    return message.status, told["progress"], told["step"], told["counts"]


class LiveHub:
    """All live clients of this process. It starts with its first client, in that client's loop."""

    def __init__(self, database: Database, *, redis_url: str, prefix: str) -> None:
        self._database = database
        self._prefix = prefix
        self._client = impatient_client(redis_url)
        self._streams = ProgressStreams(self._client, prefix=prefix)
        self._subscriber = Subscriber(redis_url, f"{prefix}nightjar:progress")
        self._feeds: dict[str, Feed] = {}
        self._numbers = count(1)
        self._redis_away: str | None = None
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    @property
    def clients(self) -> int:
        """How many watch at this moment."""
        return sum(len(feed.watchers) for feed in self._feeds.values())

    async def watch(self, task: Task, *, after: Position | None) -> Watcher:
        """A new client of a task that exists; it begins after a position, or with the newest message."""
        self._start()
        watcher = Watcher()
        feed = await self._join(task.id, watcher)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(SUBSCRIBE_SECONDS if self._redis_away is None else 0):
                    await feed.is_subscribed.wait()
            await self._open(feed, watcher, await self._fresh(task), after)
        except BaseException:
            await self.leave(task.id, watcher)
            raise
        return watcher

    async def leave(self, task_id: UUID, watcher: Watcher) -> None:
        """The client is gone."""
        channel = channel_of(self._prefix, task_id)
        feed = self._feeds.get(channel)
        if feed is None:
            return
        feed.watchers.discard(watcher)
        if not feed.watchers:
            del self._feeds[channel]
            await self._subscriber.unsubscribe(channel)

    async def close(self) -> None:
        """Stop, and give the connections back."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._subscriber.close()
        with suppress(*AWAY):
            await self._client.aclose()

    def _start(self) -> None:
        if not self._tasks:
            self._tasks = (
                asyncio.create_task(self._listen(), name="live-listener"),
                asyncio.create_task(self._poll(), name="live-poller"),
            )

    async def _join(self, task_id: UUID, watcher: Watcher) -> Feed:
        channel = channel_of(self._prefix, task_id)
        if feed := self._feeds.get(channel):
            feed.watchers.add(watcher)
            return feed
        feed = self._feeds[channel] = Feed(task_id)
        feed.watchers.add(watcher)
        await self._subscriber.subscribe(channel)
        return feed

    async def _open(self, feed: Feed, watcher: Watcher, live: LiveTask, after: Position | None) -> None:
        """Tell a new client where it begins."""
        backlog: Backlog | None = None
        if self._redis_away is None:
            try:
                backlog = await self._streams.open(feed.event_of(live), number=next(self._numbers), after=after)
            except AWAY as error:
                self._lose_redis(error)
        if backlog is None:
            self._tell_row(feed, live)
            watcher.begin(None, [feed.latest] if feed.latest else (), is_over=False)
            return
        if feed.latest is None and backlog.messages:
            feed.latest = backlog.messages[-1]
        watcher.begin(after if backlog.follows else None, backlog.messages, is_over=backlog.ended)

    async def _listen(self) -> None:
        async with aclosing(self._subscriber.listen()) as heard:
            async for what in heard:
                if isinstance(what, Lost):
                    self._lose_redis(what.cause)
                    for feed in self._feeds.values():
                        feed.is_subscribed.clear()
                else:
                    await self._hear(what)

    async def _hear(self, heard: Heard) -> None:
        self._redis_away = None
        feed = self._feeds.get(heard.channel)
        if feed is None:
            return
        if heard.data is None:
            feed.is_subscribed.set()
            await self._advance(feed)  # what was said while nobody listened
            return
        try:
            message = LiveMessage.parse(heard.data)
        except ValueError as error:
            log.warning("live_message_unreadable", cause=str(error))
            return
        match feed.continues(message):
            case True:
                feed.deliver([message])
            case False:
                await self._advance(feed)

    async def _advance(self, feed: Feed) -> None:
        """Deliver what the stream holds beyond what was delivered; a Redis that is away is left to the poller."""
        if feed.position is None:
            return  # nobody was told anything yet
        with suppress(*AWAY):
            if backlog := await self._streams.read(feed.task_id, after=feed.position):
                feed.deliver(backlog.messages)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS if self._redis_away is None else POLL_SECONDS_WITHOUT_REDIS)
            try:
                await self._look_at_rows()
            except DatabaseUnavailable as error:
                log.warning("live_rows_unavailable", cause=error.message)
            except Exception:
                log.exception("live_poll_failed")

    async def _look_at_rows(self) -> None:
        ids = [feed.task_id for feed in self._feeds.values()]
        if not ids:
            return
        await self._find_redis()
        rows = await run_in_threadpool(self._current, ids)
        for feed in list(self._feeds.values()):
            if live := rows.get(feed.task_id):
                await self._reconcile(feed, live)

    async def _reconcile(self, feed: Feed, live: LiveTask) -> None:
        """Bring a feed up to what the stream holds, and the stream up to what the row says."""
        if self._redis_away is None:
            try:
                await self._repair(feed, live)
            except AWAY as error:
                self._lose_redis(error)
            else:
                return
        self._tell_row(feed, live)

    async def _repair(self, feed: Feed, live: LiveTask) -> None:
        backlog = await self._streams.read(live.task.id, after=feed.position)
        feed.deliver(backlog.messages if backlog else ())
        if backlog is None:
            condition: Position | None = NO_STREAM
        elif live.task.state in FINAL_STATES and not backlog.ended:
            condition = None
        elif feed.is_outdated(live):
            condition = feed.position
        else:
            return
        await self._streams.append(feed.event_of(live), number=next(self._numbers), after=condition)

    @staticmethod
    def _tell_row(feed: Feed, live: LiveTask) -> None:
        if message := feed.message_of(live):
            feed.deliver([message])

    async def _fresh(self, task: Task) -> LiveTask:
        """The row as it is after the subscription began: an end that came before would not be announced again."""
        return (await run_in_threadpool(self._current, [task.id])).get(task.id, LiveTask(task=task))

    def _current(self, ids: list[UUID]) -> dict[UUID, LiveTask]:
        with self._database.transaction() as uow:
            return uow.live_tasks.current(ids)

    def _lose_redis(self, cause: object) -> None:
        if self._redis_away is None:
            log.warning("live_without_redis", cause=str(cause))
        self._redis_away = str(cause)

    async def _find_redis(self) -> None:
        """See whether Redis is back."""
        if self._redis_away is not None:
            with suppress(*AWAY):
                await self._client.ping()
                self._redis_away = None
