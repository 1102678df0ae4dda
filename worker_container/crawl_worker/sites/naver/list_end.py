"""When the end of a list is believed.

A host that throttles sends short and empty loads for some ten seconds and calls them 200: a list that ends before its
depth was perhaps only cut there. These are no such ends, and one attempt is enough:

- every wanted target was met, or the depth was reached: nothing depends on what follows;
- a tab says in words that there is no result;
- the last load of a tab is a full one, and says itself that no other follows (`"url": ""`);
- a place list gave as many rows as it claims to hold: its `total` tells the truth about the end.

Every other end is in doubt: a last load with fewer cards than a full one or none, a first page without a way on, a
place list that stops before its total (they are cut after 54, 100, 210 or 300 rows, and an empty batch looks the same).
It is believed once an earlier attempt, a retry's delay before, saw the list end after as many rows. Asking again within
the attempt confirms nothing: the throttle outlasts it.
"""

from crawl_worker.sites.naver.rows import Progress
from nightjar.domain.tracking import Search
from nightjar.errors import EndInDoubt


def confirm_end(progress: Progress, search: Search, *, seen_end: int | None) -> None:
    """Return if an earlier attempt saw the list end after as many rows as were read now. Raises EndInDoubt."""
    read = len(progress.counted)
    if read != seen_end:
        before = "" if seen_end is None else f", and after {seen_end} the time before"
        message = (
            f"the {search.rank_type} list of {search.keyword!r} ended after {read} rows{before}: perhaps a short page;"
            " an end before the depth is believed when two attempts see it in the same place"
        )
        raise EndInDoubt(message, rows=read)
