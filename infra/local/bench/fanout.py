"""Row `fanout`: a million trackings over a quarter of a million searches, by the real handler in the Lambda runtime."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from time import perf_counter, sleep

from redis import Redis
from sqlalchemy import text

from infra.local.bench.delay_loop import delay_loop_rate
from infra.local.bench.memory import MEGABYTE, PeakMemory
from infra.local.bench.rows import Row
from infra.local.events import nightly_event
from infra.local.lambda_runtime import LambdaRuntime
from infra.local.stack import WORKERS, Stack
from nightjar.database.engine import Database
from tests.doubles.naver.replica import Replica

TRACKINGS = 1_000_000
CHECKS = 250_000
MEMORY_MB = 512
PLANNED_WITHIN_SECONDS = 30
TIMES_A_DELAY_LOOP = 10
SAMPLE_SECONDS = 10
NIGHT = date(2026, 6, 1)

FILL_SEARCHES = text("""
    INSERT INTO searches (rank_type, keyword, device)
    SELECT (ARRAY['blog', 'cafe'])[1 + mod(n, 2)], 'keyword ' || n, 'pc' FROM generate_series(1, :checks) AS n
""")
FILL_TRACKINGS = text("""
    INSERT INTO trackings (owner, search_id, target_key, target_url)
    SELECT 'owner ' || mod(n, 5000), s.id,
           CASE s.rank_type WHEN 'blog' THEN 'blog:bench/' || n ELSE 'cafe:bench/' || n END,
           'https://blog.naver.com/bench/' || n
    FROM generate_series(1, :trackings) AS n
    JOIN (SELECT id, rank_type, row_number() OVER (ORDER BY id) AS place FROM searches) AS s
      ON s.place = 1 + mod(n, :checks)
""")


def measure() -> list[Row]:
    """Plan, publish, and let a real worker consume a sample."""
    settings = {"PUBLISH_WINDOW": str(10 * CHECKS), "CRAWL_DELAY_SECONDS": "0", "WORKER_CONCURRENCY": "2"}
    with Replica() as replica, Stack({**settings, **replica.settings}, processes=()) as stack:
        loop_rate = delay_loop_rate(stack.redis_url)
        fill(stack)
        planned, published, peak_mb = fan_out(stack)
        redis_mb = redis_peak_mb(stack)
        rate = CHECKS / published
        consumed = consume(stack, replica)
    return [
        Row(
            name="fanout planned",
            value=planned,
            unit="s",
            target=f"under {PLANNED_WITHIN_SECONDS} s",
            ok=planned < PLANNED_WITHIN_SECONDS,
            peak_mb=peak_mb,
        ),
        Row(
            name="fanout published",
            value=rate,
            unit="messages/s",
            against={".delay() loop": rate / loop_rate},
            target=f"{TIMES_A_DELAY_LOOP}x a .delay() loop",
            ok=rate >= TIMES_A_DELAY_LOOP * loop_rate,
            peak_mb=peak_mb,
        ),
        Row(name="fanout memory", value=peak_mb, unit="MB", target=f"{MEMORY_MB} MB", ok=peak_mb < MEMORY_MB),
        Row(name="fanout Redis peak", value=redis_mb, unit="MB", target="printed", ok=None),
        Row(name="fanout sample consumed", value=consumed, unit="checks/s", target="consumed", ok=consumed > 0),
    ]


def fill(stack: Stack) -> None:
    """A million trackings, as registering would have left them."""
    database = Database(stack.database_url, name="bench", statement_seconds=600)
    with database.transaction() as uow:
        uow.connection.execute(FILL_SEARCHES, {"checks": CHECKS})
        uow.connection.execute(FILL_TRACKINGS, {"trackings": TRACKINGS, "checks": CHECKS})
    with database.transaction() as uow:
        uow.connection.execute(text("ANALYZE searches"))
        uow.connection.execute(text("ANALYZE trackings"))
    database.close()


def fan_out(stack: Stack) -> tuple[float, float, float]:
    """Seconds to plan, seconds to publish, and the function's peak memory in MB."""
    handler = "functions.nightly_fanout.app.handler"
    with LambdaRuntime(handler, stack.env, memory_mb=MEMORY_MB, timeout_s=900, lifetime_s=900) as function:
        if function.pid is None:
            raise RuntimeError("the Lambda runtime has no process")
        with PeakMemory(function.pid) as memory:
            answer = function.invoke(nightly_event(NIGHT))
        if not isinstance(answer, dict) or answer["checks"] != CHECKS or answer["published"] != CHECKS:
            raise RuntimeError(f"the fan-out did not do all its work: {answer}")
        planned_at, done_at = line_times(function.log, ("batch_started", "night_fanned_out"))
    started_at = batch_start(stack)
    return (planned_at - started_at).total_seconds(), (done_at - planned_at).total_seconds(), memory.peak_mb


def line_times(log: str, messages: Sequence[str]) -> list[datetime]:
    """When the function wrote each of these lines."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    times = {line["message"]: datetime.fromisoformat(line["timestamp"]) for line in lines if "message" in line}
    return [times[message] for message in messages]


def batch_start(stack: Stack) -> datetime:
    """When the batch row was made: the first moment of planning."""
    database = Database(stack.database_url, name="bench")
    with database.transaction() as uow:
        started: datetime = uow.connection.execute(text("SELECT started_at FROM batches")).scalar_one()
    database.close()
    return started


def redis_peak_mb(stack: Stack) -> float:
    """The most memory that Redis ever used, with all messages on the queue."""
    with Redis.from_url(stack.redis_url) as client:
        return float(client.info("memory")["used_memory_peak"]) / MEGABYTE


def consume(stack: Stack, replica: Replica) -> float:
    """Checks a second that one real worker with two children completes against the replica, without a delay."""
    replica.control.set_day(NIGHT)
    settings = {**stack.env, "WORKER_QUEUES": "nightly"}
    with Stack(settings, processes={WORKERS}, interactive_worker=False):
        before, started = completed(stack), perf_counter()
        sleep(SAMPLE_SECONDS)
        return (completed(stack) - before) / (perf_counter() - started)


def completed(stack: Stack) -> int:
    """Checks that ended so far."""
    database = Database(stack.database_url, name="bench")
    with database.transaction() as uow:
        count: int = uow.connection.execute(
            text("SELECT count(*) FROM rank_checks WHERE succeeded + failed > 0")
        ).scalar_one()
    database.close()
    return count
