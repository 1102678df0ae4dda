"""From a worker to the clients behind API Gateway: messages that Redis has numbered are posted to who watches.

It works in threads of its own, with a bounded queue and time limits on everything: a slow or failing API Gateway costs
a task nothing. A client may get a message twice, or one that its snapshot holds already; it knows it by its number.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from uuid import UUID

from nightjar.adapters.aws.connections import POOL, Connections, Posted
from nightjar.database.engine import DatabaseUnavailable, Transactions
from nightjar.domain.progress import LiveMessage

LOOK_SECONDS = 1.0
"""How long the list of who watches a task is good for. Who came in between gets what was posted since."""

QUEUE_LIMIT = 200
"""Messages that wait; beyond these the oldest go."""

MESSAGE_SECONDS = 3.0
"""For one message to reach all its watchers; who has not got it by then is skipped."""

WATCHERS_LIMIT = 100
"""Connections that one task is posted to."""

FORGET_SECONDS = 60.0
"""Without a message, after which nothing of a task is remembered."""

CLOSE_SECONDS = 2.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Watched:
    """Who watches a task, as of `looked_at`, and what was posted since."""

    watchers: tuple[str, ...] = ()
    looked_at: float = float("-inf")
    posted_at: float = 0.0
    since: deque[LiveMessage] = field(default_factory=lambda: deque(maxlen=QUEUE_LIMIT))


class LivePoster:
    """Posts what it is offered. It needs a `start` and a `close`; `offer` may be called from any thread or loop.

    `released` is called at the end, when nothing uses `transactions` any more.
    """

    def __init__(self, connections: Connections, transactions: Transactions, *, released: Callable[[], None]) -> None:
        self._connections = connections
        self._transactions = transactions
        self._released = released
        self._waiting: deque[LiveMessage] = deque(maxlen=QUEUE_LIMIT)
        self._arrived = threading.Event()
        self._stopping = threading.Event()
        self._is_closed = False
        self._watched: dict[UUID, _Watched] = {}
        self._pool = ThreadPoolExecutor(max_workers=POOL, thread_name_prefix="live-post")
        self._thread = threading.Thread(target=self._run, name="live-poster", daemon=True)

    def start(self) -> None:
        """Begin to post."""
        self._thread.start()

    def offer(self, message: LiveMessage) -> None:
        """Hand a message over: never raises, never waits."""
        self._waiting.append(message)
        self._arrived.set()

    def close(self) -> None:
        """Post what is left, for CLOSE_SECONDS at most."""
        self._stopping.set()
        self._arrived.set()
        if self._thread.is_alive():
            self._thread.join(timeout=CLOSE_SECONDS)
        self._is_closed = True
        self._waiting.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._released()

    def _run(self) -> None:
        while not self._stopping.is_set() or self._waiting:
            self._arrived.wait(timeout=LOOK_SECONDS / 2)
            self._arrived.clear()
            try:
                self._post_waiting()
                self._catch_up()
            except Exception:
                if self._is_closed:
                    return
                log.exception("live messages were not posted")

    def _post_waiting(self) -> None:
        while self._waiting:
            message = self._waiting.popleft()
            watched = self._watched.setdefault(message.task_id, _Watched())
            watched.since.append(message)
            watched.posted_at = time.monotonic()
            if watched.posted_at - watched.looked_at < LOOK_SECONDS:
                self._post(message.task_id, {one: [message] for one in watched.watchers})
            else:
                self._look(message.task_id, watched, also=[message])

    def _catch_up(self) -> None:
        """Look again where messages went to an old list, and forget tasks that are silent."""
        now = time.monotonic()
        for task_id, watched in list(self._watched.items()):
            if watched.since and now - watched.looked_at >= LOOK_SECONDS:
                self._look(task_id, watched, also=())
            elif now - watched.posted_at > FORGET_SECONDS:
                del self._watched[task_id]

    def _look(self, task_id: UUID, watched: _Watched, *, also: Sequence[LiveMessage]) -> None:
        """Read who watches. Those who came since the last look get all that was posted since, the others `also`."""
        known, watched.looked_at = set(watched.watchers), time.monotonic()
        try:
            with self._transactions() as uow:
                watched.watchers = tuple(uow.live_connections.watchers(task_id, limit=WATCHERS_LIMIT))
        except DatabaseUnavailable as error:
            log.warning("who watches is not known: %s", error.message)
            self._post(task_id, {one: list(also) for one in known})
            return
        missed, watched.since = list(watched.since), deque(maxlen=QUEUE_LIMIT)
        self._post(task_id, {one: list(also) if one in known else missed for one in watched.watchers})

    def _post(self, task_id: UUID, messages: dict[str, list[LiveMessage]]) -> None:
        """Post to many at once, and forget who is gone."""
        posts = {self._pool.submit(self._post_all, one, texts): one for one, texts in messages.items() if texts}
        done, late = wait(posts, timeout=MESSAGE_SECONDS)
        for post in late:
            post.cancel()
        if gone := [posts[post] for post in done if _is_gone(post)]:
            self._forget(task_id, gone)

    def _post_all(self, connection_id: str, messages: Sequence[LiveMessage]) -> Posted:
        posted = Posted.DELIVERED
        for message in messages:
            posted = self._connections.post(connection_id, message.text)
            if posted is Posted.GONE:
                break
        return posted

    def _forget(self, task_id: UUID, gone: Sequence[str]) -> None:
        watched = self._watched[task_id]
        watched.watchers = tuple(one for one in watched.watchers if one not in gone)
        try:
            with self._transactions() as uow:
                uow.live_connections.close(gone)
        except DatabaseUnavailable as error:
            log.warning("connections that are gone were not forgotten: %s", error.message)


def _is_gone(post: Future[Posted]) -> bool:
    return post.exception() is None and post.result() is Posted.GONE
