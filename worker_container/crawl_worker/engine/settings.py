"""How the engine behaves. Made once by the worker's wiring; nothing else in the engine reads the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

from crawl_worker.engine.egress import EgressRule
from nightjar.errors import Invalid

DEFAULT_USER_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
)
"""What a desktop reader of today sends. A plain list: no user agent is made up, none is changed after a block."""

DAY_SECONDS = 86_400

_OPENS_LOOPBACK = "PLAYWRIGHT_DISABLE_FORCED_CHROMIUM_PROXIED_LOOPBACK"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """Limits and choices of the engine. Timeouts are nested: request or navigation < page budget < task limit."""

    user_agents: tuple[str, ...] = DEFAULT_USER_AGENTS
    """One is chosen for a task and kept for it."""

    accept_language: str = "ko-KR,ko;q=0.9,en;q=0.5"
    locale: str = "ko-KR"
    timezone: str = "Asia/Seoul"

    timeout: timedelta = timedelta(seconds=30)
    """The longest one request, or one navigation, may take from the look-up of the name to the last byte."""

    connect_timeout: timedelta = timedelta(seconds=10)
    """To take one connection, TLS included."""

    silence: timedelta = timedelta(seconds=20)
    """The longest wait for the first byte of an answer, and for each further one."""

    allowed_origins: frozenset[str] = frozenset()
    """What site crawls may reach although it is not public (scheme://host:port): for tests, and for sites of one's
    own. Nothing else is opened by it."""

    max_connections: int = 100
    max_per_host: int = 10

    dns_ttl: timedelta = timedelta(seconds=300)
    """How long a checked address is used before the name is looked up again."""

    max_response_bytes: int = 8_000_000
    """Of one answer, after decompression: several times the largest result page known (about 2 MB)."""

    headless: bool = True

    chromium_path: Path | None = None
    """The browser to start; None lets the engine find an installed one."""

    block_media: bool = True
    """Images, fonts and media are not loaded: no parser reads them."""

    max_page_requests: int = 300
    """Sub-resources of one document (pictures and the like not counted); a page that asks for more is given up."""

    max_tunnel_bytes: int = 50_000_000
    """In one direction of one connection of the browser."""

    tunnel_idle: timedelta = timedelta(seconds=60)
    """A connection of the browser without a byte for so long is closed."""

    recycle_pages: int = 200
    recycle_age: timedelta = timedelta(minutes=30)
    recycle_bytes: int = 1_500_000_000
    """Memory (RSS over the process tree; shared pages count in each process) above which Chromium is renewed."""

    browser_idle: timedelta = timedelta(seconds=60)
    """Chromium is closed after so long without a visit."""

    crawl_pages: int = 4
    """Pages of site crawls that one child renders at the same time."""

    crawl_recycle_pages: int = 1000
    """As `recycle_pages`, for the Chromium of site crawls, whose pages are used again."""

    crawl_browser_idle: timedelta = timedelta(seconds=30)
    """The Chromium of site crawls is closed after so long without a page."""

    settle_limit: timedelta = timedelta(seconds=3)
    """The longest that a page which is there is waited for to become quiet."""

    close_grace: timedelta = timedelta(seconds=1)
    """What does not close in this time is killed."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Settings by their documented names; what is not set keeps its default. Raises Invalid with the name."""
        if environment.get(_OPENS_LOOPBACK):
            raise Invalid(f"{_OPENS_LOOPBACK} must not be set: it lets pages reach this machine past the egress proxy")
        read = _Reader(environment)
        defaults = cls()
        return cls(
            user_agents=read.lines("CRAWL_USER_AGENTS", defaults.user_agents),
            timeout=read.seconds("CRAWL_TIMEOUT_SECONDS", defaults.timeout),
            allowed_origins=read.origins("CRAWL_ALLOWED_ORIGINS"),
            max_connections=read.count("CRAWL_MAX_CONNECTIONS", defaults.max_connections),
            max_per_host=read.count("CRAWL_MAX_PER_HOST", defaults.max_per_host),
            dns_ttl=read.seconds("CRAWL_DNS_TTL_SECONDS", defaults.dns_ttl),
            headless=read.switch("HEADLESS_BROWSER", default=defaults.headless),
            chromium_path=read.path("CHROMIUM_PATH"),
        )


@dataclass(frozen=True, slots=True)
class _Reader:
    environment: Mapping[str, str]

    def lines(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """A list, one entry a line or separated by `|`: user agents contain commas and semicolons."""
        entries = self.environment.get(name, "").replace("|", "\n").splitlines()
        return tuple(entry.strip() for entry in entries if entry.strip()) or default

    def origins(self, name: str) -> frozenset[str]:
        """A list of scheme://host:port, separated by commas or white space."""
        listed = self.environment.get(name, "").replace(",", " ").split()
        try:
            return EgressRule(frozenset(listed)).allowed_origins
        except Invalid as error:
            raise Invalid(f"{name} must be a list of origins: {error.message}") from error

    def seconds(self, name: str, default: timedelta) -> timedelta:
        raw = self.environment.get(name, "").strip()
        if not raw:
            return default
        try:
            seconds = float(raw)
        except ValueError:
            seconds = 0
        if not 0 < seconds <= DAY_SECONDS:
            raise Invalid(f"{name} must be a number of seconds above 0 and at most {DAY_SECONDS:,}, not {raw!r}")
        return timedelta(seconds=seconds)

    def count(self, name: str, default: int) -> int:
        raw = self.environment.get(name, "").strip()
        if not raw:
            return default
        if not raw.isdecimal() or int(raw) < 1:
            raise Invalid(f"{name} must be a whole number of at least 1, not {raw!r}")
        return int(raw)

    def switch(self, name: str, *, default: bool) -> bool:
        raw = self.environment.get(name, "").strip().lower()
        if not raw:
            return default
        if raw not in {"true", "false", "1", "0", "yes", "no"}:
            raise Invalid(f"{name} must be true or false, not {raw!r}")
        return raw in {"true", "1", "yes"}

    def path(self, name: str) -> Path | None:
        raw = self.environment.get(name, "").strip()
        return Path(raw).expanduser() if raw else None
