"""The envelope that we write by hand is what a real Celery worker reads."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from redis import Redis

from nightjar.adapters.redis.task_queue import RedisTaskQueue
from nightjar.tasks import Message, Queue, TaskKind

ROOT = Path(__file__).parents[2]


@contextmanager
def echo_worker(broker: str, notes: str, prefix: str, log: Path) -> Iterator[None]:
    environment = os.environ | {"ECHO_BROKER": broker, "ECHO_NOTES": notes, "ECHO_PREFIX": prefix}
    command = [sys.executable, "-m", "celery", "-A", "tests.contract.echo_worker", "worker", "-P", "solo",
               "-Q", "nightly,interactive", "--without-gossip", "--without-mingle", "-l", "WARNING"]  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.mark.parametrize("prefix", ["", "shared:"])
def test_a_real_worker_consumes_hand_made_messages_in_order_and_acknowledges_them(
    redis_url: str, prefix: str, tmp_path: Path
) -> None:
    notes_url = redis_url.replace("/0", "/3")
    queue = RedisTaskQueue(redis_url, prefix=prefix)
    messages = [Message(task_id=str(uuid4()), kind=TaskKind.RANK_CHECK) for _ in range(5)]
    queue.publish(Queue.NIGHTLY, messages)
    assert queue.depth(Queue.NIGHTLY) == 5
    with echo_worker(redis_url, notes_url, prefix, tmp_path / "worker.log"), Redis.from_url(notes_url) as notes:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and (notes.llen("notes") < 5 or queue.depth(Queue.NIGHTLY)):
            time.sleep(0.05)
        seen = [note.decode() for note in notes.lrange("notes", 0, -1)]
    log = (tmp_path / "worker.log").read_text()
    assert [line.split(" ")[0] for line in seen] == [str(message.task_id) for message in messages], log
    assert seen[0] == " ".join([str(messages[0].task_id)] * 3)
    assert queue.depth(Queue.NIGHTLY) == 0
    queue.close()
