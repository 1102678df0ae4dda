"""Starts the replica as a process of its own, and speaks to it."""

from __future__ import annotations

import time
from typing import Final, cast
from urllib.parse import urlencode

from tests.doubles.process import ControlCalls, Json, ReplicaError, ReplicaProcess

__all__ = ["ControlClient", "Json", "Replica", "ReplicaError"]
_LOOK_SECONDS: Final = 0.02


class ControlClient(ControlCalls):
    """The control API as methods. Synchronous; every call has a time limit."""

    def accounts(self) -> list[Json]:
        """Every account: `login_id, password, right_password, expected_outcome, expected_login_posts, storage_state,
        stores` (what the site shows of each shop to who gets in) and a note."""
        return cast("list[Json]", self._call("GET", "/accounts"))

    def account(self, login_id: str) -> Json:
        """One of them."""
        return next(one for one in self.accounts() if one["login_id"] == login_id)

    def create_accounts(self, count: int, *, shops: int = 2, prefix: str = "many") -> list[Json]:
        """Adds ordinary accounts `PREFIX-0001` and on; returns them as `accounts` does."""
        return cast("list[Json]", self._call("POST", "/accounts", {"count": count, "shops": shops, "prefix": prefix}))

    def mode(self, login_id: str, **ways: object) -> None:
        """Changes how an account behaves; the ways are the fields of `conduct.Conduct`."""
        self._call("PUT", "/mode", {"login_id": login_id, **ways})

    def site(self, **rules: object) -> None:
        """Changes how the site treats everybody; the rules are the fields of `conduct.SiteRules`."""
        self._call("PUT", "/site", rules)

    def timing(self, **waits: object) -> None:
        """Changes the waits; the fields of `conduct.Timing`."""
        self._call("PUT", "/timing", waits)

    def counters(self, login_id: str = "") -> Json:
        """The counters of an account; without one `{"all": {...}, "accounts": {login_id: {...}}}`."""
        query = f"?{urlencode({'login_id': login_id})}" if login_id else ""
        return cast("Json", self._call("GET", f"/counters{query}"))

    def requests(self, **filters: object) -> list[Json]:
        """Requests in order of arrival whose fields equal the filters (`path_prefix` and `after_seq` too)."""
        query = urlencode({name: str(value) for name, value in filters.items()})
        return cast("list[Json]", self._call("GET", f"/requests?{query}"))

    def reset_log(self) -> None:
        """Empties log and counters."""
        self._call("POST", "/reset", {})

    def reset(self) -> None:
        """Back to the start; sessions that were open are dead."""
        self._call("POST", "/reset", {"all": True})

    def open_session(self, login_id: str) -> Json:
        """A session as if its owner had logged in, as the storage state of a browser context."""
        return cast("Json", self._call("POST", "/sessions", {"login_id": login_id}))

    def invalidate_sessions(self, login_id: str = "") -> int:
        """Ends the sessions of an account, or all; how many ended."""
        return int(cast("Json", self._call("POST", "/sessions/invalidate", {"login_id": login_id}))["ended"])

    def freeze(self, step: str, *, login_id: str = "", seconds: float = 30) -> None:
        """Lets the requests of a step hang, for at most so many seconds each; the steps are `freezer.STEPS`."""
        self._call("POST", "/freeze", {"step": step, "login_id": login_id, "seconds": seconds})

    def release(self, step: str = "") -> None:
        """Ends the freezes of a step, or all."""
        self._call("DELETE", "/freeze", {"step": step})

    def frozen(self) -> list[Json]:
        """The requests that hang now: `seq, step, path, login_id, since`."""
        return cast("list[Json]", self._call("GET", "/frozen"))

    def wait_frozen(self, step: str, *, login_id: str = "", seconds: float = 10) -> Json:
        """The first request that hangs in a step. Raises ReplicaError when none does in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for held in self.frozen():
                if held["step"] == step and login_id in ("", held["login_id"]):
                    return held
            time.sleep(_LOOK_SECONDS)
        raise ReplicaError(f"no request reached the step {step} within {seconds} s; hanging: {self.frozen()}")

    def secrets(self) -> list[str]:
        """Every password and session cookie of this run, to search dumps and logs for."""
        return cast("list[str]", self._call("GET", "/secrets"))


class Replica(ReplicaProcess):
    """The replica as a process: `with Replica() as replica:`. It also ends when the process that started it is gone."""

    def __init__(self, *arguments: str) -> None:
        super().__init__("tests.doubles.baemin", *arguments)

    @property
    def settings(self) -> dict[str, str]:
        """Environment for the product: `BAEMIN_*_URL`."""
        return {name: value for name, value in self.urls.items() if name.startswith("BAEMIN_")}

    @property
    def control(self) -> ControlClient:
        """A client of the control API."""
        return ControlClient(self.urls["CONTROL_URL"])
