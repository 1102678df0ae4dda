"""`make bench`: measure rows, print a table, write build/bench.json."""

import argparse
import sys
from collections.abc import Callable, Mapping

from infra.local.bench import browser_row, cold_start, curve, fanout, http_row, live
from infra.local.bench.rows import REPORT, Row, keep, show

MEASURES: Mapping[str, Callable[[], list[Row]]] = {
    "http": http_row.measure,
    "browser": browser_row.measure,
    "fanout": fanout.measure,
    "cold_start": cold_start.measure,
    "live": live.measure,
    "curve": curve.measure,
}
ON_REQUEST = frozenset({"curve"})
"""Takes many minutes, and has no part in a comparison."""


def main() -> int:
    """0 if every row with a target reached it, 1 if one missed it, 2 if a row is not known."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", default="", help=f"rows, separated by commas: {', '.join(MEASURES)}")
    names = [name for name in parser.parse_args().only.split(",") if name]
    names = names or [name for name in MEASURES if name not in ON_REQUEST]
    if unknown := sorted(set(names) - set(MEASURES)):
        sys.stderr.write(f"bench: no row {', '.join(unknown)}; there are: {', '.join(MEASURES)}\n")
        return 2
    rows: list[Row] = []
    for name in names:
        print(f"measuring {name} ...", flush=True)
        rows += MEASURES[name]()
    show(rows)
    keep(rows)
    print(f"written to {REPORT}")
    return 1 if any(row.ok is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
