"""A whole system around the replica: it registers what the scenario says, plays nights, and compares with the truth."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text

from functions.nightly_fanout.handling import Handler
from infra.local.events import nightly_event
from infra.local.stack import JANITOR, WORKERS, Stack
from nightjar.database.engine import Database
from nightjar.domain.target import canonical_url, target_key
from nightjar.domain.target_url import parse_target
from nightjar.domain.tracking import Device, Location, RankType, Search, default_device, default_vertical
from tests.doubles.naver.replica import Replica

FAST = {
    "CRAWL_DELAY_SECONDS": "0.01",
    "CRAWL_RETRY_DELAY_SECONDS": "0.1",
    "CRAWL_COOLDOWN_SECONDS": "0.4",
    "CRAWL_TIMEOUT_SECONDS": "3",
    "CRAWL_BATCH_TIMEOUT": "120",
    "LEASE_SECONDS": "3",
    "JANITOR_INTERVAL_SECONDS": "0.3",
    "WORKER_CONCURRENCY": "2",
}
"""A night in seconds: the same code, shorter waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A registered tracking, and how the replica names its target."""

    id: int
    search: Search
    target: str

    def question(self, day: date, depth: int) -> dict[str, Any]:
        """What to ask the replica for the truth."""
        location = self.search.location
        return {
            "rank_type": str(self.search.rank_type),
            "keyword": self.search.keyword,
            "target": self.target,
            "day": day.isoformat(),
            "device": str(self.search.device),
            "vertical": self.search.vertical,
            "x": location.x if location else None,
            "y": location.y if location else None,
            "depth": depth,
        }


OPEN_TASKS = text("""
    SELECT state, attempt, uncounted, not_before, published_at, seq, lease_until, clock_timestamp()
    FROM tasks WHERE batch_id = :id AND state IN ('pending', 'in_progress')
""")

DEPTHS = {RankType.PLACE: 300, RankType.BLOG: 100, RankType.CAFE: 100}


class NightSystem:
    """The running system, seen by a test."""

    def __init__(self, replica: Replica, stack: Stack) -> None:
        self.replica = replica
        self.stack = stack
        self.database = Database(stack.database_url, name="test", pool_size=4)
        self.followed: list[Followed] = []

    def follow(
        self,
        rank_type: RankType,
        keyword: str,
        url: str,
        target: str,
        *,
        owner: str = "shop",
        device: Device | None = None,
        location: Location | None = None,
    ) -> Followed:
        """Store a tracking as registering does, without its immediate check."""
        wanted = parse_target(rank_type, url)
        vertical = default_vertical(rank_type, getattr(wanted, "vertical", None))
        search = Search(
            rank_type=rank_type,
            keyword=keyword,
            device=device or default_device(rank_type),
            vertical=vertical,
            location=location,
        )
        with self.database.transaction() as uow:
            tracking_id, _ = uow.trackings.add(
                owner=owner,
                search_id=uow.trackings.search_id(search),
                target_key=target_key(wanted),  # type: ignore[arg-type]  # short links are not followed here
                target_url=canonical_url(wanted),  # type: ignore[arg-type]
            )
        followed = Followed(id=tracking_id, search=search, target=target)
        self.followed.append(followed)
        return followed

    def unfollow(self, followed: Followed) -> None:
        """Stop a tracking."""
        with self.database.transaction() as uow:
            uow.trackings.stop(followed.id, owner=None)
        self.followed.remove(followed)

    def fan_out(self, day: date) -> int:
        """Deliver the event of one night to the handler; the batch id."""
        self.replica.control.set_day(day)
        handler = Handler(self.stack.env)
        answer = handler.handle(nightly_event(day), None)
        handler.close()
        return int(str(answer["batch_id"]))

    def batch(self, batch_id: int) -> Mapping[str, Any]:
        with self.database.transaction() as uow:
            row = uow.connection.execute(text("SELECT * FROM batches WHERE id = :id"), {"id": batch_id}).one()
        return row._asdict()

    def await_end(self, batch_id: int, *, seconds: float = 90) -> Mapping[str, Any]:
        """The batch once it is closed and announced."""
        wait_until(lambda: self.batch(batch_id)["announced_at"] is not None, seconds, lambda: self.open_tasks(batch_id))
        return self.batch(batch_id)

    def open_tasks(self, batch_id: int) -> list[tuple[Any, ...]]:
        """The unfinished checks of a batch: state first, then what explains why."""
        with self.database.transaction() as uow:
            return [tuple(row) for row in uow.connection.execute(OPEN_TASKS, {"id": batch_id})]

    def rows(self, day: date) -> dict[int, Mapping[str, Any]]:
        """The history of one day by tracking."""
        with self.database.transaction() as uow:
            rows = uow.connection.execute(text("SELECT * FROM rank_history WHERE checked_on = :day"), {"day": day})
            return {row.tracking_id: row._asdict() for row in rows}

    def truths(self, day: date) -> dict[int, dict[str, Any]]:
        """What the replica really showed on that day, by tracking."""
        questions = [item.question(day, DEPTHS[item.search.rank_type]) for item in self.followed]
        return {
            item.id: truth for item, truth in zip(self.followed, self.replica.control.truths(questions), strict=True)
        }

    def lines(self, message: str, **fields: object) -> list[dict[str, Any]]:
        """All log lines of all processes with this message and these fields."""
        found = []
        for log in self.stack.logs.values():
            for line in log.read_text(errors="replace").splitlines() if log.exists() else ():
                parsed = _as_json(line)
                if parsed.get("message") == message and fields.items() <= parsed.items():
                    found.append(parsed)
        return found


def _as_json(line: str) -> dict[str, Any]:
    try:
        parsed = json.loads(line)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def wait_until(condition: Callable[[], bool], seconds: float, explain: Callable[[], object] = lambda: "") -> None:
    """Poll until the condition holds; fail with an explanation after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {explain()}")
        time.sleep(0.05)


def differences(rows: Mapping[int, Mapping[str, Any]], truths: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """Where the stored day is not what was shown."""
    return [
        f"tracking {tracking_id}: stored {rows.get(tracking_id)}, shown {truth}"
        for tracking_id, truth in truths.items()
        if (rows.get(tracking_id, {}).get("outcome"), rows.get(tracking_id, {}).get("rank"))
        != (truth["outcome"], truth["rank"])
    ]


def days(first: date, count: int) -> Sequence[date]:
    """Consecutive days."""
    return [first + timedelta(days=number) for number in range(count)]


def a_stack(replica: Replica, settings: Mapping[str, str] | None = None, *, workers: int = 2) -> Stack:
    """Servers, workers and janitor; the test plays API and EventBridge."""
    return Stack({**FAST, **replica.settings, **(settings or {})}, processes={WORKERS, JANITOR}, workers=workers)
