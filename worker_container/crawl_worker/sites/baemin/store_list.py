"""Stores from two sources, the select and the search calls, made one list."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from crawl_worker.sites.baemin.answers import SearchList
from crawl_worker.sites.baemin.select import ShopSelect
from crawl_worker.sites.baemin.verdicts import layout_changed
from crawl_worker.sites.owner_site import Outcome, RawStore, failure


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreList:
    """What both sources have said so far."""

    select: ShopSelect
    search: SearchList

    def is_settled(self, *, still_for: float, still: float) -> bool:
        """Whether waiting longer would bring nothing: both are there, or the page no longer asks for anything."""
        if self.select.stores and (self.search.is_whole or self.search.has_failed):
            return True
        awaits_options = self.select.exists and not self.select.stores
        return still_for >= (2 * still if awaits_options else still)

    def stores(self) -> tuple[RawStore, ...]:
        """Every store once, in the order of the select, then of the search.

        Raises:
            GiveUp: `no_stores` if the site said that there is none; `layout_changed` if it said nothing we know.
            RetryLater: the list did not come, or only a part of it.
        """
        is_whole = bool(self.select.stores) or self.search.is_whole
        merged = _merged(self.select, self.search.stores)
        if is_whole and merged:
            return merged
        if is_whole:
            raise failure(Outcome.NO_STORES, "the login works, and the site says that it has no stores")
        if merged or self.search.has_failed:
            message = f"the list of stores did not come as a whole (read: {len(merged)}); a part is no list"
            raise failure(Outcome.UPSTREAM_ERROR, message)
        raise _not_recognised()


def _merged(select: ShopSelect, searched: Iterable[RawStore]) -> tuple[RawStore, ...]:
    by_number = {store.store_id: store for store in select.stores}
    if not select.stores and select.headed is not None:
        by_number[select.headed.store_id] = select.headed
    for found in searched:
        shown = by_number.get(found.store_id)
        # A text is cut apart by guess; the search says the name as it is.
        by_number[found.store_id] = found if shown is None else replace(shown, name=found.name)
    return tuple(by_number.values())


def _not_recognised() -> Exception:
    changed = layout_changed("neither a shop select nor a list of shops was recognised")
    return failure(changed.outcome, changed.message, surface=changed.surface)
