"""What people ask for while Redis is away is taken, and done by a worker as soon as Redis is back."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest

from infra.local.redis import EmbeddedRedis
from infra.local.stack import API, JANITOR, WORKERS, Stack
from tests.acceptance.night import FAST, wait_until
from tests.doubles.naver.replica import Replica

DAY = date(2026, 6, 1)
TARGET = "nj_lantern01/223400000101"
BLOG = {"rank_type": "blog", "keyword": "모형동 맛집", "target_url": f"https://blog.naver.com/{TARGET}"}


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    """A server that nobody starts again but the test."""
    server = EmbeddedRedis(tmp_path / "redis")
    server.start()
    yield server
    server.stop()


def test_a_check_that_was_asked_for_while_redis_was_away_is_done_when_it_is_back(own_redis: EmbeddedRedis) -> None:
    with Replica("--day", DAY.isoformat()) as replica:
        settings = {**FAST, **replica.settings, "REDIS_URL": own_redis.url(), "WORKER_CONCURRENCY": "1"}
        with (
            Stack(settings, processes={API, WORKERS, JANITOR}) as stack,
            httpx.Client(
                base_url=stack.api_url, headers={"Authorization": f"Bearer {stack.api_key}"}, timeout=30
            ) as client,
        ):
            own_redis.stop()
            registered = client.post("/api/v1/trackings", json=BLOG)
            assert registered.status_code == 201, registered.text
            task = f"/api/v1/tasks/{registered.json()['task_id']}"
            assert client.get(task).json()["status"] == "pending"
            own_redis.start()
            wait_until(lambda: client.get(task).json()["status"] == "completed", 90, lambda: client.get(task).text)
            (row,) = client.get(f"/api/v1/trackings/{registered.json()['id']}/history").json()["items"]
        truth = replica.control.truth("blog", BLOG["keyword"], TARGET, day=DAY.isoformat())
        assert (row["outcome"], row["rank"]) == (truth["outcome"], truth["rank"])
