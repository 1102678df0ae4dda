"""CPU time of process trees: what work costs, whatever else the machine does meanwhile."""

from types import TracebackType
from typing import Self

import psutil


class CpuTime:
    """Counts the CPU seconds that the processes `pids` and all below them spend while the context is open.

    What a process spent that began and ended in between is counted by its parent, once it was waited for.
    """

    def __init__(self, *pids: int) -> None:
        self._roots = [psutil.Process(pid) for pid in pids]
        self._before = 0.0
        self.seconds = 0.0

    def __enter__(self) -> Self:
        self._before = self._spent()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds = self._spent() - self._before

    def _spent(self) -> float:
        trees = [[root, *root.children(recursive=True)] for root in self._roots]
        return sum(sum(process.cpu_times()[:4]) for tree in trees for process in tree)
