"""`python -m tests.doubles.naver`: starts the replica, prints its addresses as a line of JSON, serves until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
from datetime import date
from pathlib import Path

from tests.doubles.naver.default_scenario import default_scenario
from tests.doubles.naver.rate import RateRule
from tests.doubles.naver.scenario import Scenario
from tests.doubles.naver.server import serve
from tests.doubles.naver.stage import Stage


def main() -> None:
    """Reads the command line and serves."""
    parser = argparse.ArgumentParser(prog="python -m tests.doubles.naver", description=__doc__)
    parser.add_argument("--seed", type=int, default=20260101, help="another seed is another world")
    parser.add_argument(
        "--day", type=date.fromisoformat, help="YYYY-MM-DD that the pages show (default: today in Korea)"
    )
    parser.add_argument("--scenario", type=Path, help="JSON file to show in place of the default scenario")
    parser.add_argument("--rate-rule", action="store_true", help="block clients that ask too fast")
    parser.add_argument("--ready-file", type=Path, help="also write the line of addresses to this file")
    parser.add_argument("--parent", type=int, help="stop when this process is no longer the parent")
    given = parser.parse_args()
    scenario = (
        Scenario.from_json(json.loads(given.scenario.read_text())) if given.scenario else default_scenario(given.seed)
    )
    stage = Stage(given.seed, scenario)
    stage.fixed_day = given.day
    if given.rate_rule:
        stage.rate.set(RateRule(enabled=True))
    gc.freeze()
    asyncio.run(serve(stage, ready_file=given.ready_file, parent=given.parent))


main()
