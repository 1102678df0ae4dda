"""Peak memory of a process tree, sampled."""

import threading
from types import TracebackType
from typing import Self

import psutil

SAMPLE_SECONDS = 0.05
MEGABYTE = 1_000_000


class PeakMemory:
    """Samples the memory (RSS) of the largest process below `pid` while the context is open."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.peak_mb = 0.0

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
            try:
                processes = [self._root, *self._root.children(recursive=True)]
                self.peak_mb = max([self.peak_mb, *(process.memory_info().rss / MEGABYTE for process in processes)])
            except psutil.Error:
                continue
