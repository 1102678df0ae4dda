"""What every site for shop owners must offer, so that a further one is one folder beside the others.

A site is a small factory; an `OwnerVisit` is one crawl's use of it, on one page of a context of its own. The job that
drives it knows nothing of pages, selectors or addresses, and the site knows nothing of tasks, accounts or the database.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol, TypeAlias

from crawl_worker.engine.browser import BrowserPage
from crawl_worker.engine.site_turns import SiteTurns
from nightjar.domain.store import Field, Store, StoreSource
from nightjar.errors import Blocked, ErrorCode, GiveUp, RetryLater, TaskFailure


class Outcome(StrEnum):
    """How a step at an owner site can end. Closed: the values are those of the error codes."""

    OK = "ok"
    INVALID_CREDENTIALS = "invalid_credentials"
    ACTION_REQUIRED = "action_required"
    BLOCKED = "blocked"
    SESSION_EXPIRED = "session_expired"
    NO_STORES = "no_stores"
    LAYOUT_CHANGED = "layout_changed"
    MAINTENANCE = "maintenance"
    UPSTREAM_ERROR = "upstream_error"
    TIMEOUT = "timeout"


PASSING = frozenset({Outcome.TIMEOUT, Outcome.MAINTENANCE, Outcome.UPSTREAM_ERROR})
"""What may be over later. All else needs the owner, or a change of ours."""


class SessionExpired(GiveUp):
    """The site no longer knows us. The job logs in once, if it has not done so yet; else this is the end."""

    def __init__(self, message: str, *, details: dict[str, object] | None = None) -> None:
        super().__init__(ErrorCode.SESSION_EXPIRED, message, details=details)


class DetailUnread(Exception):
    """One store's detail cannot be read; the rest can."""


def failure(outcome: Outcome, message: str, *, surface: str = "") -> TaskFailure:
    """The error of an outcome, classed by the reaction. `surface` is the short name of what the site shows."""
    details: dict[str, object] = {"surface": surface} if surface else {}
    if outcome is Outcome.BLOCKED:
        return Blocked(message, details=details)
    if outcome is Outcome.SESSION_EXPIRED:
        return SessionExpired(message, details=details)
    reaction = RetryLater if outcome in PASSING else GiveUp
    return reaction(ErrorCode(outcome.value), message, details=details)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What an owner logs in with. Never in a repr, and so never in a log line or a trace."""

    login_id: str = field(repr=False)
    password: str = field(repr=False)


RevealCredentials: TypeAlias = Callable[[], Awaitable[Credentials]]
"""Awaited once, right before the password is sent: it writes down that a login follows, then opens the credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginOutcome:
    """What a login led to: one of the closed list, a sentence for the owner, and the short name of the screen."""

    outcome: Outcome
    message: str = ""
    surface: str = ""

    def raise_unless_ok(self) -> None:
        """Raise the error of any other outcome."""
        if self.outcome is not Outcome.OK:
            raise failure(self.outcome, self.message, surface=self.surface)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteWaits:
    """How long a site may take for what it does after a document has arrived. Each ends early when it is there."""

    form: timedelta = timedelta(seconds=20)
    """From the login page to its form: authors wait 8 to 15 s."""

    login: timedelta = timedelta(seconds=40)
    """From the button to the owner's pages: slow logins take 8 to 20 s."""

    home: timedelta = timedelta(seconds=20)
    """From the home page to its navigation."""

    stores: timedelta = timedelta(seconds=30)
    """From the navigation to the whole list: a select and up to a few pages of an API."""

    still: timedelta = timedelta(seconds=2)
    """Without any request on its way for so long, a page will not say more."""

    detail: timedelta = timedelta(seconds=12)
    """From the document of a store's page to the answer that the page asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteConfig:
    """A site's addresses (all of them can be set, so that a replica can stand in) and its limits."""

    name: str
    login_url: str
    home_url: str
    api_url: str
    waits: SiteWaits = field(default_factory=SiteWaits)
    navigation: timedelta = timedelta(seconds=30)
    """The longest that one document may take."""

    width: int = 1366
    height: int = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class RawStore:
    """A store as the site shows it. What was not read is None; nothing is made up. Coordinates are degrees (WGS84)."""

    store_id: str
    name: str
    category: str | None = None
    service_type: str | None = None
    brand: str | None = None
    address: str | None = None
    road_address: str | None = None
    lat: float | None = None
    lng: float | None = None
    phone: str | None = None
    status: str | None = None
    business_no: str | None = None
    raw_label: str | None = None
    source: StoreSource = "select"
    gone: frozenset[Field] = frozenset()
    """What the site showed to be empty, as opposed to not having shown it."""

    def as_store(self) -> Store:
        """The store in the words of the system, which are the same for all sites."""
        return Store(
            platform_store_id=self.store_id,
            store_name=self.name,
            source=self.source,
            raw_label=self.raw_label,
            business_type=self.category,
            sub_type=self.service_type,
            brand=self.brand,
            address=self.address,
            road_address=self.road_address,
            lat=self.lat,
            lng=self.lng,
            phone=self.phone,
            status=self.status,
            business_no=self.business_no,
            gone=self.gone,
        )


class OwnerVisit(Protocol):
    """One crawl's use of a site, on one page. Every method may raise Blocked, GiveUp, RetryLater or HostBusy."""

    async def restore(self) -> bool:
        """Open the home page with the cookies that the context has; whether they still hold."""

    async def open_login(self) -> bool:
        """Open the login page and wait for its form; False if the site knows us already."""

    async def log_in(self, reveal: RevealCredentials) -> LoginOutcome:
        """Send the password once and wait for two signs of success.

        `reveal` is awaited when all is ready for sending; what it raises leaves the password unsent. A block is raised
        inside the site's turn, and so is a fault that hides the outcome; what the site says is returned.
        """

    async def open_home(self) -> None:
        """Have the owner's home page before us. Raises SessionExpired."""

    async def dismiss_popups(self) -> int:
        """Close what covers the page, a bounded number of times; how many were closed."""

    async def discover_stores(self) -> tuple[RawStore, ...]:
        """All stores of the login, from the page that `open_home` opened.

        Raises:
            GiveUp: `no_stores` if the site showed a list without any, `layout_changed` if no list was recognised.
            RetryLater: the list did not come, or only a part of it.
        """

    async def enrich(self, store: RawStore) -> RawStore:
        """The store with its detail. Raises DetailUnread, which concerns this store alone."""

    async def enrich_all(self, stores: Sequence[RawStore]) -> tuple[RawStore, ...]:
        """The stores with what the site says of all stores of a login together. Raises DetailUnread."""

    async def evidence(self) -> bytes | None:
        """A picture (PNG) of what the site shows, with every input field emptied first; None if that cannot be done."""


class OwnerSite(Protocol):
    """A site for shop owners."""

    @property
    def config(self) -> SiteConfig:
        """Its addresses and limits."""

    def visit(self, page: BrowserPage, turns: SiteTurns) -> OwnerVisit:
        """Begin a crawl on a fresh page. Nothing is sent yet."""
