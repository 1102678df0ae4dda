"""How the replica behaves: for one account, for everybody, and how fast. All of it can be set while it runs.

The names of the ways are ours. Which of them happen on the real site, and how they look there, is partly unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final, TypeVar, cast

from tests.doubles.control_port import Json

WAYS: Final[dict[str, tuple[str, ...]]] = {
    "login": (
        "ok",
        "locked",
        "captcha",
        "identity_check",
        "password_change",
        "terms",
        "blocked",
        "blocked_403",
        "error_500",
        "slow",
        "never_answers",
        "cut",
    ),
    "popups": (
        "none",
        "immediate",
        "late",
        "stacked",
        "returning",
        "only_x",
        "escape_ignored",
        "guide",
        "period_dialog",
    ),
    "select": ("full", "missing", "heading_only", "other_suffix"),
    "layout": ("known", "changed"),
    "api": ("ok", "error_500", "unauthorised_401", "forbidden_403", "limited_429", "slow", "cut", "wrong_type"),
    "rows_key": ("contents", "content"),
    "block_page": ("bridge", "403"),
    "endless": ("", "home", "manage", "reviews", "owner"),
    "endless_when": ("loaded", "parsing"),
    "login_page": ("known", "changed", "never_renders", "captcha", "maintenance", "blocked_403", "endless"),
    "logged_out": ("login", "start"),
    "bot_rule": ("off", "webdriver", "header"),
}
"""The values that a field of the three classes below may have, where it is not free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """Of one account. `api` hits the API paths that begin with `api_path` ("" is all).

    session_calls: API calls after which a session is dead, 0 for never. blocked_after: pages and API calls of a session
    after which the account is blocked, 0 for never. failing_details: shops whose detail call answers 500.
    endless: the page whose script never ends.
    """

    login: str = "ok"
    popups: str = "none"
    select: str = "full"
    layout: str = "known"
    api: str = "ok"
    api_path: str = ""
    rows_key: str = "contents"
    session_calls: int = 0
    blocked_after: int = 0
    block_page: str = "bridge"
    maintenance: bool = False
    failing_details: tuple[str, ...] = ()
    endless: str = ""
    endless_when: str = "loaded"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRules:
    """Of everybody. logged_out: where a visitor without a session is sent. bot_header: what `bot_rule=header` looks for
    in the User-Agent."""

    login_page: str = "known"
    logged_out: str = "login"
    maintenance: bool = False
    bot_rule: str = "off"
    bot_header: str = "HeadlessChrome"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Waits: pairs are the least and the most milliseconds, the rest are seconds. Defaults suit tests.

    hang: how long something that never answers holds its request, and how long an endless script runs.
    """

    form_ms: tuple[int, int] = (50, 100)
    options_ms: tuple[int, int] = (30, 120)
    late_popup_ms: tuple[int, int] = (300, 600)
    slow_login: float = 2.0
    slow_api: float = 1.5
    hang: float = 60.0


REAL_PACE: Final = Timing(
    form_ms=(300, 1500), options_ms=(200, 3000), late_popup_ms=(2000, 8000), slow_login=20.0, slow_api=8.0, hang=120.0
)
"""The waits that people measured on the real site."""

Settings = TypeVar("Settings", Conduct, SiteRules, Timing)


def changed(current: Settings, given: Json) -> Settings:
    """The settings with the given fields changed. Raises ValueError for an unknown field or value."""
    known = {item.name: getattr(current, item.name) for item in fields(current)}
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"there is no {name!r}; known: {sorted(known)}")
        if name in WAYS and value not in WAYS[name]:
            raise ValueError(f"{name} is one of {WAYS[name]}, got {value!r}")
    fitted = {name: _fitted(name, known[name], value) for name, value in given.items()}
    return replace(current, **cast("dict[str, Any]", fitted))


def _fitted(name: str, current: object, value: object) -> object:
    if isinstance(current, tuple) and isinstance(value, list):
        return tuple(value)
    numbers = isinstance(current, int | float) and not isinstance(current, bool)
    fits = isinstance(value, int | float) and not isinstance(value, bool) if numbers else type(value) is type(current)
    if not fits:
        raise ValueError(f"{name} must be like {current!r}, got {value!r}")
    return value
