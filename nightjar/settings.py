"""Settings from the environment: typed, one class a process, checked at its start, read only where things are wired."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlsplit

from nightjar.domain.kst import NightSchedule
from nightjar.domain.tracking import RankType, Source
from nightjar.domain.web_address import WebAddress
from nightjar.errors import NightjarError

T = TypeVar("T")
Number = TypeVar("Number", int, float)

Environment = Mapping[str, str]


LIVE_DATABASE = 1
"""Of Redis: 0 is the broker's, 1 holds live progress, 2 results. Pub/sub knows no databases."""


KEY_BYTES = 32
"""Of a key that encrypts secrets."""


class BadSettings(NightjarError):
    """The environment holds values that Nightjar cannot work with."""


class Reader:
    """Reads an environment and collects all that is wrong with it, so that it is told at once."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._faults: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        """A string; without a default it must be set."""
        value = self._environment.get(name, "") or default
        if value is None:
            self._faults.append(f"{name} is not set")
            return ""
        return value

    def integer(self, name: str, default: int, *, minimum: int = 0) -> int:
        """A whole number of at least `minimum`."""
        return self._parsed(name, default, lambda raw: _at_least(int(raw), minimum), f"a whole number >= {minimum}")

    def integer_up_to(self, name: str, default: int, maximum: int) -> int:
        """A whole number from 0 to `maximum`."""
        numbers = {str(number): number for number in range(maximum + 1)}
        return self._parsed(name, default, lambda raw: numbers[raw.lstrip("0") or "0"], f"one of 0 to {maximum}")

    def seconds(self, name: str, default: float) -> timedelta:
        """A length of time, given in seconds; fractions are allowed."""
        return self._parsed(
            name, timedelta(seconds=default), lambda raw: timedelta(seconds=_at_least(float(raw), 0)), "seconds >= 0"
        )

    def choice(self, name: str, default: T, choices: Mapping[str, T]) -> T:
        """One of a few words."""
        return self._parsed(name, default, lambda raw: choices[raw.lower()], "one of " + ", ".join(choices))

    def keys(self, name: str) -> tuple[str, ...]:
        """Keys of 32 bytes in URL-safe base64, separated by commas. A wrong one is never repeated in the fault."""
        keys = tuple(key.strip() for key in self._environment.get(name, "").split(",") if key.strip())
        if not all(_is_key(key) for key in keys):
            self._faults.append(f"{name} is not a key of 32 bytes in URL-safe base64, or several after commas")
        return keys

    def origins(self, name: str) -> frozenset[str]:
        """A list of scheme://host:port, separated by commas or white space; the port may be left out."""
        listed = self._environment.get(name, "").replace(",", " ").split()
        return self._parsed(
            name,
            frozenset(),
            lambda _raw: frozenset(WebAddress.of(one.lower()).origin for one in listed),
            "a list of origins (scheme://host:port)",
        )

    def done(self) -> None:
        """Raise BadSettings if anything was wrong."""
        if self._faults:
            raise BadSettings("; ".join(self._faults))

    def _parsed(self, name: str, default: T, parse: Callable[[str], T], accepted: str) -> T:
        raw = self._environment.get(name, "").strip()
        if not raw:
            return default
        try:
            return parse(raw)
        except (ValueError, KeyError, OverflowError):
            self._faults.append(f"{name}={raw!r} is not {accepted}")
            return default


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, altchars=b"-_", validate=True)) == KEY_BYTES
    except ValueError:
        return False


