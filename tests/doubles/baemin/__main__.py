"""`python -m tests.doubles.baemin`: starts the replica, prints its addresses as JSON, serves until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import gc
from pathlib import Path

from tests.doubles.baemin.conduct import REAL_PACE, Timing
from tests.doubles.baemin.server import serve
from tests.doubles.baemin.stage import Stage


def main() -> None:
    """Reads the command line and serves."""
    parser = argparse.ArgumentParser(prog="python -m tests.doubles.baemin", description=__doc__)
    parser.add_argument("--seed", type=int, default=20260101, help="another seed is another world")
    parser.add_argument("--real-pace", action="store_true", help="wait as long as people waited for the real site")
    parser.add_argument("--ready-file", type=Path, help="also write the line of addresses to this file")
    parser.add_argument("--parent", type=int, help="stop when this process is no longer the parent")
    given = parser.parse_args()
    stage = Stage(given.seed, REAL_PACE if given.real_pace else Timing())
    gc.freeze()
    asyncio.run(serve(stage, ready_file=given.ready_file, parent=given.parent))


main()
