"""Row `live`: from a worker's publisher to 50 WebSocket clients of one API, while a browser renders pages."""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from websockets.asyncio.client import connect

from infra.local.bench.live_publisher import EVENTS, EVENTS_A_SECOND
from infra.local.bench.rows import Row
from infra.local.child import Child
from infra.local.settings import program_environment
from infra.local.stack import API, Stack
from nightjar.database.engine import Database
from nightjar.database.tasks import NewTask
from nightjar.tasks import Queue, TaskKind

CLIENTS = 50
P95_TARGET_MS = 200
PATIENCE_SECONDS = 60.0
STOP_SECONDS = 5.0
NANOSECONDS_IN_MS = 1e6


def measure() -> list[Row]:
    """Every event is timed at every client."""
    with Stack(processes={API}) as stack, tempfile.TemporaryDirectory(prefix="nightjar-bench-") as folder:
        task_id = a_running_task(stack)
        environment = program_environment(stack.env)
        rendering_log = Path(folder) / "rendering.log"
        rendering = Child(program("live_rendering"), log=rendering_log, env=environment)
        try:
            wait_for_pages(rendering_log)
            latencies = asyncio.run(watch(stack, task_id, environment, Path(folder)))
        finally:
            rendering.stop(STOP_SECONDS)
        pages = rendering_log.read_text().count("rendered")
    return rows_of(latencies, pages)


def rows_of(latencies: list[float], pages: int) -> list[Row]:
    """The figures, in ms. Raises RuntimeError if an event did not reach a client: then there is nothing to compare."""
    if len(latencies) != CLIENTS * EVENTS or not pages:
        raise RuntimeError(f"{len(latencies)} of {CLIENTS * EVENTS} events arrived while {pages} pages were rendered")
    cuts = statistics.quantiles(latencies, n=100)
    p95 = cuts[94]
    return [
        Row(
            name="live worker to client p95",
            value=p95,
            unit="ms",
            target=f"under {P95_TARGET_MS} ms, {CLIENTS} clients, {EVENTS_A_SECOND} events/s",
            ok=p95 < P95_TARGET_MS,
        ),
        Row(name="live worker to client p50", value=cuts[49], unit="ms", target="", ok=None),
        Row(name="live worker to client, slowest", value=max(latencies), unit="ms", target="", ok=None),
        Row(name="live pages rendered meanwhile", value=pages, unit="pages", target="printed", ok=None),
    ]


async def watch(stack: Stack, task_id: UUID, environment: dict[str, str], folder: Path) -> list[float]:
    """Let all clients watch, then publish. Milliseconds of every event at every client."""
    ready = [asyncio.Event() for _ in range(CLIENTS)]
    clients = [asyncio.create_task(one_client(stack, task_id, is_ready)) for is_ready in ready]
    await asyncio.gather(*(is_ready.wait() for is_ready in ready))
    publisher = Child(program("live_publisher", str(task_id)), log=folder / "publisher.log", env=environment)
    try:
        measured = await asyncio.gather(*clients)
    finally:
        publisher.stop(STOP_SECONDS)
    return [latency for latencies in measured for latency in latencies]


async def one_client(stack: Stack, task_id: UUID, is_ready: asyncio.Event) -> list[float]:
    """Milliseconds of each event, up to the last one; whatever arrives in PATIENCE_SECONDS."""
    url = f"{stack.api_url.replace('http', 'ws', 1)}/api/v1/tasks/{task_id}/live"
    latencies: list[float] = []
    headers = {"Authorization": f"Bearer {stack.api_key}"}
    async with connect(url, additional_headers=headers, proxy=None) as client, asyncio.timeout(PATIENCE_SECONDS):
        await client.recv()
        is_ready.set()
        while len(latencies) < EVENTS:
            text = await client.recv()
            now = time.monotonic_ns()
            counts = json.loads(text).get("counts", {})
            if "handed_over_ns" in counts:
                latencies.append((now - counts["handed_over_ns"]) / NANOSECONDS_IN_MS)
    return latencies


def a_running_task(stack: Stack) -> UUID:
    """A task that somebody works at."""
    database = Database(stack.database_url, name="bench")
    with database.transaction() as uow:
        task = NewTask(kind=TaskKind.CRAWL_BAEMIN_STORES, queue=Queue.STORES, correlation_id="bench", owner="bench")
        task_id = uow.tasks.add(task)
        uow.tasks.claim(task_id, lease=timedelta(hours=1))
    database.close()
    return task_id


def wait_for_pages(log: Path) -> None:
    """Until the browser renders. Raises RuntimeError if it does not."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "rendered" not in log.read_text():
        if time.monotonic() > deadline:
            raise RuntimeError(f"the browser renders nothing; its process wrote: {log.read_text()[-1000:]}")
        time.sleep(0.1)


def program(module: str, *arguments: str) -> list[str]:
    """The command line of a process of this row."""
    return [sys.executable, "-m", f"infra.local.bench.{module}", *arguments]
