"""The control API: what a test or the demo says to the replica."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import date
from typing import TYPE_CHECKING, Final, cast

from aiohttp import web

from tests.doubles.control_port import Action, Json, answer_control
from tests.doubles.naver.exchange import SITES, Options
from tests.doubles.naver.faults import Fault
from tests.doubles.naver.identities import cafe
from tests.doubles.naver.pages import api
from tests.doubles.naver.rate import RateRule
from tests.doubles.naver.scenario import TRAPS, RankType, Scenario
from tests.doubles.naver.world import View

if TYPE_CHECKING:
    from tests.doubles.naver.stage import Stage

DEFAULT_DEPTHS: Final[dict[RankType, int]] = {"place": 300, "blog": 100, "cafe": 100}
_DESIGNS: Final = ("old", "new", "mutated")


class Control:
    """Routes of the control port."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._actions: dict[tuple[str, str], Action] = {
            ("GET", "/settings"): lambda _: self.settings(),
            ("GET", "/day"): lambda _: {"day": stage.day.isoformat()},
            ("PUT", "/day"): self._put_day,
            ("GET", "/faults"): lambda _: stage.faults.as_json(),
            ("POST", "/faults"): self._add_fault,
            ("DELETE", "/faults"): lambda _: stage.faults.clear(),
            ("PUT", "/design"): self._put_design,
            ("PUT", "/options"): self._put_options,
            ("PUT", "/rate-rule"): lambda given: stage.rate.set(RateRule.from_json(given)),
            ("GET", "/requests"): lambda given: stage.log.select(cast("dict[str, str]", given)),
            ("POST", "/reset"): self._reset,
            ("GET", "/scenario"): lambda _: stage.world.scenario.to_json(),
            ("PUT", "/scenario"): lambda given: stage.put_scenario(Scenario.from_json(given)),
            ("POST", "/scenario"): self._merge_scenario,
            ("GET", "/truth"): self._truth,
            ("POST", "/truth"): self._truths,
            ("GET", "/cafe"): lambda given: asdict(cafe(stage.world.seed, str(given["slug"]))),
        }

    def settings(self) -> dict[str, str]:
        """Environment of the product: base URLs of the replica and keys that its API takes, and the control URL."""
        urls = {name: self._stage.urls[site] for site, name in SITES.items()}
        keys = {"NAVER_API_KEY_ID": api.KEY_ID, "NAVER_API_KEY": api.KEY}
        return urls | keys | {"CONTROL_URL": self._stage.urls["control"]}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers one control request."""
        return await answer_control(request, self._actions)

    def _put_day(self, given: Json) -> Json:
        self._stage.fixed_day = date.fromisoformat(str(given["day"])) if given.get("day") else None
        return {"day": self._stage.day.isoformat()}

    def _add_fault(self, given: Json) -> list[Json]:
        self._stage.faults.add(Fault.from_json(given))
        return self._stage.faults.as_json()

    def _put_design(self, given: Json) -> dict[str, str]:
        site, version = given.get("site", "*"), given.get("version")
        if version not in _DESIGNS or site not in {"*", *SITES}:
            raise ValueError(f"give version {_DESIGNS} and site * or one of {sorted(SITES)}, got {given}")
        for name in SITES:
            if site in ("*", name):
                self._stage.designs[name] = str(version)
        return self._stage.designs

    def _put_options(self, given: Json) -> Json:
        known = {item.name: type(item.default) for item in fields(Options)}
        wrong = [name for name, value in given.items() if type(value) is not known.get(name)]
        if wrong:
            raise ValueError(f"options are {known}, got {given}")
        self._stage.options = Options(**given)
        self._stage.forget_pages()
        return asdict(self._stage.options)

    def _reset(self, given: Json) -> None:
        """Forgets the log; with {"all": true} also faults, designs, options, the rate rule, the day and the quota."""
        self._stage.log.clear()
        if not given.get("all"):
            return
        self._stage.faults.clear()
        self._stage.rate.set(RateRule())
        self._stage.designs = dict.fromkeys(SITES, "new")
        self._stage.options = Options()
        self._stage.quota = api.Quota()
        self._stage.fixed_day = None
        self._stage.forget_pages()

    def _merge_scenario(self, given: Json) -> None:
        self._stage.put_scenario(self._stage.world.scenario.merged(Scenario.from_json(given)))

    def _truths(self, given: Json) -> list[Json]:
        return [self._truth(item) for item in cast("list[Json]", given["items"])]

    def _truth(self, given: Json) -> Json:
        rank_type = cast("RankType", given["rank_type"])
        if rank_type not in TRAPS:
            raise ValueError(f"rank_type must be one of {sorted(TRAPS)}, got {rank_type!r}")
        depth = int(str(given.get("depth") or DEFAULT_DEPTHS[rank_type]))
        found = self._stage.world.truth(self._view(given, rank_type), str(given["target"]), depth)
        return asdict(found)

    def _view(self, given: Json, rank_type: RankType) -> View:
        keyword = str(given["keyword"])
        day = date.fromisoformat(str(given["day"])) if given.get("day") else self._stage.day
        return View(
            rank_type=rank_type,
            keyword=keyword,
            day=day,
            device=str(given.get("device") or ""),
            vertical=str(given.get("vertical") or ("place" if rank_type == "place" else "")),
            x=None if given.get("x") in (None, "") else float(str(given["x"])),
            y=None if given.get("y") in (None, "") else float(str(given["y"])),
            source="api" if given.get("source") == "api" else "page",
        )
