"""A packaged function, and the stores that it works on."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import redis
from sqlalchemy import text

from nightjar.database.engine import Database
from nightjar.domain.tracking import RankType, Search, default_device, default_vertical
from nightjar.tasks import Queue

# Run by a Python without site-packages: only the standard library and the build can be imported.
CALL = """
import importlib, json, os, sys
from types import SimpleNamespace
module = importlib.import_module(sys.argv[1])
event = json.loads(sys.argv[2])
context = SimpleNamespace(
    function_name="function", function_version="1", memory_limit_in_mb=512, aws_request_id="request-1",
    invoked_function_arn="arn:aws:lambda:ap-northeast-2:123456789012:function:function",
    get_remaining_time_in_millis=lambda: 30_000,
)
answer = None if event is None else module.handler(event, context)
import nightjar
print()
print(json.dumps({"answer": answer, "nightjar": nightjar.__file__, "modules": sorted(sys.modules)}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What an isolated call left: the handler's answer, where nightjar came from, and everything that was imported."""

    answer: Any
    nightjar: Path
    modules: frozenset[str]

    def imported(self, *packages: str) -> set[str]:
        """Those of the packages that were imported, wholly or in part."""
        return {package for package in packages if any(f"{name}.".startswith(f"{package}.") for name in self.modules)}


@dataclass(frozen=True, kw_only=True)
class Built:
    """A function's zip, and what is in it."""

    name: str
    zipped: Path
    folder: Path

    @property
    def handler(self) -> str:
        return f"functions.{self.name}.app.handler"

    @cached_property
    def on_import(self) -> Called:
        """The handler's module imported, and nothing done."""
        return self.call(None, {})

    def call(self, event: Mapping[str, object] | None, environment: Mapping[str, str]) -> Called:
        """Import the handler's module and hand it an event, in a Python that sees nothing but the build."""
        module = f"functions.{self.name}.app"
        ran = subprocess.run(
            [sys.executable, "-P", "-S", "-W", "error", "-c", CALL, module, json.dumps(event)],
            cwd=self.zipped.parent,
            env={"PATH": os.defpath, "PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1", **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        found = json.loads(ran.stdout.splitlines()[-1])
        return Called(answer=found["answer"], nightjar=Path(found["nightjar"]), modules=frozenset(found["modules"]))


@dataclass(frozen=True, kw_only=True)
class Store:
    """Postgres and Redis as a test looks at them."""

    database: Database
    database_url: str
    redis_url: str

    @property
    def settings(self) -> dict[str, str]:
        """With which a function finds them."""
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url, "NAVER_BLOG_SOURCE": "page"}

    def follow(self, keyword: str, target: str) -> None:
        """Store an active tracking of a blog post."""
        search = Search(
            rank_type=RankType.BLOG,
            keyword=keyword,
            device=default_device(RankType.BLOG),
            vertical=default_vertical(RankType.BLOG, None),
        )
        with self.database.transaction() as uow:
            uow.trackings.add(
                owner="shop",
                search_id=uow.trackings.search_id(search),
                target_key=f"blog:{target}",
                target_url=f"https://blog.naver.com/{target}",
            )

    def count(self, table: str) -> int:
        with self.database.transaction() as uow:
            return int(uow.connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())

    def messages(self, queue: Queue) -> list[str]:
        """The task ids on a queue, oldest first, as a Celery worker reads them."""
        with redis.Redis.from_url(self.redis_url) as client:
            waiting = client.lrange(str(queue), 0, -1)
        return [json.loads(message)["headers"]["id"] for message in reversed(waiting)]

    def lose_messages(self) -> None:
        """What a failover of Redis can do."""
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushall()
