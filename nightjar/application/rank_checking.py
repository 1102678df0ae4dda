"""One rank check, from the claimed row to the stored results. All reactions to a fault are decided here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from nightjar.database.rank_checks import RankCheck
from nightjar.database.rank_history import StoredRank
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.rank import Outcome, RankResult, Reading, judge
from nightjar.domain.target import CafeTarget, Target, cafe_key, target_from_key, target_keys
from nightjar.domain.task import Claim, Task, TaskState, retry_delay
from nightjar.errors import Blocked, EndInDoubt, ErrorCode, GiveUp, HostBusy, NotFound, RetryLater, TaskFailure

MAX_RETRIES = 2
"""A failed check is tried again twice, then its trackings are unknown for the day."""

MAX_BLOCKS = 3
"""A check that met a block this often stays unknown: the host does not want to answer it today."""

LAYOUT_ALARM_AFTER = 5
"""Pages of one rank type that nobody understands, while none is understood, make a layout change."""

LAYOUT_ALARM = "layout_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedCheck:
    """A check with everything that reading it needs: the target of each tracking."""

    check: RankCheck
    targets: Mapping[int, Target]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledReading:
    """What one check left in the history, and the fault if it left `unknown`."""

    check: RankCheck
    stored: tuple[StoredRank, ...]
    fault: TaskFailure | None = None
    layout_alarm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Postponed:
    """The check waits in the database until `not_before`."""

    check: RankCheck
    not_before: datetime
    reason: str
    costs_an_attempt: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRules:
    """Waits after faults."""

    retry_delay: timedelta
    cooldown: timedelta


def begin(uow: UnitOfWork, claim: Claim) -> WantedCheck:
    """The check of a claimed task, with its targets completed by what is known of cafes. Raises NotFound."""
    check = uow.rank_checks.get(claim.task_id)
    if check is None:
        raise NotFound(f"task {claim.task_id} has no rank check")
    targets = {tracking_id: target_from_key(key) for tracking_id, key in check.trackings}
    clubs = {target.club_id for target in targets.values() if isinstance(target, CafeTarget) and target.club_id}
    slugs = uow.cafes.slugs_of(clubs)
    return WantedCheck(
        check=check, targets={tracking_id: _with_slug(target, slugs) for tracking_id, target in targets.items()}
    )


def _with_slug(target: Target, slugs: Mapping[str, str]) -> Target:
    if not isinstance(target, CafeTarget) or target.slug or target.club_id is None:
        return target
    return CafeTarget(article_id=target.article_id, slug=slugs.get(target.club_id), club_id=target.club_id)


def keys_of(target: Target, same_cafe: Mapping[str, str]) -> frozenset[str]:
    """All row keys that mean the target, with the slugs of its cafe that were learnt while reading."""
    if not isinstance(target, CafeTarget) or target.club_id is None:
        return target_keys(target)
    learnt = {cafe_key(slug, target.article_id) for slug, club_id in same_cafe.items() if club_id == target.club_id}
    return target_keys(target) | learnt


def store_reading(
    uow: UnitOfWork, claim: Claim, wanted: WantedCheck, reading: Reading, *, depth: int, source: str
) -> SettledReading:
    """Store a complete reading: a rank or `not_exposed` for every tracking. Raises LeaseLost."""
    results = [
        judge(tracking_id, keys_of(target, reading.same_cafe), reading, depth=depth)
        for tracking_id, target in wanted.targets.items()
    ]
    check = wanted.check
    uow.tasks.complete(claim, {"outcomes": _figures(results)})
    uow.rank_checks.settle(check.task_id, succeeded=len(results), failed=0, reason=None)
    if reading.same_cafe:
        uow.cafes.learn(reading.same_cafe, beside=wanted.targets)
    stored = uow.rank_history.save(results, checked_on=check.checked_on, source=source, batch_id=check.batch_id)
    return SettledReading(check=check, stored=tuple(stored))


def store_fault(
    uow: UnitOfWork,
    claim: Claim,
    wanted: WantedCheck,
    fault: TaskFailure | HostBusy,
    *,
    rules: CheckRules,
    source: str,
    jitter: float,
) -> SettledReading | Postponed:
    """Postpone the check, or store `unknown` for all its trackings, as the fault demands. Raises LeaseLost."""
    if isinstance(fault, HostBusy):
        return _postpone(uow, claim, wanted.check, str(fault), not_before=fault.not_before, counted=False)
    if isinstance(fault, Blocked) and wanted.check.blocks_met + 1 < MAX_BLOCKS:
        postponed = _postpone(uow, claim, wanted.check, fault.message, delay=rules.cooldown, counted=False)
        uow.rank_checks.met_block(claim.task_id)  # after the task, as everybody locks them
        return postponed
    if isinstance(fault, RetryLater) and claim.tries <= MAX_RETRIES:
        delay = retry_delay(claim.tries, base=rules.retry_delay, jitter=jitter)
        postponed = _postpone(uow, claim, wanted.check, fault.message, delay=delay, counted=True)
        if isinstance(fault, EndInDoubt):
            uow.rank_checks.saw_end(claim.task_id, rows=fault.rows)
        return postponed
    return _store_unknown(uow, claim, wanted, fault, source=source)


def stored_before(
    uow: UnitOfWork, claim: Claim, wanted: WantedCheck, outcome: Reading | TaskFailure | HostBusy
) -> SettledReading | None:
    """What this very attempt has stored already, if it ended the task with this outcome and was not told so.

    That is so if Postgres went away between a commit and its answer. The lines of the end are still to be written.
    """
    if isinstance(outcome, HostBusy):
        return None
    task = uow.tasks.get(claim.task_id, owner=None)
    if task is None or task.attempt != claim.tries or not _is_end(task, outcome):
        return None
    stored = uow.rank_history.stored(wanted.targets, checked_on=wanted.check.checked_on)
    fault = outcome if isinstance(outcome, TaskFailure) else None
    return SettledReading(check=wanted.check, stored=tuple(stored), fault=fault)


def _is_end(task: Task, outcome: Reading | TaskFailure) -> bool:
    if isinstance(outcome, Reading):
        return task.state is TaskState.COMPLETED
    said = (task.error_code, task.error_message)
    return task.state is TaskState.FAILED and said == (outcome.code, outcome.message)


def _postpone(
    uow: UnitOfWork,
    claim: Claim,
    check: RankCheck,
    reason: str,
    *,
    counted: bool,
    delay: timedelta = timedelta(0),
    not_before: datetime | None = None,
) -> Postponed:
    until = uow.tasks.release(claim, counted=counted, delay=delay, not_before=not_before)
    return Postponed(check=check, not_before=until, reason=reason, costs_an_attempt=counted)


def _store_unknown(
    uow: UnitOfWork, claim: Claim, wanted: WantedCheck, fault: TaskFailure, *, source: str
) -> SettledReading:
    check = wanted.check
    reason = f"{fault.code}: {fault.message}"
    uow.tasks.fail(claim, fault.code, fault.message, retryable=not isinstance(fault, GiveUp))
    uow.rank_checks.settle(check.task_id, succeeded=0, failed=len(wanted.targets), reason=reason)
    results = [
        RankResult(tracking_id=tracking_id, outcome=Outcome.UNKNOWN, reason=reason) for tracking_id in wanted.targets
    ]
    stored = uow.rank_history.save(results, checked_on=check.checked_on, source=source, batch_id=check.batch_id)
    alarm = fault.code is ErrorCode.LAYOUT_CHANGED and _layout_changed(uow, check)
    return SettledReading(check=check, stored=tuple(stored), fault=fault, layout_alarm=alarm)


def _layout_changed(uow: UnitOfWork, check: RankCheck) -> bool:
    """Whether this misread page completes the picture of a changed layout; true once per batch and rank type."""
    if check.batch_id is None:
        return False
    rank_type = check.search.rank_type
    misread, understood = uow.rank_checks.layout_figures(check.batch_id, rank_type, limit=LAYOUT_ALARM_AFTER)
    if understood or misread < LAYOUT_ALARM_AFTER:
        return False
    return uow.alarms.raise_once(LAYOUT_ALARM, f"batch {check.batch_id}, {rank_type}")


def _figures(results: Iterable[RankResult]) -> dict[str, int]:
    figures: dict[str, int] = {}
    for result in results:
        figures[result.outcome] = figures.get(result.outcome, 0) + 1
    return figures
