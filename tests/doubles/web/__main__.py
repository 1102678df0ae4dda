"""`python -m tests.doubles.web`: starts the replica, prints its addresses as JSON, serves until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import gc
from pathlib import Path

from tests.doubles.web.server import serve
from tests.doubles.web.stage import Stage


def main() -> None:
    """Reads the command line and serves."""
    parser = argparse.ArgumentParser(prog="python -m tests.doubles.web", description=__doc__)
    parser.add_argument("--ready-file", type=Path, help="also write the line of addresses to this file")
    parser.add_argument("--parent", type=int, help="stop when this process is no longer the parent")
    given = parser.parse_args()
    gc.freeze()
    asyncio.run(serve(Stage(), ready_file=given.ready_file, parent=given.parent))


main()
