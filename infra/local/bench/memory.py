"""Peak memory of process trees, sampled."""

import threading
from types import TracebackType
from typing import Self

import psutil

SAMPLE_SECONDS = 0.05
MEGABYTE = 1_000_000


class PeakMemory:
    """Samples the memory (RSS) of the processes `pids` and of all below them while the context is open.

    `peak_mb` is the most that one process had, `tree_mb` the most that all had at a moment; what processes share counts
    in each of them.
    """

    def __init__(self, *pids: int) -> None:
        self._roots = [psutil.Process(pid) for pid in pids]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.peak_mb = 0.0
        self.tree_mb = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            sizes = [size for root in self._roots for size in _sizes(root)]
            self.peak_mb = max([self.peak_mb, *sizes])
            self.tree_mb = max(self.tree_mb, sum(sizes))


def _sizes(root: psutil.Process) -> list[float]:
    """MB of each process of a tree; nothing of a tree that ends while one looks."""
    try:
        return [process.memory_info().rss / MEGABYTE for process in (root, *root.children(recursive=True))]
    except psutil.Error:
        return []
