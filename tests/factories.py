"""Objects with full defaults; a test overrides only what it is about."""

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import count
from uuid import UUID

from nightjar.application.rank_run import OpenedBatch, RunRules, open_batch
from nightjar.database.engine import Database
from nightjar.database.tasks import NewTask
from nightjar.domain.batch import BatchKind
from nightjar.domain.rank import Outcome, RankResult
from nightjar.domain.target import BlogTarget, canonical_url, target_key
from nightjar.domain.tracking import Device, Location, RankType, Search, Source, default_device
from nightjar.tasks import Queue, TaskKind

NIGHT = date(2026, 3, 2)
_numbers = count(1)


def a_search(
    rank_type: RankType = RankType.BLOG,
    keyword: str = "모형동 맛집",
    *,
    device: Device | None = None,
    vertical: str | None = None,
    location: Location | None = None,
) -> Search:
    return Search(
        rank_type=rank_type,
        keyword=keyword,
        device=device or default_device(rank_type),
        vertical=vertical or ("place" if rank_type is RankType.PLACE else None),
        location=location,
    )


def a_tracking(database: Database, search: Search | None = None, *, owner: str = "shop", key: str | None = None) -> int:
    """The id of a stored tracking."""
    target = BlogTarget(blog_id="nj_lantern01", log_no=f"22340000{next(_numbers):04}")
    with database.transaction() as uow:
        search_id = uow.trackings.search_id(search or a_search())
        tracking_id, _ = uow.trackings.add(
            owner=owner,
            search_id=search_id,
            target_key=key or target_key(target),
            target_url=canonical_url(target),
        )
    return tracking_id


def some_rules(
    *, window: int = 20_000, delay: float = 2, timeout: float = 3600, sources: Mapping[RankType, Source] | None = None
) -> RunRules:
    return RunRules(
        depths={RankType.PLACE: 300, RankType.BLOG: 100, RankType.CAFE: 100},
        sources=sources or dict.fromkeys(RankType, Source.PAGE),
        delay=timedelta(seconds=delay),
        timeout=timedelta(seconds=timeout),
        window=window,
    )


def a_night(database: Database, day: date = NIGHT, *, rules: RunRules | None = None) -> OpenedBatch:
    """A planned nightly batch over all trackings stored so far."""
    with database.transaction() as uow:
        return open_batch(
            uow, BatchKind.NIGHTLY, day, rules=rules or some_rules(), owner=None, correlation_id=f"night-{day}"
        )


def a_task(database: Database, *, queue: Queue = Queue.INTERACTIVE, owner: str = "shop") -> UUID:
    """The id of a stored task that nobody has published."""
    with database.transaction() as uow:
        task_id = uow.tasks.add(NewTask(kind=TaskKind.RANK_CHECK, queue=queue, owner=owner, correlation_id="c-1"))
    assert task_id is not None
    return task_id


def exposed(tracking_id: int, rank: int = 3) -> RankResult:
    return RankResult(tracking_id=tracking_id, outcome=Outcome.EXPOSED, rank=rank, checked_count=100)


def not_exposed(tracking_id: int) -> RankResult:
    return RankResult(tracking_id=tracking_id, outcome=Outcome.NOT_EXPOSED, checked_count=100)


def unknown(tracking_id: int, reason: str = "blocked: refused") -> RankResult:
    return RankResult(tracking_id=tracking_id, outcome=Outcome.UNKNOWN, reason=reason)
