"""The job of a rank check: read the list through the source of its type, then store what it says."""

import random
from collections.abc import Callable, Mapping
from functools import partial
from time import monotonic

from crawl_worker.engine.attempt import Fault
from crawl_worker.engine.reporter import Report
from crawl_worker.engine.store import Store
from nightjar.application import rank_checking
from nightjar.application.rank_checking import CheckRules, Postponed, SettledReading, WantedCheck
from nightjar.application.rank_run import close_batch
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.domain.rank import Reading
from nightjar.domain.task import Claim
from nightjar.domain.tracking import RankType, Source
from nightjar.errors import ErrorCode, GiveUp, LeaseLost
from nightjar.observability import log_batch_completed, log_postponed, log_settled, logger
from nightjar.ports import RankSource, RankSources
from nightjar.tasks import Queue

log = logger(__name__)


class RankCheckJob:
    """One attempt at one rank check. `sources` belong to this attempt: its requests share a user agent."""

    def __init__(
        self,
        store: Store,
        new_sources: Callable[[bool], RankSources],
        *,
        depths: Mapping[RankType, int],
        rules: CheckRules,
    ) -> None:
        self._store = store
        self._new_sources = new_sources
        self._depths = depths
        self._rules = rules
        self._source = Source.OFF
        self._began_at = monotonic()

    async def work(self, claim: Claim, report: Report) -> Reading:
        """The complete reading of the check's list. Raises Fault."""
        wanted = await self._begin(claim)
        search = wanted.check.search
        source = self._source_of(search.rank_type, urgent=claim.queue == Queue.INTERACTIVE)
        self._source = source.source
        depth = self._depths[search.rank_type]
        await report("working", message=f"reading the {search.rank_type} list of {search.keyword!r}")
        return await source.read(
            search, wanted=tuple(wanted.targets.values()), depth=depth, seen_end=wanted.check.seen_end
        )

    async def settle(self, claim: Claim, outcome: Reading | Fault) -> None:
        """Store ranks or `unknown`, or put the check back; close the batch if this was its last check."""
        wanted = await self._begin(claim)
        ended = await self._store_once(claim, wanted, outcome)
        if isinstance(ended, Postponed):
            log_postponed(log, ended)
            return
        log_settled(log, ended, elapsed_seconds=monotonic() - self._began_at)
        if (batch_id := ended.check.batch_id) is not None:
            announce = partial(log_batch_completed, log)
            await self._store.spanning(lambda transactions: close_batch(transactions, batch_id, announce))

    async def _store_once(
        self, claim: Claim, wanted: WantedCheck, outcome: Reading | Fault
    ) -> SettledReading | Postponed:
        """Store the outcome; a second try at it may find that the first one did. Raises LeaseLost."""
        try:
            return await self._store.run(partial(self._store_outcome, claim, wanted, outcome))
        except LeaseLost:
            before = await self._store.run(lambda uow: rank_checking.stored_before(uow, claim, wanted, outcome))
            if before is None:
                raise
            return before

    async def _begin(self, claim: Claim) -> WantedCheck:
        return await self._store.run(lambda uow: rank_checking.begin(uow, claim))

    def _source_of(self, rank_type: RankType, *, urgent: bool) -> RankSource:
        source = self._new_sources(urgent).get(rank_type)
        if source is None:
            setting = f"NAVER_{rank_type.upper()}_SOURCE"
            raise GiveUp(ErrorCode.ACTION_REQUIRED, f"the source of {rank_type} ranks is off: set {setting}")
        return source

    def _store_outcome(
        self, claim: Claim, wanted: WantedCheck, outcome: Reading | Fault, uow: UnitOfWork
    ) -> SettledReading | Postponed:
        if isinstance(outcome, Reading):
            depth = self._depths[wanted.check.search.rank_type]
            return rank_checking.store_reading(uow, claim, wanted, outcome, depth=depth, source=self._source)
        jitter = random.random()  # noqa: S311  # spreads retries, guards nothing
        return rank_checking.store_fault(
            uow, claim, wanted, outcome, rules=self._rules, source=self._source, jitter=jitter
        )
