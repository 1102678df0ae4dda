"""Registering a tracking: from what a person sends to a stored row and its first check."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from nightjar.database.tasks import NewTask
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.target import CafeTarget, PlaceTarget, Target, canonical_url, target_key
from nightjar.domain.target_url import ShortLink, parse_target
from nightjar.domain.tracking import (
    Device,
    Location,
    RankType,
    Search,
    Source,
    default_device,
    default_vertical,
    normalise_keyword,
)
from nightjar.errors import Conflict, Invalid, SourceOff
from nightjar.tasks import Queue, TaskKind

LOCATION_DIGITS = 7
"""Decimals of a degree that are kept: about a centimetre, and the precision of the site's own links."""

ResolveShortLink = Callable[[str], str]
"""The address that a short link leads to. Raises Invalid or RetryLater."""

SOURCE_SETTINGS = {
    RankType.PLACE: "NAVER_PLACE_SOURCE=page",
    RankType.BLOG: "NAVER_BLOG_SOURCE=api (with NAVER_API_KEY_ID and NAVER_API_KEY) or NAVER_BLOG_SOURCE=page",
    RankType.CAFE: "NAVER_CAFE_SOURCE=api (with NAVER_API_KEY_ID and NAVER_API_KEY) or NAVER_CAFE_SOURCE=page",
}
"""What to set where a rank type has no source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person wants to follow, as they put it."""

    rank_type: RankType
    keyword: str
    target_url: str
    location: Location | None = None
    device: Device | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The same in one spelling: the search and what is looked for in it."""

    search: Search
    target: Target


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOrder:
    """How a check is to be done at once: for which day, under which correlation id, in how many seconds at most."""

    checked_on: date
    correlation_id: str
    timeout_seconds: int | None = None


def read_wish(wish: Wish, *, sources: Mapping[RankType, Source], resolve: ResolveShortLink) -> Wanted:
    """Normalise a wish. A short link is followed, so no transaction should be open.

    Raises:
        SourceOff: nothing is set up that could measure this rank type.
        Invalid: the keyword, the link or the location is not usable; the message says what is accepted.
        RetryLater: the short link cannot be followed now.
    """
    if sources[wish.rank_type] is Source.OFF:
        setting = SOURCE_SETTINGS[wish.rank_type]
        raise SourceOff(f"{wish.rank_type} ranks have no source here; whoever runs this service can set {setting}")
    keyword = normalise_keyword(wish.keyword)
    location = location_at(wish.location.x, wish.location.y) if wish.location else None
    target = _target(wish, resolve)
    vertical = target.vertical if isinstance(target, PlaceTarget) else None
    search = Search(
        rank_type=wish.rank_type,
        keyword=keyword,
        device=wish.device or default_device(wish.rank_type),
        vertical=default_vertical(wish.rank_type, vertical),
        location=location,
    )
    return Wanted(search=search, target=target)


def location_at(x: float, y: float) -> Location:
    """A point on earth, rounded so that equal points are equal searches. Raises Invalid."""
    if not (math.isfinite(x) and -180 <= x <= 180):  # noqa: PLR2004  # degrees
        raise Invalid("location.x must be a longitude between -180 and 180 degrees, such as 126.9779692")
    if not (math.isfinite(y) and -90 <= y <= 90):  # noqa: PLR2004  # degrees
        raise Invalid("location.y must be a latitude between -90 and 90 degrees, such as 37.5662952")
    return Location(x=_rounded(x), y=_rounded(y))


def register(uow: UnitOfWork, wanted: Wanted, *, owner: str) -> int:
    """Store the tracking; its id. Raises Conflict if this owner follows the same target in the same search."""
    target = with_known_slugs(uow, [wanted.target])[0]
    tracking_id, is_new = uow.trackings.add(
        owner=owner,
        search_id=uow.trackings.search_id(wanted.search),
        target_key=target_key(target),
        target_url=canonical_url(target),
    )
    if not is_new:
        raise Conflict(
            f"this target is followed for this search already, by tracking {tracking_id}", details={"id": tracking_id}
        )
    return tracking_id


def order_check(uow: UnitOfWork, tracking_id: int, order: CheckOrder, *, owner: str) -> UUID:
    """A check of one tracking that a person waits for; the id of its task, to be published after the commit."""
    task_id = uow.tasks.add(
        NewTask(
            kind=TaskKind.RANK_CHECK,
            queue=Queue.INTERACTIVE,
            owner=owner,
            correlation_id=order.correlation_id,
            timeout_seconds=order.timeout_seconds,
        )
    )
    uow.rank_checks.add(task_id, tracking_id=tracking_id, checked_on=order.checked_on)
    return task_id


def with_known_slugs(uow: UnitOfWork, targets: list[Target]) -> list[Target]:
    """The same targets; cafes that were given by number carry their slug where it is known."""
    clubs = {target.club_id for target in targets if isinstance(target, CafeTarget) and target.club_id}
    slugs = uow.cafes.slugs_of(clubs)
    return [
        replace(target, slug=slugs.get(target.club_id or ""))
        if isinstance(target, CafeTarget) and not target.slug
        else target
        for target in targets
    ]


def _target(wish: Wish, resolve: ResolveShortLink) -> Target:
    target = parse_target(wish.rank_type, wish.target_url)
    if isinstance(target, ShortLink):
        target = parse_target(wish.rank_type, resolve(target.url))
    if isinstance(target, ShortLink):
        raise Invalid("target_url: this short link leads to another short link; paste the address it ends at")
    return target


def _rounded(degrees: float) -> float:
    return round(degrees, LOCATION_DIGITS) + 0.0  # never -0.0
