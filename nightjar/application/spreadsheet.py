"""CSV as spreadsheets take it.

Files are written as UTF-8 with a byte order mark: without it Excel in Korea takes them for CP949 and shows broken text.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence

BYTE_ORDER_MARK = "\ufeff"

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
"""How a cell begins that a spreadsheet would run; quotes before it are ours, so that they can be taken off again."""


def header_line(columns: Sequence[str]) -> str:
    """The byte order mark and the header."""
    return BYTE_ORDER_MARK + lines_of([columns])


def lines_of(rows: Iterable[Sequence[object]]) -> str:
    """Lines with these cells; None is an empty one."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([guarded(str(cell)) if isinstance(cell, str) else cell for cell in row])
    return out.getvalue()


def guarded(cell: str) -> str:
    """The text of a cell, with a quote before it where a spreadsheet would take it for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """What `guarded` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
