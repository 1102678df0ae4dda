"""The main jobs of Nightjar: `python -m infra.local.demo [--nights N] [--seed N] [--keep] [--out FOLDER]`.

Thirty trackings are registered over the API of a real stack, an owner's stores are crawled at a replica of Baemin and
a second crawl is cancelled, nights are played through the real fan-out function against a replica of Naver, and all
that was stored is held against what the replicas showed. The exit code is 0 if all is right, 1 if something is not or a
part failed, 130 after Ctrl-C. What is written: index.html and history.csv.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from infra.local.child import ROOT
from infra.local.demo.followed import History
from infra.local.demo.page import write_page
from infra.local.demo.plan import plan_nights
from infra.local.demo.play import DemoSystem, PlayError, Registered, first_night
from infra.local.demo.printing import Narrator
from infra.local.demo.verdict import PlayedNight, judge
from infra.local.lambda_runtime import LambdaError
from infra.local.process import StartError
from infra.local.settings import nightjar_settings
from infra.local.state import InUseError
from tests.doubles.naver.replica import ReplicaError

OUT: Final = ROOT / "build" / "demo"
NIGHTS: Final = 30
SEED: Final = 20
"""Any number would do: it decides what the replica shows and which troubles which night brings."""
MOST_NIGHTS: Final = 365
INTERRUPTED: Final = 130
KEPT_SETTINGS: Final = frozenset({"CHROMIUM_PATH", "LOG_LEVEL"})
"""What the demo takes of this shell's settings; the others could point it at servers and sites that are not its own."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    asked = _parser().parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    for name in nightjar_settings(os.environ).keys() - KEPT_SETTINGS:
        del os.environ[name]
    try:
        return run(Narrator(), nights=asked.nights, seed=asked.seed, out=asked.out, keep=asked.keep)
    except KeyboardInterrupt:
        print("demo: stopped; nothing is left running", file=sys.stderr)
        return INTERRUPTED
    except (StartError, InUseError, LambdaError, ReplicaError, PlayError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


def run(narrator: Narrator, *, nights: int, seed: int, out: Path, keep: bool) -> int:
    """Play and judge; the exit code. Raises what the parts raise when they fail, and then nothing is left running."""
    with ExitStack() as exits:
        with narrator.step(
            "start",
            "replicas of Naver and Baemin, Postgres, Redis, API, 2 workers, janitor and fan-out function are up",
        ):
            system = exits.enter_context(DemoSystem(seed=seed))
        with narrator.step("register", "trackings registered over the API, first checks done"):
            registered = system.register()
        with narrator.step("stores", "two crawls of an owner's stores watched live, the second one cancelled"):
            crawls = system.crawl_stores(head=lambda line: narrator.say(f"  {line}"), tell=narrator.live)
        narrator.stores(crawls)
        played = _play(system, registered, narrator, nights=nights, seed=seed)
        with narrator.step("compare", "every day compared with what the site showed"):
            histories = system.histories(registered.followed)
            verdict = judge(histories, played, registered.truths, system.nightly_batches())
        with narrator.step("draw", "charts and history written"):
            out.mkdir(parents=True, exist_ok=True)
            write_page(out / "index.html", histories=histories, nights=played, verdict=verdict, crawls=crawls)
            (out / "history.csv").write_text(system.history_csv(registered.followed), encoding="utf-8", newline="")
        _tell(narrator, histories, played, out)
        narrator.crawled(crawls)
        narrator.verdict(verdict)
        if keep:
            _keep(system, narrator)
        with narrator.step("stop", "everything stopped"):
            exits.close()
    narrator.timings()
    return 1 if verdict.differences or crawls.differences else 0


def _play(
    system: DemoSystem, registered: Registered, narrator: Narrator, *, nights: int, seed: int
) -> list[PlayedNight]:
    plan = plan_nights(nights, first=first_night(registered), keywords=registered.keywords(), seed=seed)
    played = []
    with narrator.nights(nights) as tell:
        for night in plan:
            played.append(system.play(night, registered.followed))
            tell(played[-1])
    return played


def _tell(narrator: Narrator, histories: Sequence[History], played: Sequence[PlayedNight], out: Path) -> None:
    narrator.ranks(histories)
    narrator.batches(played)
    if played:
        narrator.say(
            f"  {len(histories)} trackings took {played[0].searches} searches a night: equal searches are shared"
        )
    for file in (out / "index.html", out / "history.csv"):
        narrator.say(f"  {file}  {file.stat().st_size / 1e6:.2f} MB")


def _keep(system: DemoSystem, narrator: Narrator) -> None:
    """Leave the stack up until Ctrl-C, or until it cannot be kept up."""
    stack = system.stack
    narrator.say("the stack stays up; Ctrl-C stops it and removes its data")
    for what, value in (
        ("API", f"{stack.api_url}/docs"),
        ("owner's key", system.owner_key),
        ("operator's key", stack.api_key),
        ("try", f"curl -H 'Authorization: Bearer {system.owner_key}' {stack.api_url}/api/v1/trackings?limit=3"),
        ("one more night", f"{sys.executable} -m infra.local --data-dir {stack.data_dir} nightly --date YYYY-MM-DD"),
        ("replicas' control", f"{system.replica.urls['CONTROL_URL']} {system.owner_site.urls['CONTROL_URL']}"),
        ("Postgres", stack.database_url),
        ("logs", str(stack.data_dir / "logs")),
    ):
        narrator.say(f"    {what:<18} {value}")
    try:
        failure = stack.wait()
    except KeyboardInterrupt:
        return
    raise PlayError(f"{failure}; the stack was stopped")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.local.demo", description="Nightjar's main jobs, played against replicas of the sites."
    )
    parser.add_argument("--nights", type=_nights, default=NIGHTS, help=f"how many nights (default {NIGHTS})")
    parser.add_argument("--seed", type=int, default=SEED, help="what Naver shows and what goes wrong")
    parser.add_argument("--keep", action="store_true", help="leave the stack up until Ctrl-C")
    parser.add_argument("--out", type=Path, default=OUT, help="where the page and the CSV go (build/demo)")
    return parser


def _nights(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MOST_NIGHTS:
        raise argparse.ArgumentTypeError(f"{text} is not a number of nights from 1 to {MOST_NIGHTS}")
    return number


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Ctrl-C, also where a shell started this in the background, and so ignoring it."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
