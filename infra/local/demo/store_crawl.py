"""An owner's stores, read from the replica of Baemin: one crawl to its end, and one that is cancelled on the way.

Both are watched over the WebSocket as an owner's page would watch them. What is stored is held against what the site
shows to that owner.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final, Protocol, Self

ACCOUNT: Final = "ok-4-brands"
"""Four brands in one kitchen, and three popups in the way."""

FROZEN_STEP: Final = "detail"
"""Where the replica lets the second crawl hang: it stands at `extraction` then."""

MOST_CANCEL_SECONDS: Final = 2.0
"""From the request to the end of the task. A second is the promise, the other is for a busy machine."""

FROZEN_SECONDS: Final = 60.0
COMPLETED, CANCELLED = "completed", "cancelled"

PERCENT: Final[Mapping[str, int]] = {
    "initialization": 0, "authentication": 10, "browser_init": 20, "login_page": 30, "login_submit": 40,
    "navigation": 50, "extraction": 60, "parsing": 70, "saving": 80, "completed": 100,
}  # fmt: skip
"""Written here again: who judges does not ask the judged."""

SHOWN_AS: Final[Mapping[str, str]] = {
    "store_name": "store_name", "business_type": "category", "sub_type": "service_type", "raw_label": "raw_label",
    "road_address": "road_address", "lat": "lat", "lng": "lng", "phone": "phone", "status": "status",
    "business_no": "business_no",
}  # fmt: skip
"""The fields of a stored store, and what the replica's truth calls them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStep:
    """One message of the live stream. `message` says what is done, or why it failed."""

    epoch: str
    seq: int
    status: str
    step: str
    percent: int
    message: str

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """The message as it came over the WebSocket."""
        error = told.get("error") or {}
        return cls(
            epoch=told["epoch"],
            seq=told["seq"],
            status=told["status"],
            step=told["step"] or "",
            percent=told["progress"],
            message=error.get("message") or told["message"] or "",
        )

    @property
    def is_running(self) -> bool:
        """Whether more follows."""
        return self.status in {"pending", "in_progress"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Crawl:
    """One crawl as it was watched, and how its task stands after everything else was done."""

    steps: tuple[LiveStep, ...]
    status_later: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedCrawls:
    """Both crawls. `stores` is what the API gives, `shown` what the site shows, `login_posts` counted by the site."""

    first: Crawl
    cancelled: Crawl
    cancel_seconds: float
    stores: tuple[Mapping[str, Any], ...]
    shown: tuple[Mapping[str, Any], ...]
    login_posts: int
    differences: tuple[str, ...] = ()


class OwnersApi(Protocol):
    """What the owner of the stores asks of the API."""

    def add_account(self, login_id: str, password: str) -> str:
        """Give the credentials; the id of the account."""

    def start_crawl(self, account_id: str) -> str:
        """Start to read the stores; the id of the task."""

    def cancel_crawl(self, task_id: str) -> None:
        """Ask a crawl to stop."""

    def watch(self, task_id: str) -> Iterator[LiveStep]:
        """What is told of a task, until the server ends the connection after its end."""

    def task_status(self, task_id: str) -> str:
        """How a task stands."""

    def stores(self) -> list[Mapping[str, Any]]:
        """All stores of the owner."""


class OwnerSite(Protocol):
    """What the replica is told and asked."""

    def account(self, login_id: str) -> dict[str, Any]:
        """An account: its password, and what the site shows of its stores."""

    def freeze(self, step: str, *, login_id: str = "", seconds: float = 30) -> None:
        """Let the requests of a step hang."""

    def wait_frozen(self, step: str, *, login_id: str = "", seconds: float = 10) -> dict[str, Any]:
        """Wait until a request hangs."""

    def release(self, step: str = "") -> None:
        """Let them go."""

    def counters(self, login_id: str = "") -> dict[str, Any]:
        """What the site has counted."""


def play_crawls(
    api: OwnersApi, site: OwnerSite, *, head: Callable[[str], None], tell: Callable[[LiveStep], None]
) -> PlayedCrawls:
    """Add the account, crawl it, start once more and cancel. `head` and `tell` are told what happens, as it does."""
    account = site.account(ACCOUNT)
    account_id = api.add_account(ACCOUNT, account["password"])
    head("an owner's stores at Baemin, as the WebSocket tells it")
    task_id = api.start_crawl(account_id)
    steps = _watched(api, task_id, tell)
    stores = api.stores()
    head("the same again with the saved session; the site lets it hang, the owner cancels")
    cancelled_id = api.start_crawl(account_id)
    cancelled, seconds = _cancelled(api, site, cancelled_id, tell)
    after = api.stores()
    played = PlayedCrawls(
        first=Crawl(steps=steps, status_later=api.task_status(task_id)),
        cancelled=Crawl(steps=cancelled, status_later=api.task_status(cancelled_id)),
        cancel_seconds=seconds,
        stores=tuple(stores),
        shown=tuple(account["stores"]),
        login_posts=int(site.counters(ACCOUNT)["login_posts"]),
    )
    return judged(played, after)


def judged(played: PlayedCrawls, after: Sequence[Mapping[str, Any]]) -> PlayedCrawls:
    """The same with everything that is not as it must be; `after` are the stores after the cancelled crawl."""
    differences = [
        *_in_stream("the first crawl", played.first, COMPLETED),
        *_in_stream("the second crawl", played.cancelled, CANCELLED),
        *_in_stores(played),
    ]
    if played.first.steps and played.first.steps[-1].percent != PERCENT[COMPLETED]:
        differences.append(f"the first crawl ended at {played.first.steps[-1].percent} percent")
    if played.login_posts != 1:
        differences.append(f"the site was sent {played.login_posts} logins, one was needed")
    if played.cancel_seconds > MOST_CANCEL_SECONDS:
        differences.append(f"the cancelled crawl ended after {played.cancel_seconds:.1f} s")
    if list(after) != list(played.stores):
        differences.append("the cancelled crawl changed the stores")
    return replace(played, differences=tuple(differences))


def _watched(api: OwnersApi, task_id: str, tell: Callable[[LiveStep], None]) -> tuple[LiveStep, ...]:
    steps = []
    for step in api.watch(task_id):
        steps.append(step)
        tell(step)
    return tuple(steps)


def _cancelled(
    api: OwnersApi, site: OwnerSite, task_id: str, tell: Callable[[LiveStep], None]
) -> tuple[tuple[LiveStep, ...], float]:
    """Watch until the crawl hangs, cancel it, watch its end; and the seconds from the one to the other."""
    asked_at = 0.0

    def told(step: LiveStep) -> None:
        nonlocal asked_at
        tell(step)
        if step.is_running and step.percent >= PERCENT["extraction"] and not asked_at:
            site.wait_frozen(FROZEN_STEP, login_id=ACCOUNT)
            asked_at = time.monotonic()
            api.cancel_crawl(task_id)

    site.freeze(FROZEN_STEP, login_id=ACCOUNT, seconds=FROZEN_SECONDS)
    try:
        steps = _watched(api, task_id, told)
        return steps, time.monotonic() - asked_at
    finally:
        site.release()


def _in_stream(name: str, crawl: Crawl, wanted: str) -> Iterator[str]:
    """What is wrong with the messages of a crawl that had to end as `wanted`."""
    steps = crawl.steps
    ended = [step.status for step in steps if not step.is_running]
    if ended != [wanted] or steps[-1].is_running:
        told = ", ".join(f"{step.status} ({step.message})" for step in steps[-1:]) or "nothing"
        yield f"{name} had to end {wanted}, once and at last; the last that was told is {told}"
    if crawl.status_later != wanted:
        yield f"{name} is {crawl.status_later} later"
    for before, step in pairwise(steps):
        if (step.epoch, step.seq) != (before.epoch, before.seq + 1):
            yield f"{name}: after number {before.seq} came number {step.seq}"
        if step.is_running and step.percent < before.percent:
            yield f"{name} went back from {before.percent} to {step.percent} percent"
    for step in steps:
        if step.is_running and step.step and PERCENT.get(step.step) != step.percent:
            yield f"{name}: the step {step.step} was told with {step.percent} percent"


def _in_stores(played: PlayedCrawls) -> Iterator[str]:
    stored = {store["platform_store_id"]: store for store in played.stores}
    shown = {store["platform_store_id"]: store for store in played.shown}
    yield from (f"store {number} is not stored" for number in sorted(shown.keys() - stored.keys()))
    yield from (f"store {number} is stored, but not shown" for number in sorted(stored.keys() - shown.keys()))
    for number in sorted(stored.keys() & shown.keys()):
        for field, name in SHOWN_AS.items():
            if stored[number][field] != shown[number][name]:
                yield f"store {number}: {field} is {stored[number][field]!r}, shown is {shown[number][name]!r}"