def _at_least(value: Number, minimum: int) -> Number:
    if not minimum <= value < float("inf"):
        raise ValueError(value)
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where the truth, the broker and live progress are; every process needs them. Addresses hold passwords."""

    database_url: str
    broker_url: str
    live_url: str
    redis_key_prefix: str
    log_level: str
    publish_window: int


class SecretKeeper(StrEnum):
    """Where credentials and sessions are kept."""

    TABLE = "table"
    AWS = "aws"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSettings:
    """How secrets are kept: in our encrypted table, which needs `keys`, or in AWS under names with `prefix`."""

    keeper: SecretKeeper
    keys: tuple[str, ...] = field(repr=False)
    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSettings:
    """Where the graphs of crawls are pushed to."""

    database_url: str
    neo4j_url: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankSettings:
    """How ranks are measured, and how politely. Depths count organic rows."""

    depths: Mapping[RankType, int]
    sources: Mapping[RankType, Source]
    delay: timedelta
    batch_timeout: timedelta
    retry_delay: timedelta
    cooldown: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """The API."""

    stores: StoreSettings
    ranks: RankSettings
    secrets: SecretSettings
    naver_short_url: str
    bootstrap_api_key: str
    open_origins: frozenset[str]
    """What site crawls may reach although it is not public (scheme://host:port)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOutSettings:
    """The nightly fan-out."""

    stores: StoreSettings
    ranks: RankSettings
    schedule: NightSchedule


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveUpdatesSettings:
    """The function behind the WebSocket API; without `endpoint` its events say where the connections are."""

    stores: StoreSettings
    endpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JanitorSettings:
    """The janitor."""

    stores: StoreSettings
    interval: timedelta
    lease: timedelta
    catches_up: bool
    """Whether its loop opens a night that nobody else has opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """A worker, its children and Beat."""

    stores: StoreSettings
    ranks: RankSettings
    secrets: SecretSettings
    lease: timedelta
    queues: str
    concurrency: int
    prefetch_multiplier: int
    max_tasks_per_child: int
    soft_time_limit: timedelta
    hard_time_limit: timedelta
    visibility_timeout: int
    result_backend: str
    result_expires: int
    schedule: NightSchedule
    archive_url: str
    live_endpoint: str


def api_settings(environment: Environment) -> ApiSettings:
    """What the API needs. Raises BadSettings."""
    reader = Reader(environment)
    settings = ApiSettings(
        stores=_stores(reader),
        ranks=_ranks(reader),
        secrets=_secrets(reader),
        naver_short_url=reader.text("NAVER_SHORT_URL", "https://naver.me"),
        bootstrap_api_key=reader.text("NIGHTJAR_BOOTSTRAP_API_KEY", ""),
        open_origins=reader.origins("CRAWL_ALLOWED_ORIGINS"),
    )
    reader.done()
    return settings


def fan_out_settings(environment: Environment) -> FanOutSettings:
    """What the nightly fan-out needs. Raises BadSettings."""
    reader = Reader(environment)
    settings = FanOutSettings(stores=_stores(reader), ranks=_ranks(reader), schedule=_schedule(reader))
    reader.done()
    return settings


def live_updates_settings(environment: Environment) -> LiveUpdatesSettings:
    """What the function behind the WebSocket API needs. Raises BadSettings."""
    reader = Reader(environment)
    settings = LiveUpdatesSettings(stores=_stores(reader), endpoint=reader.text("LIVE_ENDPOINT", ""))
    reader.done()
    return settings


def janitor_settings(environment: Environment) -> JanitorSettings:
    """What the janitor needs. Raises BadSettings."""
    reader = Reader(environment)
    settings = JanitorSettings(
        stores=_stores(reader),
        interval=reader.seconds("JANITOR_INTERVAL_SECONDS", 60),
        lease=reader.seconds("LEASE_SECONDS", 60),
        catches_up=reader.choice("NIGHTJAR_CATCH_UP_NIGHT", default=False, choices={"true": True, "false": False}),
    )
    reader.done()
    return settings


def graph_settings(environment: Environment) -> GraphSettings:
    """What pushing a graph needs. Raises BadSettings."""
    reader = Reader(environment)
    settings = GraphSettings(
        database_url=reader.text("DATABASE_URL"),
        neo4j_url=reader.text("NEO4J_URL"),
        username=reader.text("NEO4J_USERNAME"),
        password=reader.text("NEO4J_PASSWORD"),
    )
    reader.done()
    return settings


def worker_settings(environment: Environment, *, cores: int) -> WorkerSettings:
    """What a worker needs; `cores` is the default number of children. Raises BadSettings."""
    reader = Reader(environment)
    settings = WorkerSettings(
        stores=_stores(reader),
        ranks=_ranks(reader),
        secrets=_secrets(reader),
        lease=reader.seconds("LEASE_SECONDS", 60),
        queues=reader.text("WORKER_QUEUES", ""),
        concurrency=reader.integer("WORKER_CONCURRENCY", cores, minimum=1),
        prefetch_multiplier=reader.integer("WORKER_PREFETCH_MULTIPLIER", 1, minimum=1),
        max_tasks_per_child=reader.integer("WORKER_MAX_TASKS_PER_CHILD", 100, minimum=1),
        soft_time_limit=reader.seconds("TASK_SOFT_TIME_LIMIT", 600),
        hard_time_limit=reader.seconds("TASK_TIME_LIMIT", 660),
        visibility_timeout=reader.integer("BROKER_VISIBILITY_TIMEOUT", 900, minimum=1),
        result_backend=reader.text("CELERY_RESULT_BACKEND", ""),
        result_expires=reader.integer("RESULT_EXPIRES", 3600, minimum=1),
        schedule=_schedule(reader),
        archive_url=reader.text("ARCHIVE_URL", ".nightjar/archive"),
        live_endpoint=reader.text("LIVE_ENDPOINT", ""),
    )
    reader.done()
    return settings


def _stores(reader: Reader) -> StoreSettings:
    redis_url = reader.text("REDIS_URL", "redis://127.0.0.1:6379/0")
    return StoreSettings(
        database_url=reader.text("DATABASE_URL"),
        broker_url=reader.text("CELERY_BROKER_URL", redis_url),
        live_url=urlsplit(redis_url)._replace(path=f"/{LIVE_DATABASE}").geturl(),
        redis_key_prefix=reader.text("REDIS_KEY_PREFIX", ""),
        log_level=reader.text("LOG_LEVEL", "INFO").upper(),
        publish_window=reader.integer("PUBLISH_WINDOW", 20_000, minimum=1),
    )


def _secrets(reader: Reader) -> SecretSettings:
    return SecretSettings(
        keeper=reader.choice("SECRET_STORE", SecretKeeper.TABLE, {str(keeper): keeper for keeper in SecretKeeper}),
        keys=reader.keys("SECRETS_KEY"),
        prefix=reader.text("SECRETS_PREFIX", "nightjar/"),
    )


def _schedule(reader: Reader) -> NightSchedule:
    return NightSchedule(
        hour=reader.integer_up_to("CRAWL_SCHEDULE_HOUR", 1, 23),
        minute=reader.integer_up_to("CRAWL_SCHEDULE_MINUTE", 0, 59),
    )


def _ranks(reader: Reader) -> RankSettings:
    has_keys = bool(reader.text("NAVER_API_KEY_ID", "") and reader.text("NAVER_API_KEY", ""))
    by_default = Source.API if has_keys else Source.OFF
    sources = {str(source): source for source in Source}
    pages_only = {str(source): source for source in (Source.PAGE, Source.OFF)}
    return RankSettings(
        depths={
            RankType.PLACE: reader.integer("RANK_DEPTH_PLACE", 300, minimum=1),
            RankType.BLOG: reader.integer("RANK_DEPTH_BLOG", 100, minimum=1),
            RankType.CAFE: reader.integer("RANK_DEPTH_CAFE", 100, minimum=1),
        },
        sources={
            RankType.PLACE: reader.choice("NAVER_PLACE_SOURCE", Source.OFF, pages_only),
            RankType.BLOG: reader.choice("NAVER_BLOG_SOURCE", by_default, sources),
            RankType.CAFE: reader.choice("NAVER_CAFE_SOURCE", by_default, sources),
        },
        delay=reader.seconds("CRAWL_DELAY_SECONDS", 2),
        batch_timeout=reader.seconds("CRAWL_BATCH_TIMEOUT", 3600),
        retry_delay=reader.seconds("CRAWL_RETRY_DELAY_SECONDS", 60),
        cooldown=reader.seconds("CRAWL_COOLDOWN_SECONDS", 300),
    )
