"""The system that the demo watches: the replicas, the stack, and the fan-out function in the Lambda runtime."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from types import TracebackType
from typing import Any, Final, Self

from infra.local.demo.client import ApiError, Client
from infra.local.demo.followed import Batch, Followed, History
from infra.local.demo.plan import Night
from infra.local.demo.store_crawl import LiveStep, PlayedCrawls, play_crawls
from infra.local.demo.verdict import PlayedNight, Truth
from infra.local.events import nightly_event
from infra.local.lambda_runtime import LambdaError, LambdaRuntime
from infra.local.stack import API, Stack
from tests.doubles.baemin.replica import Replica as OwnerSiteReplica
from tests.doubles.naver.replica import Replica, ReplicaError

SETTINGS: Final = {
    "CRAWL_DELAY_SECONDS": "0.005",
    "CRAWL_RETRY_DELAY_SECONDS": "0.1",
    "CRAWL_COOLDOWN_SECONDS": "0.3",
    "CRAWL_TIMEOUT_SECONDS": "10",
    "CRAWL_BATCH_TIMEOUT": "60",
    "LEASE_SECONDS": "10",
    "JANITOR_INTERVAL_SECONDS": "0.25",
    "WORKER_CONCURRENCY": "1",
}
"""A night in a second: shorter waits, everything else as usual. Two workers with one child each fill two cores."""

WORKERS: Final = 2
DEPTHS: Final = {"place": 300, "blog": 100, "cafe": 100}
"""How many organic rows count, asked of the replica. Written here again: who judges does not ask the judged."""

_FAN_OUT: Final = "functions.nightly_fanout.app.handler"
_FAN_OUT_SECONDS: Final = 60
_LIFETIME_SECONDS: Final = 3600
_FIRST_CHECKS_SECONDS: Final = 60.0
_NIGHT_SECONDS: Final = 90.0
"""Longer than CRAWL_BATCH_TIMEOUT: a night that hangs is closed by the janitor, and judged."""
_LOOK_SECONDS: Final = 0.05
_TAIL_LINES: Final = 12


class PlayError(Exception):
    """The demo cannot go on; the message says why and ends with the last lines of the log that tells more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What is followed, and what the replica showed at the first check of each."""

    followed: tuple[Followed, ...]
    truths: Mapping[tuple[int, date], Truth]
    last_day: date

    def keywords(self) -> dict[str, list[str]]:
        """The followed keywords by rank type."""
        found: dict[str, set[str]] = {}
        for item in self.followed:
            found.setdefault(item.rank_type, set()).add(item.keyword)
        return {rank_type: sorted(words) for rank_type, words in found.items()}


class DemoSystem:
    """Replicas, stack and function as one thing that starts and stops. Use it as a context manager.

    Entering may raise ReplicaError, StartError, InUseError and LambdaError; the methods raise PlayError.
    """

    def __init__(self, *, seed: int) -> None:
        self.replica = Replica("--seed", str(seed))
        self.owner_site = OwnerSiteReplica()
        self.owner_key = ""
        self._exits = ExitStack()
        self._stack: Stack | None = None
        self._failure: str | None = None

    def __enter__(self) -> Self:
        """Start everything, and issue the key of the owner who will follow the targets."""
        try:
            self._exits.enter_context(self.replica)
            self._exits.enter_context(self.owner_site)
            sites = {**self.replica.settings, **self.owner_site.settings}
            stack = Stack({**sites, **SETTINGS}, workers=WORKERS, interactive_worker=False)
            self._stack = self._exits.enter_context(stack)
            threading.Thread(target=self._note_failure, name="demo-watch", daemon=True).start()
            self._operator = self._exits.enter_context(Client(stack.api_url, stack.api_key))
            with self._explained():
                self.owner_key = self._operator.issue_key("demo")
            self._owner = self._exits.enter_context(Client(stack.api_url, self.owner_key))
            runtime = LambdaRuntime(_FAN_OUT, stack.env, timeout_s=_FAN_OUT_SECONDS, lifetime_s=_LIFETIME_SECONDS)
            self._fan_out = self._exits.enter_context(runtime)
        except BaseException:
            self._exits.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything in reverse order."""
        self._exits.close()

    @property
    def stack(self) -> Stack:
        """The running stack. Raises LookupError before it runs."""
        if self._stack is None:
            raise LookupError("the stack of the demo has not been started")
        return self._stack

    def register(self) -> Registered:
        """Follow all trackings of the replica's scenario, over the API, and wait until their first checks are over."""
        with self._explained():
            wanted = self.replica.control.scenario()["trackings"]
            followed = tuple(self._owner.register(**item) for item in wanted)
            self._await(lambda: not self._owner.active_tasks(), _FIRST_CHECKS_SECONDS, "the first checks did not end")
            days = {item: [day.checked_on for day in self._owner.history(item).days] for item in followed}
            pairs = [(item, day) for item in followed for day in days[item]]
            truths = self._truths(pairs)
            if not pairs:
                raise PlayError(self._with_logs("no first check left a row", ["worker-1"]))
        return Registered(followed=followed, truths=truths, last_day=max(day for _, day in pairs))

    def crawl_stores(self, *, head: Callable[[str], None], tell: Callable[[LiveStep], None]) -> PlayedCrawls:
        """Crawl an owner's stores, then once more and cancel. `head` and `tell` are told what happens, as it does."""
        with self._explained(site="Baemin"):
            return play_crawls(self._owner, self.owner_site.control, head=head, tell=tell)

    def play(self, night: Night, followed: Sequence[Followed]) -> PlayedNight:
        """One night: the site as planned, the event, the batch to its end, and what the site really showed."""
        started = time.monotonic()
        with self._explained():
            self._set_scene(night)
            event = nightly_event(night.day)
            answers = tuple(self._deliver(event) for _ in range(night.deliveries))
            batch = self._finished(int(str(answers[0]["batch_id"])), night)
            truths = self._truths([(item, night.day) for item in followed])
            met = sum(int(fault["met"]) for fault in self.replica.control.faults())
        return PlayedNight(
            night=night,
            batch=batch,
            searches=int(str(answers[0]["checks"])),
            opened=sum(answer["new"] is True for answer in answers),
            trouble_met=met,
            truths=truths,
            seconds=time.monotonic() - started,
        )

    def histories(self, followed: Sequence[Followed]) -> list[History]:
        """The history of each tracking, from the API."""
        with self._explained():
            return [self._owner.history(item) for item in followed]

    def nightly_batches(self) -> list[Batch]:
        """All nightly batches that there are."""
        with self._explained():
            return [batch for batch in self._operator.batches() if batch.kind == "nightly"]

    def history_csv(self, followed: Sequence[Followed]) -> str:
        """All histories as the API exports them, under one header."""
        with self._explained():
            files = [self._owner.history_csv(item) for item in followed]
        return "".join(text if number == 0 else text.partition("\n")[2] for number, text in enumerate(files))

    def _set_scene(self, night: Night) -> None:
        control = self.replica.control
        control.clear_faults()
        control.set_day(night.day)
        control.design(night.design)
        control.options(place_start="ignored" if night.needs_browser else "honoured")
        if night.trouble is not None:
            where = {"keyword": night.keyword} if night.keyword else {}
            control.fault(night.trouble.fault, site=night.trouble.site, **where, **night.trouble.conditions)

    def _deliver(self, event: Mapping[str, object]) -> Mapping[str, object]:
        answer = self._fan_out.invoke(event)
        if not isinstance(answer, dict):
            raise PlayError(f"the fan-out function answered {answer!r}, which is no summary of a night")
        return answer

    def _finished(self, batch_id: int, night: Night) -> Batch:
        self._await(
            lambda: self._operator.batch(batch_id).is_finished,
            _NIGHT_SECONDS,
            f"batch {batch_id} of night {night.number} ({night.day}) did not end",
        )
        return self._operator.batch(batch_id)

    def _truths(self, pairs: Sequence[tuple[Followed, date]]) -> dict[tuple[int, date], Truth]:
        answers = self.replica.control.truths([_question(item, day) for item, day in pairs])
        return {(item.id, day): Truth.from_json(answer) for (item, day), answer in zip(pairs, answers, strict=True)}

    def _await(self, condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
        """Look until the condition holds. Raises PlayError after `seconds`, or when the stack has given up."""
        deadline = time.monotonic() + seconds
        while not condition():
            if self._failure is not None:
                name = self._failure.split()[0]
                raise PlayError(self._with_logs(self._failure, [name] if name in self.stack.logs else []))
            if time.monotonic() > deadline:
                raise PlayError(self._with_logs(f"{otherwise} within {seconds:g} s", self._suspects()))
            time.sleep(_LOOK_SECONDS)

    def _note_failure(self) -> None:
        self._failure = self.stack.wait()

    def _suspects(self) -> list[str]:
        """The processes that are down, else the first worker: it has something to say about every check."""
        dead = [name for name in self.stack.logs if self.stack.process(name).has_died]
        return dead or ["worker-1"]

    @contextmanager
    def _explained(self, site: str = "Naver") -> Iterator[None]:
        """Turn the failure of a part into a PlayError that shows the part's log."""
        try:
            yield
        except ApiError as error:
            raise PlayError(self._with_logs(str(error), [API])) from error
        except LambdaError as error:
            raise PlayError(f"{error}\n{_tail('nightly_fanout', self._fan_out.log)}") from error
        except (ReplicaError, OSError) as error:
            raise PlayError(f"the replica of {site} does not play along: {error}") from error

    def _with_logs(self, message: str, names: Sequence[str]) -> str:
        tails = [_tail(name, self.stack.logs[name].read_text(errors="replace")) for name in names]
        return "\n".join((message, *tails))


def first_night(registered: Registered) -> date:
    """The day after the last first check: histories grow in the order of days, as in life."""
    return registered.last_day + timedelta(days=1)


def _question(item: Followed, day: date) -> dict[str, Any]:
    return {
        "rank_type": item.rank_type,
        "keyword": item.keyword,
        "target": item.target_key,
        "day": day.isoformat(),
        "device": item.device,
        "vertical": item.vertical,
        "depth": DEPTHS[item.rank_type],
    }


def _tail(name: str, text: str) -> str:
    lines = text.splitlines()[-_TAIL_LINES:]
    return f"the log of {name} ends with:" + "".join(f"\n    {line}" for line in lines)
