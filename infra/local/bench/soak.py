"""`make soak`: one long crawl in the browser engine through the whole system; memory must stay where it is.

It prints a curve of the memory of the worker and its Chromium, and fails when memory at the end is not within 10 % of
what it was after 500 pages, or when a Chromium is left 60 s after the end. PAGES=2000 shortens it.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from uuid import UUID

import httpx
import psutil
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import text

from infra.local.bench.memory import MEGABYTE
from infra.local.bench.our_crawl import DEPTH, crawl_stack
from infra.local.bench.site import static_site
from infra.local.stack import Stack
from nightjar.database.engine import Database

PAGES = 10_000
REFERENCE_PAGES = 500
WINDOW_PAGES = 100
"""Memory at a number of pages is the median of what was seen so many pages before and after it."""

TOLERANCE = 0.10
SAMPLE_SECONDS = 0.5
LONGEST_SECONDS = 3600
STALL_SECONDS = 120
LEFT_AFTER_SECONDS = 60
CURVE_LINES = 20
CURVE_WIDTH = 60

PROGRESS = text("""
    SELECT c.done, c.failed, t.state FROM crawls AS c JOIN tasks AS t ON t.id = c.task_id WHERE c.task_id = :id
""")


@dataclass(frozen=True, slots=True)
class Sample:
    """MB of the worker's process tree (shared pages counted once) when so many pages were done and had failed."""

    pages: int
    failed: int
    megabytes: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the soak ended; memory in MB."""

    reference: float
    end: float
    failed_pages: int
    chromium_left: int

    @property
    def is_good(self) -> bool:
        """Memory stayed, no page failed, no Chromium is left."""
        return self.end <= self.reference * (1 + TOLERANCE) and not self.failed_pages and not self.chromium_left


def main() -> int:
    """0 if memory stayed and no Chromium is left, else 1."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--script-made", action="store_true", help="pages whose content a script makes")
    given = parser.parse_args()
    if given.pages < 2 * REFERENCE_PAGES:
        sys.stderr.write(f"soak: at least {2 * REFERENCE_PAGES} pages, to compare the end with {REFERENCE_PAGES}\n")
        return 2
    with static_site(given.pages, script_made=given.script_made) as site, crawl_stack(site, children=1) as stack:
        worker = psutil.Process(stack.process("worker-1").pid)
        samples = _crawl(stack, worker, site, given.pages)
        ended = time.monotonic()
        _print_curve(samples)
        reference = memory_at(samples, REFERENCE_PAGES)
        verdict = Verdict(reference, memory_at(samples, given.pages), samples[-1].failed, _chromium_left(worker, ended))
    print(
        f"{verdict.reference:.0f} MB after {REFERENCE_PAGES} pages, {verdict.end:.0f} MB after {given.pages} "
        f"({verdict.end / verdict.reference - 1:+.1%}); {verdict.failed_pages} pages failed; "
        f"{verdict.chromium_left} Chromium processes {LEFT_AFTER_SECONDS} s after the end"
    )
    return 0 if verdict.is_good else 1


def memory_at(samples: Sequence[Sample], pages: int) -> float:
    """MB when about so many pages were done; of the nearest sample if none was taken within the window."""
    near = [sample.megabytes for sample in samples if abs(sample.pages - pages) <= WINDOW_PAGES]
    return median(near) if near else min(samples, key=lambda sample: abs(sample.pages - pages)).megabytes


def _crawl(stack: Stack, worker: psutil.Process, site: str, pages: int) -> list[Sample]:
    """What was seen until the crawl ended. Raises RuntimeError if it does not end well."""
    database = Database(stack.database_url, name="soak")
    task_id = _start(stack, site, pages)
    samples: list[Sample] = []
    try:
        with _bar() as bar:
            shown = bar.add_task("rendering", total=pages, memory="")
            for done, failed in _steps(database, task_id):
                samples.append(Sample(done, failed, _megabytes(worker)))
                bar.update(shown, completed=done, memory=f"{samples[-1].megabytes:.0f} MB")
    finally:
        database.close()
    return samples


def _start(stack: Stack, site: str, pages: int) -> UUID:
    body = {"url": site, "depth": DEPTH, "limit": pages, "delay": 0.0, "engine": "browser", "structure": False}
    answer = httpx.post(
        f"{stack.api_url}/api/v1/crawl",
        json={**body, "background": True},
        headers={"Authorization": f"Bearer {stack.api_key}"},
    )
    if answer.status_code != httpx.codes.ACCEPTED:
        raise RuntimeError(f"the crawl was not started: {answer.status_code} {answer.text}")
    return UUID(answer.json()["task_id"])


def _steps(database: Database, task_id: UUID) -> Iterator[tuple[int, int]]:
    """Pages done and failed, now and then, until the task is completed."""
    began = moved = time.monotonic()
    before = -1
    while True:
        with database.transaction() as uow:
            done, failed, state = uow.connection.execute(PROGRESS, {"id": task_id}).one()
        now = time.monotonic()
        moved = now if done != before else moved
        before = done
        if state in {"failed", "cancelled"} or now - began > LONGEST_SECONDS or now - moved > STALL_SECONDS:
            raise RuntimeError(f"the crawl is {state} with {done} pages after {now - began:.0f} s")
        yield done, failed
        if state == "completed":
            return
        time.sleep(SAMPLE_SECONDS)


def _megabytes(worker: psutil.Process) -> float:
    return sum(map(_size, _tree(worker))) / MEGABYTE


def _tree(worker: psutil.Process) -> list[psutil.Process]:
    return [worker, *worker.children(recursive=True)]


def _size(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
    except psutil.Error:
        return 0  # it has just ended
    return int(getattr(full, "pss", full.uss))


def _chromium_left(worker: psutil.Process, ended: float) -> int:
    """Chromium processes below the worker, so long after the end."""
    print(f"waiting until {LEFT_AFTER_SECONDS} s after the end ...", flush=True)
    time.sleep(max(0.0, ended + LEFT_AFTER_SECONDS - time.monotonic()))
    return sum("chrom" in process.name() for process in worker.children(recursive=True))


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[memory]}"))
    return Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True))


def _print_curve(samples: Sequence[Sample]) -> None:
    most = max(sample.megabytes for sample in samples)
    last = max(sample.pages for sample in samples)
    print("pages       MB")
    for line in range(CURVE_LINES + 1):
        pages = round(last * line / CURVE_LINES)
        megabytes = memory_at(samples, pages)
        print(f"{pages:>6,} {megabytes:>8,.0f} {'#' * round(CURVE_WIDTH * megabytes / most)}")


if __name__ == "__main__":
    sys.exit(main())
