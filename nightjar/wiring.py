"""The composition root: every process is put together here.

Adapters are imported where they are used, so that a function pays only for its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from nightjar.application.janitor import JanitorRules
from nightjar.application.rank_run import RunRules
from nightjar.database.engine import Database
from nightjar.ports import TaskQueue
from nightjar.settings import JanitorSettings, RankSettings, StoreSettings, fan_out_settings, janitor_settings

PLANNING_SECONDS = 300
"""Planning a night and closing one are single statements over all trackings: they may take longer than others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOut:
    """What the nightly fan-out works with."""

    database: Database
    queue: TaskQueue
    rules: RunRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Janitor:
    """What the janitor works with."""

    database: Database
    queue: TaskQueue
    rules: JanitorRules
    settings: JanitorSettings


def build_fan_out(environment: Mapping[str, str]) -> FanOut:
    """The nightly fan-out from its settings. Raises BadSettings."""
    settings = fan_out_settings(environment)
    return FanOut(
        database=_database(settings.stores, name="nightjar-nightly-fanout", statement_seconds=PLANNING_SECONDS),
        queue=task_queue(settings.stores, origin="nightly_fanout"),
        rules=run_rules(settings.ranks, window=settings.stores.publish_window),
    )


def build_janitor(environment: Mapping[str, str]) -> Janitor:
    """The janitor from its settings. Raises BadSettings."""
    settings = janitor_settings(environment)
    return Janitor(
        database=_database(settings.stores, name="nightjar-janitor", pool_size=2, statement_seconds=PLANNING_SECONDS),
        queue=task_queue(settings.stores, origin="janitor"),
        rules=JanitorRules(window=settings.stores.publish_window, announce_grace=settings.lease),
        settings=settings,
    )


def run_rules(ranks: RankSettings, *, window: int) -> RunRules:
    """What a run obeys, from the settings."""
    return RunRules(
        depths=ranks.depths, sources=ranks.sources, delay=ranks.delay, timeout=ranks.batch_timeout, window=window
    )


def task_queue(stores: StoreSettings, *, origin: str) -> TaskQueue:
    """The broker that the settings name."""
    from nightjar.adapters.redis.task_queue import RedisTaskQueue

    return RedisTaskQueue(stores.broker_url, prefix=stores.redis_key_prefix, origin=origin)


def _database(stores: StoreSettings, *, name: str, pool_size: int = 1, statement_seconds: int = 30) -> Database:
    return Database(stores.database_url, name=name, pool_size=pool_size, statement_seconds=statement_seconds)
