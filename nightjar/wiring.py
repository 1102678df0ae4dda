"""The composition root: every process is put together here.

Adapters and use cases are imported where they are used, so that a function pays only for its own.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nightjar.database.engine import Database, Transactions
from nightjar.domain.kst import NightSchedule
from nightjar.ports import Archive, CancelAnnouncer, SecretsOff, SecretStore, TaskQueue
from nightjar.settings import (
    ApiSettings,
    JanitorSettings,
    LiveUpdatesSettings,
    RankSettings,
    SecretKeeper,
    SecretSettings,
    StoreSettings,
    api_settings,
    fan_out_settings,
    janitor_settings,
    live_updates_settings,
)

if TYPE_CHECKING:
    from nightjar.adapters.aws.live_poster import LivePoster
    from nightjar.application.janitor import JanitorRules
    from nightjar.application.rank_run import RunRules

PLANNING_SECONDS = 300
"""Planning a night and closing one are single statements over all trackings: they may take longer than others."""


API_STATEMENT_SECONDS = 20
"""An HTTP API of API Gateway gives up after 30 s: a statement has to be over before, with room for an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """What the API works with. All but the database is neither touched nor even imported before it is needed.

    `secrets` raises SecretsOff where the settings do not say how secrets are kept.
    """

    settings: ApiSettings
    database: Database
    queue: Callable[[], TaskQueue]
    secrets: Callable[[], SecretStore]
    cancels: Callable[[], CancelAnnouncer]
    resolve_short_link: Callable[[str], str]
    clock: Callable[[], datetime]
    close: Callable[[], None]
    """Gives all connections back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOut:
    """What the nightly fan-out works with."""

    database: Database
    queue: TaskQueue
    rules: "RunRules"
    schedule: NightSchedule

    def close(self) -> None:
        """Give the connections back."""
        self.database.close()
        self.queue.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Janitor:
    """What the janitor works with."""

    database: Database
    queue: TaskQueue
    rules: "JanitorRules"
    settings: JanitorSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveUpdates:
    """What the function behind the WebSocket API works with."""

    database: Database
    settings: LiveUpdatesSettings


def build_api(environment: Mapping[str, str], *, pool_size: int = 1) -> Api:
    """The API from its settings, with up to `pool_size` connections to Postgres. Raises BadSettings."""
    settings = api_settings(environment)
    database = _database(
        settings.stores, name="nightjar-api", pool_size=pool_size, statement_seconds=API_STATEMENT_SECONDS
    )

    opened = ExitStack()
    opened.callback(database.close)

    @cache
    def queue() -> TaskQueue:
        return opened.enter_context(closing(task_queue(settings.stores, origin="api")))

    @cache
    def secrets() -> SecretStore:
        return secret_store(settings.secrets, database.transaction)

    @cache
    def cancels() -> CancelAnnouncer:
        from nightjar.adapters.redis.cancel import RedisCancelAnnouncer

        announcer = RedisCancelAnnouncer(settings.stores.live_url, settings.stores.redis_key_prefix)
        return opened.enter_context(closing(announcer))

    def resolve_short_link(url: str) -> str:
        from nightjar.adapters.short_links import resolve

        return resolve(url, base_url=settings.naver_short_url)

    return Api(
        settings=settings,
        database=database,
        queue=queue,
        secrets=secrets,
        cancels=cancels,
        resolve_short_link=resolve_short_link,
        clock=lambda: datetime.now(UTC),
        close=opened.close,
    )


def build_fan_out(environment: Mapping[str, str]) -> FanOut:
    """The nightly fan-out from its settings. Raises BadSettings."""
    settings = fan_out_settings(environment)
    return FanOut(
        database=_database(settings.stores, name="nightjar-nightly-fanout", statement_seconds=PLANNING_SECONDS),
        queue=task_queue(settings.stores, origin="nightly_fanout"),
        rules=run_rules(settings.ranks, window=settings.stores.publish_window),
        schedule=settings.schedule,
    )


def build_janitor(environment: Mapping[str, str]) -> Janitor:
    """The janitor from its settings. Raises BadSettings."""
    from nightjar.application.janitor import JanitorRules

    settings = janitor_settings(environment)
    return Janitor(
        database=_database(settings.stores, name="nightjar-janitor", pool_size=2, statement_seconds=PLANNING_SECONDS),
        queue=task_queue(settings.stores, origin="janitor"),
        rules=JanitorRules(window=settings.stores.publish_window, announce_grace=settings.lease),
        settings=settings,
    )


def build_live_updates(environment: Mapping[str, str]) -> LiveUpdates:
    """The function behind the WebSocket API from its settings. Raises BadSettings."""
    settings = live_updates_settings(environment)
    database = _database(settings.stores, name="nightjar-live-updates", statement_seconds=API_STATEMENT_SECONDS)
    return LiveUpdates(database=database, settings=settings)


def live_poster(stores: StoreSettings, endpoint: str) -> "LivePoster | None":
    """What takes a worker's progress to API Gateway, with its own connection to Postgres; None without endpoint."""
    if not endpoint:
        return None
    from nightjar.adapters.aws.connections import Connections
    from nightjar.adapters.aws.live_poster import LivePoster

    database = _database(stores, name="nightjar-live-poster")
    return LivePoster(Connections(endpoint), database.transaction, released=database.close)


def run_rules(ranks: RankSettings, *, window: int) -> "RunRules":
    """What a run obeys, from the settings."""
    from nightjar.application.rank_run import RunRules

    return RunRules(
        depths=ranks.depths, sources=ranks.sources, delay=ranks.delay, timeout=ranks.batch_timeout, window=window
    )


def task_queue(stores: StoreSettings, *, origin: str) -> TaskQueue:
    """The broker that the settings name."""
    from nightjar.adapters.redis.task_queue import RedisTaskQueue

    return RedisTaskQueue(stores.broker_url, prefix=stores.redis_key_prefix, origin=origin)


def secret_store(settings: SecretSettings, transactions: Transactions) -> SecretStore:
    """Where the settings say that secrets are kept. Raises SecretsOff."""
    if settings.keeper is SecretKeeper.AWS:
        from nightjar.adapters.secrets.aws import SecretsManager

        return SecretsManager(prefix=settings.prefix)
    if not settings.keys:
        raise SecretsOff
    from nightjar.adapters.secrets.encrypted_table import EncryptedTable

    return EncryptedTable(transactions, keys=settings.keys)


def archive(url: str) -> Archive:
    """The archive that ARCHIVE_URL names: s3://bucket/prefix, or a folder."""
    parts = urlsplit(url)
    if parts.scheme == "s3":
        from nightjar.adapters.archive.s3 import S3Archive

        return S3Archive(parts.netloc, parts.path.strip("/"))
    from nightjar.adapters.archive.folder import FolderArchive

    return FolderArchive(Path(url))


def _database(stores: StoreSettings, *, name: str, pool_size: int = 1, statement_seconds: int = 30) -> Database:
    return Database(stores.database_url, name=name, pool_size=pool_size, statement_seconds=statement_seconds)
