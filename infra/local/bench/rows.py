"""What a bench row is, and how rows are shown and kept."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

REPORT = Path("build/bench.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure. `against` holds ratios to what was measured beside it; `ok` is None where no target is set."""

    name: str
    value: float
    unit: str
    target: str
    ok: bool | None
    against: Mapping[str, float] = field(default_factory=dict)
    peak_mb: float | None = None


def show(rows: Sequence[Row]) -> None:
    """Print the rows as a table."""
    table = Table("row", "value", "against", "target", "ok", "peak MB", title="Nightjar bench")
    for row in rows:
        against = ", ".join(f"{ratio:.2f}x {name}" for name, ratio in row.against.items())
        peak = "" if row.peak_mb is None else f"{row.peak_mb:.0f}"
        verdict = {True: "yes", False: "NO", None: ""}[row.ok]
        table.add_row(row.name, f"{row.value:,.2f} {row.unit}", against, row.target, verdict, peak)
    Console().print(table)


def keep(rows: Sequence[Row], report: Path = REPORT) -> None:
    """Write the rows as JSON; rows of earlier runs that were not measured now stay."""
    measured = {row.name for row in rows}
    earlier = json.loads(report.read_text()) if report.exists() else []
    kept = [row for row in earlier if row["name"] not in measured]
    report.parent.mkdir(exist_ok=True)
    report.write_text(json.dumps(kept + [asdict(row) for row in rows], indent=2, ensure_ascii=False) + "\n")
