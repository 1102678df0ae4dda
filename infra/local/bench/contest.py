"""Runs a contender: one or two processes that crawl one site between them."""

import json
import select
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from crawl_worker.engine.chromium import find_chromium
from infra.local.bench.memory import PeakMemory
from infra.local.bench.peers import provide_peers
from infra.local.child import ROOT

READY_SECONDS = 60
CRAWL_SECONDS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A program of `contenders/` and how it is run; `name` is how a row calls it."""

    name: str
    module: str
    processes: int
    concurrency: int
    """Requests in flight in each process."""

    def command(self, url: str, number: int) -> list[str]:
        """The command line of its process `number`."""
        command = [str(provide_peers()), "-m", f"infra.local.bench.contenders.{self.module}"]
        options = {
            "url": url,
            "concurrency": self.concurrency,
            "number": number,
            "of": self.processes,
        }
        return command + [f"--{name}={value}" for name, value in options.items()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crawled:
    """What a contender did. `tree_mb` is the peak memory of all its processes together."""

    pages: int
    seconds: float
    tree_mb: float

    @property
    def rate(self) -> float:
        """Pages a second."""
        return self.pages / self.seconds


def run(contender: Contender, url: str, pages: int, links: int) -> Crawled:
    """Crawl the site once. Raises RuntimeError if not exactly `pages` pages with `links` links were read."""
    with ExitStack() as stack:
        commands = [contender.command(url, number) for number in range(contender.processes)]
        running = [stack.enter_context(_started(command)) for command in commands]
        for process in running:
            _wait_until_ready(process)
        with PeakMemory(*(process.pid for process in running)) as memory:
            for process in running:
                _signal_the_start(process)
            printed = [process.communicate(timeout=CRAWL_SECONDS)[0] for process in running]
    reports = [_report(text, contender) for text in printed]
    read, linked = sum(report["pages"] for report in reports), sum(report["links"] for report in reports)
    if (read, linked) != (pages, links):
        raise RuntimeError(f"{contender.name} read {read:.0f} pages and {linked:.0f} links instead of {pages}, {links}")
    return Crawled(pages=pages, seconds=max(report["seconds"] for report in reports), tree_mb=memory.tree_mb)


@contextmanager
def _started(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "CHROMIUM_PATH": str(find_chromium() or "")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def _wait_until_ready(process: subprocess.Popen[str]) -> None:
    if process.stdout is None or not select.select([process.stdout], [], [], READY_SECONDS)[0]:
        raise RuntimeError(f"{process.args!r} was not ready within {READY_SECONDS} s")
    if process.stdout.readline() != "ready\n":
        raise RuntimeError(f"{process.args!r} did not start")


def _signal_the_start(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        process.stdin.write("go\n")
        process.stdin.flush()


def _report(printed: str, contender: Contender) -> dict[str, float]:
    lines = printed.splitlines()
    if not lines:
        raise RuntimeError(f"{contender.name} ended without a report")
    report: dict[str, float] = json.loads(lines[-1])
    return report
