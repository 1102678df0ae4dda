"""One event loop a child process, in a thread of its own, alive from the first use to the exit.

Celery's main thread submits a coroutine and waits. Heartbeats, the browser's idle timer and the watch on the parent
live in the loop, so they go on whatever the main thread does.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

import uvloop

T = TypeVar("T")

SWITCH_SECONDS = 0.001
"""How long the interpreter lets one thread run while another one is ready.

A transaction is a dozen answers of Postgres, and after each its thread has to get the interpreter back from a busy
loop: with Python's default of 5 ms a claim of 3 ms took 100.
"""

STOP_SECONDS = 10
"""How long a child waits for its loop to end."""


class ParentPipe:
    """A pipe whose write end only the parent keeps: it closes it to announce a stop, or by dying.

    Children that watch the read end learn of both at once, without a message and without a signal.
    """

    def __init__(self) -> None:
        self._read_end, self._write_end = os.pipe()

    def announce_stop(self) -> None:
        """Tell all children that the worker stops. Called in the parent, from a signal handler: safe to repeat."""
        self._close_write_end()

    def watch(self, loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
        """Set `stopping` when the parent stops or dies. Called in a child, in its loop."""
        self._close_write_end()

        def parent_is_gone() -> None:
            loop.remove_reader(self._read_end)
            stopping.set()

        loop.add_reader(self._read_end, parent_is_gone)

    def _close_write_end(self) -> None:
        write_end, self._write_end = self._write_end, -1
        if write_end >= 0:
            os.close(write_end)


class Child:
    """The loop of this process, and the event that tells its tasks to stop."""

    def __init__(self, parent: ParentPipe) -> None:
        self._parent = parent
        self._loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._run_loop, name="child-loop", daemon=True)
        self._beside: list[Future[None]] = []
        self.stopping = asyncio.Event()

    def start(self) -> None:
        """Start the loop. Called once, after the fork."""
        self._thread.start()
        self._loop.call_soon_threadsafe(self._parent.watch, self._loop, self.stopping)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop and wait for it, from any other thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Let a coroutine run beside the tasks until the loop ends."""
        self._beside.append(asyncio.run_coroutine_threadsafe(coroutine, self._loop))

    def stop(self, closing: Coroutine[Any, Any, None]) -> None:
        """End what runs beside the tasks, run `closing`, then end the loop; bounded by STOP_SECONDS."""
        for running in self._beside:
            running.cancel()
        future = asyncio.run_coroutine_threadsafe(closing, self._loop)
        try:
            future.result(timeout=STOP_SECONDS)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=STOP_SECONDS)

    def _run_loop(self) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
