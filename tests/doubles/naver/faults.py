"""Faults that a test sets: which requests they meet, how often, and what is answered instead."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Final, cast

from tests.doubles.naver import blocks
from tests.doubles.naver.exchange import SITES, Ask, Scene
from tests.doubles.naver.scenario import Json
from tests.doubles.reply import Reply

FAULTS: Final = frozenset(
    {
        *("S403", "S200", "EMPTY", "SHORT", "P429", "P200", "G405", "GERR", "CE", "LOGIN"),
        *("SLOW", "RESET", "500", "502", "503", "TRUNCATED", "GARBAGE"),
    }
)
"""What each looks like is told in the README."""


class FaultError(ValueError):
    """The fault is not usable; the message says what is accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault and the requests it meets. Every condition that is set must hold.

    site: a site name or `*`. day: YYYY-MM-DD of the replica's day. step: load of a list, 1 is the first page. kind:
    page, xhr or static. cookie_age: the NNB cookie is at least so many seconds old. after: so many matching requests
    pass first. limit: so many are hit, then the fault is spent (0: no limit).
    delay: seconds of SLOW. retry_after: seconds, for P429 and 5xx. drops_next: SHORT also ends the list there.
    partial: RESET sends headers and half of the body first.
    """

    id: str
    site: str = "*"
    keyword: str = ""
    day: str = ""
    step: int = 0
    kind: str = ""
    path_prefix: str = ""
    user_agent: str = ""
    cookie_age: float | None = None
    after: int = 0
    limit: int = 0
    delay: float = 60.0
    retry_after: int | None = None
    drops_next: bool = False
    partial: bool = False

    @staticmethod
    def from_json(document: Json) -> Fault:
        """Builds a fault. Raises FaultError for unknown ids, sites and fields."""
        known = {item.name for item in fields(Fault)}
        if not isinstance(document, dict) or set(document) - known:
            raise FaultError(f"a fault has the fields {sorted(known)}, got {document!r:.200}")
        if document.get("id") not in FAULTS:
            raise FaultError(f"fault id must be one of {sorted(FAULTS)}, got {document.get('id')!r}")
        if document.get("site", "*") not in {"*", *SITES}:
            raise FaultError(f"site must be * or one of {sorted(SITES)}, got {document.get('site')!r}")
        return Fault(**cast("dict[str, Any]", document))

    def meets(self, ask: Ask, day: str) -> bool:
        """Whether the request is one that this fault is about."""
        return (
            self.site in ("*", ask.site)
            and (not self.keyword or self.keyword == ask.keyword)
            and (not self.day or self.day == day)
            and (not self.step or self.step == ask.step)
            and (not self.kind or self.kind == ask.kind)
            and ask.path.startswith(self.path_prefix)
            and self.user_agent in ask.user_agent
            and (self.cookie_age is None or cookie_age(ask) >= self.cookie_age)
        )


class FaultBoard:
    """The faults that are set, and how often each was met. The one set last is asked first."""

    def __init__(self) -> None:
        self._faults: list[tuple[Fault, list[int]]] = []

    def add(self, fault: Fault) -> None:
        """Sets a fault."""
        self._faults.insert(0, (fault, [0]))

    def clear(self) -> None:
        """Removes all faults."""
        self._faults.clear()

    def as_json(self) -> list[Json]:
        """All faults with the number of requests that matched."""
        return [
            {"id": fault.id, "site": fault.site, "keyword": fault.keyword, "met": met[0]} for fault, met in self._faults
        ]

    def match(self, ask: Ask, day: str) -> Fault | None:
        """The fault that hits this request, counting it; None where the usual reply is due."""
        for fault, met in self._faults:
            if not fault.meets(ask, day):
                continue
            met[0] += 1
            if fault.after < met[0] and (not fault.limit or met[0] <= fault.after + fault.limit):
                return fault
        return None


@dataclass(frozen=True, slots=True)
class Situation:
    """What a fault may use to make its reply. `usual` is what would have been sent."""

    fault: Fault
    ask: Ask
    scene: Scene
    client: str
    usual: Reply


def replacement(situation: Situation) -> Reply:
    """The reply of a fault; of SHORT and SLOW it is the usual one, which the caller has made accordingly."""
    make = _REPLIES.get(situation.fault.id)
    return make(situation) if make else situation.usual


def _truncated(situation: Situation) -> Reply:
    return replace(situation.usual, body=situation.usual.body[: len(situation.usual.body) * 3 // 5])


def _reset(situation: Situation) -> Reply:
    body = situation.usual.body
    return replace(situation.usual, drop_after=len(body) // 2 if situation.fault.partial else 0)


def _garbage(situation: Situation) -> Reply:
    return blocks.garbage(situation.ask, was_json=situation.usual.content_type.startswith("application/json"))


_REPLIES: Final[dict[str, Callable[[Situation], Reply]]] = {
    "S403": lambda it: blocks.search_limited(it.client, 403),
    "S200": lambda it: blocks.search_limited(it.client, 200),
    "P429": lambda it: blocks.place_limited(it.client, 429, it.fault.retry_after),
    "P200": lambda it: blocks.place_limited(it.client, 200, it.fault.retry_after),
    "EMPTY": lambda it: Reply(content_type=it.usual.content_type),
    "G405": lambda _: blocks.graphql_captcha(),
    "GERR": lambda _: blocks.graphql_errors(),
    "CE": lambda _: blocks.map_captcha(),
    "LOGIN": lambda it: blocks.login(it.scene.urls["nid"], it.scene.urls[it.ask.site]),
    "500": lambda it: blocks.server_error(500, it.fault.retry_after),
    "502": lambda it: blocks.server_error(502, it.fault.retry_after),
    "503": lambda it: blocks.server_error(503, it.fault.retry_after),
    "TRUNCATED": _truncated,
    "RESET": _reset,
    "GARBAGE": _garbage,
}


def new_cookie() -> str:
    """A value of the NNB cookie that tells when it was given (invented)."""
    return f"RPL{int(time.time() * 1000):X}"


def cookie_age(ask: Ask) -> float:
    """Seconds since the NNB cookie of the request was given; -1 without one."""
    for part in ask.headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == "NNB" and value.startswith("RPL"):
            return time.time() - int(value[3:], 16) / 1000
    return -1.0
