"""Histories and nights as the demo would have found them, right unless a test bends them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from infra.local.demo.followed import Batch, Day, Followed, History
from infra.local.demo.plan import LASTING, Night
from infra.local.demo.verdict import PlayedNight, Truth
from nightjar.domain.rank import Outcome

REGISTERED = date(2026, 3, 1)
KEYWORD = "모형동 맛집"
TROUBLE = LASTING[0]


def followed(number: int = 1, *, rank_type: str = "blog", keyword: str = KEYWORD) -> Followed:
    return Followed(
        id=number,
        rank_type=rank_type,
        keyword=keyword,
        target_url=f"https://blog.naver.com/nj_lantern01/{number}",
        target_key=f"nj_lantern01/{number}",
        device="pc",
        vertical=None,
    )


def night(number: int, *, in_trouble: bool = False) -> Night:
    """Night 1 is the one after the registering day."""
    day = REGISTERED + timedelta(days=number)
    if in_trouble:
        return Night(number=number, day=day, trouble=TROUBLE, keyword=KEYWORD)
    return Night(number=number, day=day)


def stored(day: date, rank: int | None, *, session: int = 1, outcome: Outcome | None = None) -> Day:
    found = outcome or (Outcome.EXPOSED if rank else Outcome.NOT_EXPOSED)
    is_unknown = found is Outcome.UNKNOWN
    return Day(
        checked_on=day,
        outcome=found,
        rank=rank,
        session_number=session,
        checked_count=None if is_unknown else rank or 100,
        reason="blocked: the site refuses" if is_unknown else None,
    )


def unknown(day: date, *, session: int = 1) -> Day:
    return stored(day, None, session=session, outcome=Outcome.UNKNOWN)


def shown(rank: int | None) -> Truth:
    return Truth(outcome=Outcome.EXPOSED if rank else Outcome.NOT_EXPOSED, rank=rank, checked_count=rank or 100)


def played(what: Night, histories: Sequence[History], *, rank: int | None = 5) -> PlayedNight:
    """The night with a summary that fits the histories; the site showed `rank` of each target."""
    failed = frozenset(
        history.followed.id
        for history in histories
        for day in history.days
        if day.checked_on == what.day and day.outcome is Outcome.UNKNOWN
    )
    total = len(histories)
    batch = Batch(
        id=what.number,
        kind="nightly",
        run_key=what.day,
        total=total,
        success=total - len(failed),
        failed=len(failed),
        pending=0,
        failed_ids=failed,
        is_finished=True,
        elapsed_seconds=1.5,
    )
    return PlayedNight(
        night=what,
        batch=batch,
        searches=1,
        opened=1,
        trouble_met=1 if what.trouble else 0,
        truths={(history.followed.id, what.day): shown(rank) for history in histories},
        seconds=1.7,
    )


def history(*days: Day, number: int = 1, current_session: int = 1) -> History:
    ranks = [day.rank for day in days if day.rank]
    return History(
        followed=followed(number), days=days, current_session=current_session, known_rank=ranks[-1] if ranks else None
    )


def with_batch(what: PlayedNight, **changes: object) -> PlayedNight:
    return replace(what, batch=replace(what.batch, **changes))  # type: ignore[arg-type]  # fields of a batch
