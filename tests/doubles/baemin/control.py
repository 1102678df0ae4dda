"""The control API: what a test or the demo says to the replica."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, cast

from aiohttp import web

from tests.doubles.baemin.conduct import changed
from tests.doubles.baemin.exchange import SITES
from tests.doubles.baemin.sessions import storage_state
from tests.doubles.control_port import Action, Json, answer_control

if TYPE_CHECKING:
    from tests.doubles.baemin.stage import Stage


class Control:
    """Routes of the control port."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._actions: dict[tuple[str, str], Action] = {
            ("GET", "/settings"): lambda _: self.settings(),
            ("GET", "/accounts"): lambda _: [stage.describe(one) for one in stage.accounts.values()],
            ("POST", "/accounts"): self._create,
            ("PUT", "/mode"): self._put_mode,
            ("GET", "/site"): lambda _: asdict(stage.rules),
            ("PUT", "/site"): self._put_site,
            ("GET", "/timing"): lambda _: asdict(stage.timing),
            ("PUT", "/timing"): self._put_timing,
            ("GET", "/counters"): self._counters,
            ("GET", "/requests"): lambda given: stage.log.select(cast("dict[str, str]", given)),
            ("POST", "/reset"): self._reset,
            ("POST", "/sessions"): self._open_session,
            ("POST", "/sessions/invalidate"): self._invalidate,
            ("GET", "/freeze"): lambda _: stage.freezer.as_json(),
            ("POST", "/freeze"): stage.freezer.freeze,
            ("DELETE", "/freeze"): lambda given: {"released": stage.freezer.release(str(given.get("step", "")))},
            ("GET", "/frozen"): lambda _: stage.freezer.held(),
            ("GET", "/secrets"): lambda _: self._secrets(),
        }

    def settings(self) -> dict[str, str]:
        """Environment of the product: base URLs of the replica, and the control URL."""
        urls = {name: self._stage.urls[site] for site, name in SITES.items()}
        return urls | {"CONTROL_URL": self._stage.urls["control"]}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers one control request."""
        return await answer_control(request, self._actions)

    def _create(self, given: Json) -> list[Json]:
        return self._stage.create(str(given.get("prefix", "many")), int(given["count"]), int(given.get("shops", 2)))

    def _put_mode(self, given: Json) -> Json:
        login_id = self._known(given)
        self._stage.set_conduct(login_id, {name: value for name, value in given.items() if name != "login_id"})
        return asdict(self._stage.conduct(login_id))

    def _put_site(self, given: Json) -> Json:
        self._stage.rules = changed(self._stage.rules, given)
        return asdict(self._stage.rules)

    def _put_timing(self, given: Json) -> Json:
        self._stage.timing = changed(self._stage.timing, given)
        return asdict(self._stage.timing)

    def _counters(self, given: Json) -> Json:
        """All counters, or with `login_id` those of one account."""
        return self._stage.counters.of(self._known(given)) if given else self._stage.counters.as_json()

    def _reset(self, given: Json) -> None:
        """Empties log and counters; with {"all": true} everything goes back to the start."""
        if given.get("all"):
            self._stage.start_over()
        else:
            self._stage.forget_requests()

    def _open_session(self, given: Json) -> Json:
        """A session as if its owner had logged in: the storage state of a browser context."""
        return storage_state(self._stage.sessions.open(self._known(given)))

    def _invalidate(self, given: Json) -> Json:
        login_id = self._known(given) if given.get("login_id") else ""
        return {"ended": self._stage.sessions.invalidate(login_id)}

    def _secrets(self) -> list[str]:
        """Every password and every session cookie of this run: none may be found anywhere else."""
        return [*sorted(self._stage.passwords), *self._stage.sessions.tokens()]

    def _known(self, given: Json) -> str:
        login_id = str(given["login_id"])
        if login_id not in self._stage.accounts:
            raise ValueError(f"there is no account {login_id!r}; known: {sorted(self._stage.accounts)}")
        return login_id
