"""Many trackings at once: broken lines are told by line, the good ones are taken, one check is due per search."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from nightjar.application.registering import CheckOrder, ResolveShortLink, Wanted, read_wish, with_known_slugs
from nightjar.application.tracking_csv import Line
from nightjar.database.trackings import AddedTracking, NewTracking
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.target import canonical_url, target_key
from nightjar.domain.tracking import RankType, Source
from nightjar.errors import Invalid, NightjarError
from nightjar.tasks import Queue

SHORT_LINKS_SECONDS = 8.0
"""For following the short links of one file: the answer has to come within the 30 s of an API gateway."""


class LineStatus(StrEnum):
    """What became of a line."""

    CREATED = "created"
    EXISTS = "exists"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineResult:
    """One line of the answer: the tracking it stands for, or why there is none."""

    line: int
    status: LineStatus
    tracking_id: int | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The results in the order of the file, and how many checks were added to the nightly queue."""

    lines: tuple[LineResult, ...]
    checks: int

    def count(self, status: LineStatus) -> int:
        """Lines with this status."""
        return sum(line.status is status for line in self.lines)


def read_wishes(
    lines: Sequence[Line], *, sources: Mapping[RankType, Source], resolve: ResolveShortLink
) -> dict[int, Wanted | NightjarError]:
    """What each line asks for, or its fault. Short links are followed, as long as time allows."""
    within = _WithinTime(resolve, SHORT_LINKS_SECONDS)
    return {line.number: _read(line, sources, within) for line in lines}


def import_trackings(
    uow: UnitOfWork, wishes: Mapping[int, Wanted | NightjarError], order: CheckOrder, *, owner: str
) -> Imported:
    """Store what is new, and a check for each distinct search among it. Nothing is published here."""
    wanted = {line: wish for line, wish in wishes.items() if isinstance(wish, Wanted)}
    results = {
        line: LineResult(line=line, status=LineStatus.ERROR, message=fault.message)
        for line, fault in wishes.items()
        if isinstance(fault, NightjarError)
    }
    added = uow.trackings.add_many(_new_trackings(uow, wanted), owner=owner) if wanted else []
    results |= {tracking.line: _result(tracking) for tracking in added}
    new_ids = [tracking.tracking_id for tracking in added if tracking.is_new]
    checks = _order_checks(uow, new_ids, order, owner=owner) if new_ids else 0
    return Imported(lines=tuple(results[line] for line in sorted(results)), checks=checks)


def _read(line: Line, sources: Mapping[RankType, Source], resolve: ResolveShortLink) -> Wanted | NightjarError:
    if isinstance(line.content, Invalid):
        return line.content
    try:
        return read_wish(line.content, sources=sources, resolve=resolve)
    except NightjarError as error:
        return error


def _new_trackings(uow: UnitOfWork, wanted: Mapping[int, Wanted]) -> list[NewTracking]:
    targets = with_known_slugs(uow, [wish.target for wish in wanted.values()])
    return [
        NewTracking(line=line, search=wish.search, target_key=target_key(target), target_url=canonical_url(target))
        for (line, wish), target in zip(wanted.items(), targets, strict=True)
    ]


def _result(added: AddedTracking) -> LineResult:
    status = LineStatus.CREATED if added.is_new else LineStatus.EXISTS
    return LineResult(line=added.line, status=status, tracking_id=added.tracking_id)


def _order_checks(uow: UnitOfWork, tracking_ids: Sequence[int], order: CheckOrder, *, owner: str) -> int:
    return uow.rank_checks.add_due(
        tracking_ids,
        checked_on=order.checked_on,
        queue=Queue.NIGHTLY,
        owner=owner,
        correlation_id=order.correlation_id,
    )


class _WithinTime:
    """Follows short links until the time for them is over; each link once."""

    def __init__(self, resolve: ResolveShortLink, seconds: float) -> None:
        self._resolve = resolve
        self._ends = time.monotonic() + seconds
        self._known: dict[str, str] = {}

    def __call__(self, url: str) -> str:
        if url not in self._known:
            if time.monotonic() > self._ends:
                raise Invalid("no time was left to follow this short link; paste the address that it leads to")
            self._known[url] = self._resolve(url)
        return self._known[url]
